from typing import Any

from tests.infra.synthesized import Synthesized
from twofold.settings import Function


def _settle(template: Synthesized) -> str:
    functions = template.properties("AWS::Lambda::Function").items()
    (name,) = [n for n, p in functions if p["Handler"] == Function.SETTLE.handler]
    return name


def _rules(template: Synthesized) -> list[Any]:
    return list(template.properties("AWS::Events::Rule").values())


def test_settle_hears_of_every_execution_that_ends_badly(template: Synthesized) -> None:
    (rule,) = [rule for rule in _rules(template) if "EventPattern" in rule]
    pattern = rule["EventPattern"]
    assert pattern["source"] == ["aws.states"]
    assert pattern["detail-type"] == ["Step Functions Execution Status Change"]
    assert pattern["detail"]["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]
    machines = {arn["Ref"] for arn in pattern["detail"]["stateMachineArn"]}
    assert machines == set(template.of_type("AWS::StepFunctions::StateMachine"))


def test_settle_sweeps_every_minute(template: Synthesized) -> None:
    (rule,) = [rule for rule in _rules(template) if "ScheduleExpression" in rule]
    assert rule["ScheduleExpression"] == "rate(1 minute)"


def test_both_rules_are_on_and_may_invoke_settle_and_nothing_else(template: Synthesized) -> None:
    arn = {"Fn::GetAtt": [_settle(template), "Arn"]}
    for rule in _rules(template):
        assert rule["State"] == "ENABLED"
        assert [target["Arn"] for target in rule["Targets"]] == [arn]
    permissions = template.properties("AWS::Lambda::Permission").values()
    events = [p for p in permissions if p["Principal"] == "events.amazonaws.com"]
    assert {p["SourceArn"]["Fn::GetAtt"][0] for p in events} == set(
        template.of_type("AWS::Events::Rule")
    )
    assert all(permission["FunctionName"] == arn for permission in events)
