"""Whoever has a rule hears of each settled operation, also if a function dies before it has sent the event."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema  # type: ignore[import-untyped]
import pytest

from local.stack import TABLE, Stack
from tests.backstage import Backstage, eventually, json_error
from tests.job import Job, two_labels
from twofold.settings import Function

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "clients" / "events" / "operation-settled.schema.json").read_text())
PAGE = (ROOT / "docs" / "events.md").read_text()


class Queue:
    """The target of a rule."""

    def __init__(self, stack: Stack, pattern: dict[str, Any]) -> None:
        name = f"events-{uuid4().hex[:8]}"
        self._sqs = stack.client("sqs")
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        wanted = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        events = stack.client("events")
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        target = {"Id": "queue", "Arn": wanted["Attributes"]["QueueArn"]}
        events.put_targets(Rule=name, Targets=[target])
        self.heard: list[dict[str, Any]] = []

    def hears(self, count: int) -> bool:
        answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
        self.heard += [json.loads(one["Body"]) for one in answer.get("Messages", [])]
        return len(self.heard) >= count


@pytest.fixture
def queue(stack: Stack, job: Job) -> Queue:
    """Hears of this test's own project, by a rule that has the page's pattern in it."""
    (text,) = re.findall(r"^```json\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    pattern = json.loads(text)
    assert pattern.pop("detail") == {
        "operation": ["DISTRIBUTE"],
        "outcome": ["SUCCEEDED"],
        "dryRun": [False],
    }
    return Queue(stack, pattern | {"detail": {"projectName": [job.project.split("/")[1]]}})


def outbox(stack: Stack) -> int:
    answer = stack.client("dynamodb").query(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "outbox"}},
    )
    return len(answer["Items"])


def test_each_settled_operation_is_told_and_as_the_schema_says(job: Job, queue: Queue) -> None:
    train, test = job.pair(two_labels(30))
    job.distribute(train, test)
    job.settled(test)
    job.client.update_dataset_entries(DatasetArn=test, Changes={"GroundTruth": b"no manifest"})
    assert job.settled(test)["Status"] == "UPDATE_FAILED"
    assert eventually(lambda: queue.hears(3))
    for event in queue.heard:
        jsonschema.validate(event["detail"], SCHEMA)
        assert event["detail-type"] == "Twofold Operation Settled"
    told = {event["detail"]["operation"]: event for event in queue.heard}
    assert told["DISTRIBUTE"]["resources"] == [train, test]
    assert told["DISTRIBUTE"]["detail"]["outcome"] == "SUCCEEDED"
    assert told["CREATE"]["detail"]["status"] == "CREATE_COMPLETE"
    failed = told["UPDATE"]["detail"]
    assert (failed["outcome"], failed["statusMessageCode"]) == ("FAILED", "CLIENT_ERROR")
    assert failed["statusMessage"] == job.describe(test)["StatusMessage"]


def test_an_event_that_was_not_sent_is_sent_by_the_sweep(
    job: Job, queue: Queue, stack: Stack, backstage: Backstage
) -> None:
    with backstage.scene(
        lambda request: request.headers.get("X-Amz-Target") == "AWSEvents.PutEvents",
        json_error(500, "InternalException"),
    ):
        train = job.create("TRAIN", two_labels(30))
        assert job.settled(train)["Status"] == "CREATE_COMPLETE"
        assert eventually(lambda: outbox(stack) > 0)
        # Not later: the stack sweeps by itself, too.
        assert not queue.hears(1)
    assert eventually(lambda: not stack.functions.invoke(Function.SETTLE, b"{}").error)
    assert eventually(lambda: queue.hears(1))
    assert queue.heard[0]["detail"]["datasets"] == [{"type": "TRAIN", "arn": train}]
    assert outbox(stack) == 0
