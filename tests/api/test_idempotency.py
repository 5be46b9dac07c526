"""After a lost response, a retry gets the same response without a second change."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from typing import Any

import pytest

from local.emulator.server import Emulator
from local.model import EXTENSION
from tests.api.in_process_handler import InProcessHandler
from tests.api.mutations import MUTATION_CASES, LossyClient
from tests.support.job import Job, make_two_label_lines
from tests.support.request_interceptor import (
    RequestInterceptor,
    answer_json_error,
    hold_until,
    match_step_functions,
    run_action,
)
from twofold.settings import ApiOperation, Function
from twofold.stores.table import calls

MUTATIONS = [operation for operation in ApiOperation if operation.is_mutation]


@pytest.fixture
def job(job: Job) -> Job:
    """A job whose client knows Twofold's own operations."""
    return replace(job, models=EXTENSION)


def get_method(client: Any, operation: ApiOperation) -> Any:
    (name,) = [name for name, of in client.meta.method_to_api_mapping.items() if of == operation]
    return getattr(client, name)


@pytest.mark.parametrize("operation", MUTATIONS)
def test_a_retry_after_a_lost_response_gets_the_same_response_without_a_second_change(
    job: Job, emulator: Emulator, operation: ApiOperation
) -> None:
    change = MUTATION_CASES[operation]
    request = change.prepare(job)
    states: list[object] = []

    def interfere() -> None:
        change.interfere(job, request)
        states.append(change.read_state(job, request))

    lossy = LossyClient(emulator, interfere)
    response = get_method(lossy.client, operation)(**request)
    assert len(set(lossy.invocation_ids)) == 1
    assert len(lossy.response_bodies) == 2
    assert json.loads(lossy.response_bodies[0]) == json.loads(lossy.response_bodies[1])
    assert response["ResponseMetadata"]["RetryAttempts"] == 1
    assert change.read_state(job, request) == states[0]


@pytest.mark.parametrize("operation", MUTATIONS)
def test_a_retry_during_the_first_workflow_gets_the_same_response(
    job: Job, emulator: Emulator, operation: ApiOperation
) -> None:
    request = MUTATION_CASES[operation].prepare(job)
    lossy = LossyClient(emulator)
    get_method(lossy.client, operation)(**request)
    assert json.loads(lossy.response_bodies[0]) == json.loads(lossy.response_bodies[1])


@pytest.fixture
def in_process_handler(api_environment: None) -> InProcessHandler:
    return InProcessHandler()


def make_create_request(job: Job) -> dict[str, Any]:
    return {"ProjectArn": job.project, "DatasetType": "TRAIN"}


@pytest.mark.parametrize(
    "operation",
    [
        operation for operation in MUTATIONS if not operation.startswith("Update")
    ],  # its bytes are no JSON
)
def test_concurrent_attempts_make_one_change_and_get_one_response(
    job: Job, in_process_handler: InProcessHandler, operation: ApiOperation
) -> None:
    request = MUTATION_CASES[operation].prepare(job)
    with ThreadPoolExecutor(8) as threads:
        attempts = [threads.submit(in_process_handler.call, operation, request) for _ in range(8)]
    responses = {json.dumps(attempt.result(), sort_keys=True) for attempt in attempts}
    assert len(responses) == 1
    assert '"HTTP": 200' in responses.pop()


@pytest.mark.parametrize(
    ("name", "other"), [("caller", "someone else"), ("invocation", "another-invocation")]
)
def test_another_caller_or_invocation_is_another_call(
    job: Job, in_process_handler: InProcessHandler, name: str, other: str
) -> None:
    assert (
        in_process_handler.call(ApiOperation.CREATE_DATASET, make_create_request(job))["HTTP"]
        == 200
    )
    again = in_process_handler.call(
        ApiOperation.CREATE_DATASET, make_create_request(job), **{name: other}
    )
    assert again["__type"] == "ResourceAlreadyExistsException"


def test_another_body_with_the_same_invocation_is_another_call(
    job: Job, in_process_handler: InProcessHandler
) -> None:
    first = in_process_handler.call(ApiOperation.CREATE_DATASET, make_create_request(job))
    second = in_process_handler.call(
        ApiOperation.CREATE_DATASET, make_create_request(job) | {"DatasetType": "TEST"}
    )
    assert second["HTTP"] == 200
    assert first["DatasetArn"] != second["DatasetArn"]


def test_a_rejected_call_can_succeed_when_it_is_retried(
    job: Job, in_process_handler: InProcessHandler
) -> None:
    train = job.create_dataset("TRAIN")
    request = make_create_request(job)
    assert in_process_handler.call(ApiOperation.CREATE_DATASET, request)["HTTP"] == 400
    job.client.delete_dataset(DatasetArn=train)
    assert in_process_handler.call(ApiOperation.CREATE_DATASET, request)["HTTP"] == 200


def test_a_response_is_stored_for_more_than_an_hour(
    job: Job, emulator: Emulator, in_process_handler: InProcessHandler
) -> None:
    begun = time.time()
    request = make_create_request(job)
    in_process_handler.call(ApiOperation.CREATE_DATASET, request)
    call = calls.derive_call_key(
        "me",
        ApiOperation.CREATE_DATASET,
        in_process_handler.invocation,
        json.dumps(request).encode(),
    )
    item = emulator.create_client("dynamodb").get_item(
        TableName=emulator.functions.environments[Function.API]["TWOFOLD_TABLE"],
        Key={"pk": {"S": f"answer#{call}"}, "sk": {"S": "answer"}},
    )["Item"]
    assert int(item["expires"]["N"]) > begun + 3_600


def test_a_call_without_an_invocation_id_stores_no_response(
    job: Job, in_process_handler: InProcessHandler
) -> None:
    assert (
        in_process_handler.call(
            ApiOperation.CREATE_DATASET, make_create_request(job), invocation=""
        )["HTTP"]
        == 200
    )
    again = in_process_handler.call(
        ApiOperation.CREATE_DATASET, make_create_request(job), invocation=""
    )
    assert again["__type"] == "ResourceAlreadyExistsException"


def test_a_retry_after_a_crash_gets_the_stored_response(
    job: Job, emulator: Emulator, request_interceptor: RequestInterceptor
) -> None:
    train, test = job.create_pair(make_two_label_lines(20))

    client = emulator.create_client("rekognition")
    with request_interceptor.add_rule(
        match_step_functions("StartExecution"),
        run_action(emulator.functions.api_pool.kill),
        times=1,
    ):
        response = client.distribute_dataset_entries(Datasets=[{"Arn": train}, {"Arn": test}])
    assert response["ResponseMetadata"]["RetryAttempts"] == 1
    assert job.describe(train)["Status"].startswith("UPDATE_")


def test_a_retry_after_a_reverted_change_makes_the_change(
    job: Job, emulator: Emulator, request_interceptor: RequestInterceptor
) -> None:
    train, test = job.create_pair(make_two_label_lines(20))
    broken = answer_json_error(400, "ExecutionLimitExceeded")
    client = emulator.create_client("rekognition")
    with request_interceptor.add_rule(match_step_functions("StartExecution"), broken, times=1):
        response = client.distribute_dataset_entries(Datasets=[{"Arn": train}, {"Arn": test}])
    assert response["ResponseMetadata"]["RetryAttempts"] == 1
    assert job.wait_for_dataset(train)["Status"] == "UPDATE_COMPLETE"
    assert (len(job.list_entries(train)), len(job.list_entries(test))) == (16, 4)


def test_a_change_is_not_reverted_after_a_retry_got_its_response(
    job: Job, in_process_handler: InProcessHandler, request_interceptor: RequestInterceptor
) -> None:
    """The first attempt hangs before the start of the workflow, a second attempt gets the response, then the start fails."""
    source = job.upload_source(make_two_label_lines(20))
    request = make_create_request(job) | {"DatasetSource": source}
    release, reached = Event(), Event()
    broken = answer_json_error(400, "ExecutionLimitExceeded")

    def fail_late(incoming: Any) -> Any:
        reached.set()
        hold_until(release)(incoming)
        return broken(incoming)

    with (
        request_interceptor.add_rule(match_step_functions("StartExecution"), fail_late, times=1),
        ThreadPoolExecutor(1) as threads,
    ):
        first = threads.submit(in_process_handler.call, ApiOperation.CREATE_DATASET, request)
        assert reached.wait(60)
        second = in_process_handler.call(ApiOperation.CREATE_DATASET, request)
        release.set()
    assert second["HTTP"] == 200
    assert first.result() == second
    assert job.describe(second["DatasetArn"])["Status"] == "CREATE_IN_PROGRESS"


def test_a_retry_of_a_call_without_a_change_changes_nothing(job: Job, emulator: Emulator) -> None:
    """The first attempt finds a reverted distribution; before the retry, another call distributes again."""
    change = MUTATION_CASES[ApiOperation.REVERT_DATASET_DISTRIBUTION]
    request = change.prepare(job)
    job.client.revert_dataset_distribution(**request)
    lossy = LossyClient(emulator, lambda: change.interfere(job, request))
    lossy.client.revert_dataset_distribution(**request)
    counts = [
        dataset["DatasetStats"]["TotalEntries"] for dataset in change.read_state(job, request)
    ]
    assert sorted(counts) == [4, 16]
