"""Alarms reach a subscriber of the alarm topic, an output of the stack."""

import json

from tests.rehearsal.account import Account, Deployment
from tests.rehearsal.queues import Queue


def test_an_alarm_arrives_at_a_subscriber_of_the_topic(account: Account, prod: Deployment) -> None:
    queue = Queue.create(account, "alarms", principal="sns.amazonaws.com")
    account.create_client("sns").subscribe(
        TopicArn=prod.outputs["AlarmTopic"], Protocol="sqs", Endpoint=queue.arn
    )
    cloudwatch = account.create_client("cloudwatch")
    alarms = sorted(prod.find_resources("AWS::CloudWatch::Alarm").values())
    assert alarms
    for name in alarms:
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="rehearsal")
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="rehearsal")
    messages = queue.receive_until(lambda bodies: set(alarms) <= _list_alarming(bodies))
    assert _list_alarming(messages) >= set(alarms)


def _list_alarming(bodies: list[str]) -> set[str]:
    """Return the names of alarms in state ALARM."""
    messages = [json.loads(json.loads(body)["Message"]) for body in bodies]
    return {m["AlarmName"] for m in messages if m.get("NewStateValue") == "ALARM"}
