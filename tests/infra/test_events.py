from typing import Any

import pytest

from tests.infra.synthesized import Synthesized
from twofold.settings import Function, function_name


def _rules(template: Synthesized) -> list[Any]:
    return list(template.properties("AWS::Events::Rule").values())


def test_settle_hears_of_every_execution_that_ends_badly(template: Synthesized) -> None:
    (rule,) = [rule for rule in _rules(template) if "EventPattern" in rule]
    pattern = rule["EventPattern"]
    assert pattern["source"] == ["aws.states"]
    assert pattern["detail-type"] == ["Step Functions Execution Status Change"]
    assert pattern["detail"]["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]
    (target,) = rule["Targets"]
    assert not target.keys() & {"Input", "InputPath", "InputTransformer"}, (
        "Settle reads which it was."
    )
    machines = {arn["Ref"] for arn in pattern["detail"]["stateMachineArn"]}
    assert machines == set(template.of_type("AWS::StepFunctions::StateMachine"))


@pytest.mark.parametrize(
    ("function", "rate"), [(Function.SETTLE, "rate(1 minute)"), (Function.COLLECT, "rate(1 day)")]
)
def test_sweeps_come_regularly(template: Synthesized, function: Function, rate: str) -> None:
    scheduled = [rule for rule in _rules(template) if "ScheduleExpression" in rule]
    (rule,) = [
        rule
        for rule in scheduled
        if template.function_behind(rule["Targets"][0]["Arn"]) == function_name("prod", function)
    ]
    assert rule["ScheduleExpression"] == rate


def test_every_rule_is_on_and_may_invoke_its_one_function_and_nothing_else(
    template: Synthesized,
) -> None:
    permissions = template.properties("AWS::Lambda::Permission").values()
    events = [p for p in permissions if p["Principal"] == "events.amazonaws.com"]
    allowed = {p["SourceArn"]["Fn::GetAtt"][0]: p["FunctionName"] for p in events}
    assert len(allowed) == len(events)
    for name, rule in template.properties("AWS::Events::Rule").items():
        assert rule["State"] == "ENABLED"
        (target,) = rule["Targets"]
        assert allowed.pop(name) == target["Arn"]
    assert not allowed
