from dataclasses import replace
from typing import Any

import pytest

from tests.infra.evaluation import Request, Resolved, allows
from tests.infra.synthesized import Synthesized, spelt
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


def test_an_event_that_reaches_no_function_waits_in_a_queue(template: Synthesized) -> None:
    deployed = Resolved(template)
    (queue,) = template.of_type("AWS::SQS::Queue")
    (policy,) = template.properties("AWS::SQS::QueuePolicy").values()
    document = deployed.value(policy)["PolicyDocument"]
    for name, rule in template.properties("AWS::Events::Rule").items():
        (target,) = deployed.value(rule)["Targets"]
        assert target["DeadLetterConfig"] == {"Arn": deployed.arn(queue)}, name
        assert set(target["RetryPolicy"]) == {"MaximumEventAgeInSeconds", "MaximumRetryAttempts"}
        context = {"aws:SourceArn": deployed.arn(name), "aws:SecureTransport": "true"}
        sent = Request("events.amazonaws.com", "sqs:SendMessage", deployed.arn(queue), context)
        assert allows(document, sent), name
        other = {**context, "aws:SourceArn": "arn:aws:events:eu-west-1:999999999999:rule/any"}
        assert not allows(document, replace(sent, context=other)), name
        plain = {**context, "aws:SecureTransport": "false"}
        assert not allows(document, replace(sent, context=plain)), name


def test_a_message_in_the_queue_sets_an_alarm_off(template: Synthesized) -> None:
    (queue,) = template.of_type("AWS::SQS::Queue")
    (alarm,) = [
        one
        for one in template.properties("AWS::CloudWatch::Alarm").values()
        if one.get("MetricName") == "ApproximateNumberOfMessagesVisible"
    ]
    assert spelt(alarm["Dimensions"][0]["Value"]) == f"<{queue}.QueueName>"
    assert alarm["Threshold"] == 1


def _asynchronous(template: Synthesized, rule: Any) -> Any:
    """How Lambda treats what a rule invokes asynchronously."""
    alias = template.properties("AWS::Lambda::Alias")[rule["Targets"][0]["Arn"]["Ref"]]
    (config,) = [
        one
        for one in template.properties("AWS::Lambda::EventInvokeConfig").values()
        if one["FunctionName"] == alias["FunctionName"] and one["Qualifier"] == alias["Name"]
    ]
    return config


def test_a_sweep_is_not_repeated_and_the_news_of_an_end_is_and_is_never_lost(
    template: Synthesized,
) -> None:
    """The next sweep comes by itself; an end is told once, and is all there is where executions cannot be looked at."""
    (queue,) = template.of_type("AWS::SQS::Queue")
    (told,) = [rule for rule in _rules(template) if "EventPattern" in rule]
    config = _asynchronous(template, told)
    assert config["MaximumRetryAttempts"] == 2
    assert spelt(config["DestinationConfig"]["OnFailure"]["Destination"]) == f"<{queue}.Arn>"
    assert template.function_may(Function.SETTLE, "sqs:SendMessage") == {f"<{queue}.Arn>"}
    (sweep,) = [
        rule for rule in _rules(template) if rule.get("ScheduleExpression") == "rate(1 minute)"
    ]
    config = _asynchronous(template, sweep)
    assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (0, 60)
    assert "DestinationConfig" not in config


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
