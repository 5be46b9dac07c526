from dataclasses import replace
from typing import Any

import pytest

from tests.infra.policy_evaluation import DeployedTemplate, Request, is_allowed
from tests.infra.synthesized_template import SynthesizedTemplate, render_value
from twofold.settings import Function, make_function_name


def _list_rules(template: SynthesizedTemplate) -> list[Any]:
    return list(template.select_properties("AWS::Events::Rule").values())


def test_settle_gets_the_event_of_every_failed_execution(template: SynthesizedTemplate) -> None:
    (rule,) = [rule for rule in _list_rules(template) if "EventPattern" in rule]
    pattern = rule["EventPattern"]
    assert pattern["source"] == ["aws.states"]
    assert pattern["detail-type"] == ["Step Functions Execution Status Change"]
    assert pattern["detail"]["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]
    (target,) = rule["Targets"]
    assert not target.keys() & {"Input", "InputPath", "InputTransformer"}, (
        "Settle reads the execution from the event."
    )
    machines = {arn["Ref"] for arn in pattern["detail"]["stateMachineArn"]}
    assert machines == set(template.select_resources("AWS::StepFunctions::StateMachine"))


@pytest.mark.parametrize(
    ("function", "rate"), [(Function.SETTLE, "rate(1 minute)"), (Function.COLLECT, "rate(1 day)")]
)
def test_sweeps_come_regularly(
    template: SynthesizedTemplate, function: Function, rate: str
) -> None:
    scheduled = [rule for rule in _list_rules(template) if "ScheduleExpression" in rule]
    (rule,) = [
        rule
        for rule in scheduled
        if template.find_function_of_alias(rule["Targets"][0]["Arn"])
        == make_function_name("prod", function)
    ]
    assert rule["ScheduleExpression"] == rate


def test_an_event_that_reaches_no_function_waits_in_a_queue(template: SynthesizedTemplate) -> None:
    deployed = DeployedTemplate(template)
    (queue,) = template.select_resources("AWS::SQS::Queue")
    (policy,) = template.select_properties("AWS::SQS::QueuePolicy").values()
    document = deployed.resolve(policy)["PolicyDocument"]
    for name, rule in template.select_properties("AWS::Events::Rule").items():
        (target,) = deployed.resolve(rule)["Targets"]
        assert target["DeadLetterConfig"] == {"Arn": deployed.build_arn(queue)}, name
        assert set(target["RetryPolicy"]) == {"MaximumEventAgeInSeconds", "MaximumRetryAttempts"}
        context = {"aws:SourceArn": deployed.build_arn(name), "aws:SecureTransport": "true"}
        sent = Request(
            "events.amazonaws.com", "sqs:SendMessage", deployed.build_arn(queue), context
        )
        assert is_allowed(document, sent), name
        other = {**context, "aws:SourceArn": "arn:aws:events:eu-west-1:999999999999:rule/any"}
        assert not is_allowed(document, replace(sent, context=other)), name
        plain = {**context, "aws:SecureTransport": "false"}
        assert not is_allowed(document, replace(sent, context=plain)), name


def test_a_message_in_the_queue_triggers_an_alarm(template: SynthesizedTemplate) -> None:
    (queue,) = template.select_resources("AWS::SQS::Queue")
    (alarm,) = [
        alarm
        for alarm in template.select_properties("AWS::CloudWatch::Alarm").values()
        if alarm.get("MetricName") == "ApproximateNumberOfMessagesVisible"
    ]
    assert render_value(alarm["Dimensions"][0]["Value"]) == f"<{queue}.QueueName>"
    assert alarm["Threshold"] == 1


def _get_invoke_config(template: SynthesizedTemplate, rule: Any) -> Any:
    """Return the configuration of a rule's asynchronous invocations."""
    alias = template.select_properties("AWS::Lambda::Alias")[rule["Targets"][0]["Arn"]["Ref"]]
    (config,) = [
        config
        for config in template.select_properties("AWS::Lambda::EventInvokeConfig").values()
        if (config["FunctionName"], config["Qualifier"]) == (alias["FunctionName"], alias["Name"])
    ]
    return config


def test_a_sweep_is_not_retried_and_the_event_of_an_ended_execution_is_retried_and_queued(
    template: SynthesizedTemplate,
) -> None:
    """The next sweep follows in a minute; the event of an ended execution comes once."""
    (queue,) = template.select_resources("AWS::SQS::Queue")
    (ended,) = [rule for rule in _list_rules(template) if "EventPattern" in rule]
    config = _get_invoke_config(template, ended)
    assert config["MaximumRetryAttempts"] == 2
    assert render_value(config["DestinationConfig"]["OnFailure"]["Destination"]) == f"<{queue}.Arn>"
    assert template.find_function_resources(Function.SETTLE, "sqs:SendMessage") == {
        f"<{queue}.Arn>"
    }
    (sweep,) = [
        rule for rule in _list_rules(template) if rule.get("ScheduleExpression") == "rate(1 minute)"
    ]
    config = _get_invoke_config(template, sweep)
    assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (0, 60)
    assert "DestinationConfig" not in config


def test_every_rule_is_enabled_and_may_invoke_only_its_function(
    template: SynthesizedTemplate,
) -> None:
    permissions = template.select_properties("AWS::Lambda::Permission").values()
    events = [p for p in permissions if p["Principal"] == "events.amazonaws.com"]
    allowed = {p["SourceArn"]["Fn::GetAtt"][0]: p["FunctionName"] for p in events}
    assert len(allowed) == len(events)
    for name, rule in template.select_properties("AWS::Events::Rule").items():
        assert rule["State"] == "ENABLED"
        (target,) = rule["Targets"]
        assert allowed.pop(name) == target["Arn"]
    assert not allowed
