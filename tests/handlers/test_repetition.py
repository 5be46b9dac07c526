"""A client that lost its answer asks again: the change has been made once, and the answer is the first one's."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any
from uuid import uuid4

import pytest

from local.clients import REGION
from local.functions import ACCOUNT
from local.model import EXTENSION
from local.stack import Stack
from tests.backstage import Backstage, do, hold, json_error, states
from tests.handlers.in_process import Context
from tests.handlers.repetition import CHANGES, Lossy
from tests.job import Job, two_labels
from twofold.handlers import api
from twofold.settings import Function, Operation
from twofold.stores.table import answers

CHANGING = [operation for operation in Operation if operation.changes]


@pytest.fixture
def job(job: Job) -> Job:
    """A job whose client knows Twofold's own operations."""
    return replace(job, models=EXTENSION)


def method(client: Any, operation: Operation) -> Any:
    (name,) = [name for name, of in client.meta.method_to_api_mapping.items() if of == operation]
    return getattr(client, name)


@pytest.mark.parametrize("operation", CHANGING)
def test_a_lost_answer_is_given_again_and_nothing_is_done_twice(
    job: Job, stack: Stack, operation: Operation
) -> None:
    change = CHANGES[operation]
    request = change.prepare(job)
    found: list[object] = []

    def between() -> None:
        change.between(job, request)
        found.append(change.found(job, request))

    lossy = Lossy(stack, between)
    answer = method(lossy.client, operation)(**request)
    assert len(set(lossy.invocations)) == 1
    assert len(lossy.answers) == 2
    assert json.loads(lossy.answers[0]) == json.loads(lossy.answers[1])
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    assert change.found(job, request) == found[0]


@pytest.mark.parametrize("operation", CHANGING)
def test_a_repetition_that_is_in_time_for_the_first_one_s_work_is_answered_too(
    job: Job, stack: Stack, operation: Operation
) -> None:
    request = CHANGES[operation].prepare(job)
    lossy = Lossy(stack)
    method(lossy.client, operation)(**request)
    assert json.loads(lossy.answers[0]) == json.loads(lossy.answers[1])


@dataclass
class Here:
    """The API's handler in this process, on the running stack: as many calls at once as there are threads."""

    arn: str = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:twofold-local-api"
    invocation: str = field(default_factory=lambda: str(uuid4()))

    def call(self, operation: Operation, request: dict[str, Any], **how: str) -> dict[str, Any]:
        event = {
            "resource": "/",
            "httpMethod": "POST",
            "headers": {
                "X-Amz-Target": f"RekognitionService.{operation}",
                "Content-Type": "application/x-amz-json-1.1",
                "amz-sdk-invocation-id": how.get("invocation", self.invocation),
            },
            "requestContext": {
                "requestId": str(uuid4()),
                "identity": {"userArn": how.get("caller", "me")},
            },
            "body": json.dumps(request),
            "isBase64Encoded": False,
        }
        answer = api.handler(event, Context(self.arn))
        return {"HTTP": answer["statusCode"], **json.loads(answer["body"])}


@pytest.fixture
def here(as_the_api: None) -> Here:
    return Here()


def made(job: Job) -> dict[str, Any]:
    return {"ProjectArn": job.project, "DatasetType": "TRAIN"}


@pytest.mark.parametrize(
    "operation",
    [one for one in CHANGING if not one.startswith("Update")],  # its bytes are no JSON
)
def test_attempts_at_the_same_time_make_one_change_and_have_one_answer(
    job: Job, here: Here, operation: Operation
) -> None:
    request = CHANGES[operation].prepare(job)
    with ThreadPoolExecutor(8) as threads:
        attempts = [threads.submit(here.call, operation, request) for _ in range(8)]
    given = {json.dumps(attempt.result(), sort_keys=True) for attempt in attempts}
    assert len(given) == 1
    assert '"HTTP": 200' in given.pop()


@pytest.mark.parametrize(
    ("name", "other"), [("caller", "someone else"), ("invocation", "another-invocation")]
)
def test_another_caller_or_invocation_is_another_call(
    job: Job, here: Here, name: str, other: str
) -> None:
    assert here.call(Operation.CREATE_DATASET, made(job))["HTTP"] == 200
    again = here.call(Operation.CREATE_DATASET, made(job), **{name: other})
    assert again["__type"] == "ResourceAlreadyExistsException"


def test_another_body_with_the_same_invocation_is_another_call(job: Job, here: Here) -> None:
    first = here.call(Operation.CREATE_DATASET, made(job))
    second = here.call(Operation.CREATE_DATASET, made(job) | {"DatasetType": "TEST"})
    assert second["HTTP"] == 200
    assert first["DatasetArn"] != second["DatasetArn"]


def test_a_refused_call_may_be_right_when_it_is_repeated(job: Job, here: Here) -> None:
    train = job.create("TRAIN")
    request = made(job)
    assert here.call(Operation.CREATE_DATASET, request)["HTTP"] == 400
    job.client.delete_dataset(DatasetArn=train)
    assert here.call(Operation.CREATE_DATASET, request)["HTTP"] == 200


def test_an_answer_is_kept_for_more_than_an_hour(job: Job, stack: Stack, here: Here) -> None:
    begun = time.time()
    request = made(job)
    here.call(Operation.CREATE_DATASET, request)
    call = answers.key(
        "me", Operation.CREATE_DATASET, here.invocation, json.dumps(request).encode()
    )
    item = stack.client("dynamodb").get_item(
        TableName=stack.functions.environments[Function.API]["TWOFOLD_TABLE"],
        Key={"pk": {"S": f"answer#{call}"}, "sk": {"S": "answer"}},
    )["Item"]
    assert int(item["expires"]["N"]) > begun + 3_600


def test_a_call_without_an_invocation_id_is_kept_no_answer_for(job: Job, here: Here) -> None:
    assert here.call(Operation.CREATE_DATASET, made(job), invocation="")["HTTP"] == 200
    again = here.call(Operation.CREATE_DATASET, made(job), invocation="")
    assert again["__type"] == "ResourceAlreadyExistsException"


def test_a_call_whose_function_died_after_the_change_is_answered_when_repeated(
    job: Job, stack: Stack, backstage: Backstage
) -> None:
    train, test = job.pair(two_labels(20))

    client = stack.client("rekognition")
    with backstage.scene(states("StartExecution"), do(stack.functions.api.kill), times=1):
        answer = client.distribute_dataset_entries(Datasets=[{"Arn": train}, {"Arn": test}])
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    assert job.describe(train)["Status"].startswith("UPDATE_")


def test_a_change_that_was_taken_back_is_made_when_it_is_repeated(
    job: Job, stack: Stack, backstage: Backstage
) -> None:
    train, test = job.pair(two_labels(20))
    broken = json_error(400, "ExecutionLimitExceeded")
    client = stack.client("rekognition")
    with backstage.scene(states("StartExecution"), broken, times=1):
        answer = client.distribute_dataset_entries(Datasets=[{"Arn": train}, {"Arn": test}])
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    assert job.settled(train)["Status"] == "UPDATE_COMPLETE"
    assert (len(job.entries(train)), len(job.entries(test))) == (16, 4)


def test_a_change_whose_answer_was_given_again_is_not_taken_back(
    job: Job, here: Here, backstage: Backstage
) -> None:
    """The first attempt hangs before the start of its workflow, a second one is answered, then the start fails."""
    source = job.source(two_labels(20))
    request = made(job) | {"DatasetSource": source}
    release, reached = Event(), Event()
    broken = json_error(400, "ExecutionLimitExceeded")

    def late(incoming: Any) -> Any:
        reached.set()
        hold(release)(incoming)
        return broken(incoming)

    with (
        backstage.scene(states("StartExecution"), late, times=1),
        ThreadPoolExecutor(1) as threads,
    ):
        first = threads.submit(here.call, Operation.CREATE_DATASET, request)
        assert reached.wait(60)
        second = here.call(Operation.CREATE_DATASET, request)
        release.set()
    assert second["HTTP"] == 200
    assert first.result() == second
    assert job.describe(second["DatasetArn"])["Status"] == "CREATE_IN_PROGRESS"


def test_a_call_that_found_nothing_to_change_changes_nothing_when_it_is_repeated(
    job: Job, stack: Stack
) -> None:
    """The first attempt finds the distribution reverted; before the second, others distribute anew."""
    change = CHANGES[Operation.REVERT_DATASET_DISTRIBUTION]
    request = change.prepare(job)
    job.client.revert_dataset_distribution(**request)
    lossy = Lossy(stack, lambda: change.between(job, request))
    lossy.client.revert_dataset_distribution(**request)
    counts = [one["DatasetStats"]["TotalEntries"] for one in change.found(job, request)]
    assert sorted(counts) == [4, 16]
