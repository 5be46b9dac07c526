"""Each ended operation sends an event, even if a function fails before sending."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema  # type: ignore[import-untyped]
import pytest

from local.emulator.server import TABLE, Emulator
from local.model import EXTENSION
from tests.support.job import Job, make_two_label_lines
from tests.support.request_interceptor import RequestInterceptor, answer_json_error, wait_until
from twofold.settings import Function

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "clients" / "events" / "operation-settled.schema.json").read_text())
PAGE = (ROOT / "docs" / "events.md").read_text()


class EventQueue:
    """An SQS queue as the target of a rule."""

    def __init__(self, emulator: Emulator, pattern: dict[str, Any]) -> None:
        name = f"events-{uuid4().hex[:8]}"
        self._sqs = emulator.create_client("sqs")
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        wanted = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        events = emulator.create_client("events")
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        target = {"Id": "queue", "Arn": wanted["Attributes"]["QueueArn"]}
        events.put_targets(Rule=name, Targets=[target])
        self.received: list[dict[str, Any]] = []

    def has_received(self, count: int) -> bool:
        """Receive events and return whether `count` different events have arrived; an event can arrive twice."""
        response = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
        self.received += [json.loads(message["Body"]) for message in response.get("Messages", [])]
        return len({event["detail"]["eventId"] for event in self.received}) >= count


@pytest.fixture
def queue(emulator: Emulator, job: Job) -> EventQueue:
    """A queue for the events of this test's project, by a rule with the pattern of docs/events.md."""
    (text,) = re.findall(r"^```json\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    pattern = json.loads(text)
    assert pattern.pop("detail") == {
        "operation": ["DISTRIBUTE"],
        "outcome": ["SUCCEEDED"],
        "dryRun": [False],
    }
    return EventQueue(emulator, pattern | {"detail": {"projectName": [job.project.split("/")[1]]}})


def count_outbox_items(emulator: Emulator) -> int:
    response = emulator.create_client("dynamodb").query(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "outbox"}},
    )
    return len(response["Items"])


def test_each_ended_operation_sends_an_event_that_matches_the_schema(
    job: Job, queue: EventQueue
) -> None:
    train, test = job.create_pair(make_two_label_lines(30))
    job.start_distribution(train, test)
    job.wait_for_dataset(test)
    job.client.update_dataset_entries(DatasetArn=test, Changes={"GroundTruth": b"no manifest"})
    assert job.wait_for_dataset(test)["Status"] == "UPDATE_FAILED"
    assert wait_until(lambda: queue.has_received(3))
    for event in queue.received:
        jsonschema.validate(event["detail"], SCHEMA)
        assert event["detail-type"] == "Twofold Operation Settled"
    events_by_operation = {event["detail"]["operation"]: event for event in queue.received}
    assert events_by_operation["DISTRIBUTE"]["resources"] == [train, test]
    assert events_by_operation["DISTRIBUTE"]["detail"]["outcome"] == "SUCCEEDED"
    assert events_by_operation["CREATE"]["detail"]["status"] == "CREATE_COMPLETE"
    failed = events_by_operation["UPDATE"]["detail"]
    assert (failed["outcome"], failed["statusMessageCode"]) == ("FAILED", "CLIENT_ERROR")
    assert failed["statusMessage"] == job.describe(test)["StatusMessage"]


def test_settle_sends_an_unsent_event(
    job: Job, queue: EventQueue, emulator: Emulator, request_interceptor: RequestInterceptor
) -> None:
    with request_interceptor.add_rule(
        lambda request: request.headers.get("X-Amz-Target") == "AWSEvents.PutEvents",
        answer_json_error(500, "InternalException"),
    ):
        train = job.create_dataset("TRAIN", make_two_label_lines(30))
        assert job.wait_for_dataset(train)["Status"] == "CREATE_COMPLETE"
        assert wait_until(lambda: count_outbox_items(emulator) > 0)
        # Checked at once: the emulator runs Settle on its schedule, too.
        assert not queue.has_received(1)
    assert wait_until(lambda: not emulator.functions.invoke(Function.SETTLE, b"{}").error)
    assert wait_until(lambda: queue.has_received(1))
    assert queue.received[0]["detail"]["datasets"] == [{"type": "TRAIN", "arn": train}]
    assert count_outbox_items(emulator) == 0


def test_the_event_of_a_distribution_that_keeps_test_entries_says_so(
    job: Job, queue: EventQueue
) -> None:
    train, test = job.create_pair(make_two_label_lines(30))
    extended = replace(job, models=EXTENSION)
    for _ in range(2):
        extended.client.distribute_dataset_entries(
            Datasets=[{"Arn": train}, {"Arn": test}], KeepTest=True
        )
        assert job.wait_for_dataset(test)["Status"] == "UPDATE_COMPLETE"
    extended.client.revert_dataset_distribution(ProjectArn=job.project)
    assert wait_until(lambda: queue.has_received(4))
    details = {event["detail"]["eventId"]: event["detail"] for event in queue.received}
    for detail in details.values():
        jsonschema.validate(detail, SCHEMA)
    kept = sorted(detail["operation"] for detail in details.values() if "keepTest" in detail)
    assert kept == ["DISTRIBUTE", "REVERT"]
    # The first distribution found an empty test dataset.
    assert len(details) == 4
