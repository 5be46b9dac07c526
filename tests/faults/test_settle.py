"""Settle ends operations after the end of an execution, for an EventBridge event and on schedule."""

import json
from threading import Event
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.emulator.server import TABLE, Emulator, build_state_machine_arn
from tests.support.job import Job, make_two_label_lines
from tests.support.request_interceptor import (
    RequestInterceptor,
    hold_until,
    match_s3,
    match_step_functions,
    run_action,
    wait_until,
)
from twofold.settings import Function, Workflow


def test_an_aborted_execution_leaves_both_datasets_unchanged(
    job: Job, emulator: Emulator, request_interceptor: RequestInterceptor
) -> None:
    train, test = job.create_pair(make_two_label_lines(20))
    release = Event()
    with request_interceptor.add_rule(match_s3("GET", "entries.index"), hold_until(release)):
        job.start_distribution(train, test)
        _abort(emulator, job)
        release.set()
    assert wait_until(lambda: _sweep_until_failed(emulator, job, train))
    for arn in (train, test):
        described = job.wait_for_dataset(arn)
        assert described["Status"] == "UPDATE_FAILED"
        assert described["StatusMessageCode"] == "SERVICE_ERROR"
        assert "nothing was changed" in described["StatusMessage"]
    assert len(job.list_entries(train)) == 20
    job.start_distribution(train, test)
    assert job.wait_for_dataset(train)["Status"] == "UPDATE_COMPLETE"


def test_settle_starts_an_operation_whose_api_function_died_after_the_claim(
    job: Job, emulator: Emulator, request_interceptor: RequestInterceptor
) -> None:
    train, test = job.create_pair(make_two_label_lines(20))

    with (
        request_interceptor.add_rule(
            match_step_functions("StartExecution"), run_action(emulator.functions.api_pool.kill)
        ),
        pytest.raises(ClientError),
    ):
        job.start_distribution(train, test)
    # The request may have reached Step Functions before the function died, as it may in AWS.
    _sweep(emulator)
    for operation in _list_operations(emulator, job):
        _age_operation(emulator, operation)
    _sweep(emulator)
    assert job.wait_for_dataset(train)["Status"] == "UPDATE_COMPLETE"
    assert (len(job.list_entries(train)), len(job.list_entries(test))) == (16, 4)


def test_settle_does_not_end_a_running_operation(
    job: Job, emulator: Emulator, request_interceptor: RequestInterceptor
) -> None:
    train, test = job.create_pair(make_two_label_lines(20))
    release = Event()
    with request_interceptor.add_rule(match_s3("GET", "entries.index"), hold_until(release)):
        job.start_distribution(train, test)
        for operation in _list_operations(emulator, job):
            _age_operation(emulator, operation)
        try:
            _settle_in_second_worker(emulator, job, train)
        finally:
            release.set()
    assert job.wait_for_dataset(train)["Status"] == "UPDATE_COMPLETE"


def _settle_in_second_worker(emulator: Emulator, job: Job, train: str) -> None:
    """Run Settle in a second worker process, while the first process is held."""
    assert emulator.functions.workflow_pool.size > 1
    _sweep(emulator)
    assert job.describe(train)["Status"] == "UPDATE_IN_PROGRESS"


def _sweep(emulator: Emulator) -> None:
    answer = emulator.functions.invoke(Function.SETTLE, b"{}")
    assert not answer.error, answer.payload


def _sweep_until_failed(emulator: Emulator, job: Job, arn: str) -> bool:
    """Run Settle; return whether the dataset has failed. An aborted execution ends after the present state."""
    _sweep(emulator)
    status: str = job.describe(arn)["Status"]
    return status == "UPDATE_FAILED"


def _list_operations(emulator: Emulator, job: Job) -> list[dict[str, Any]]:
    """Return the job's active operations as items of the table."""
    items = emulator.create_client("dynamodb").query(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "operations"}},
    )["Items"]
    name = job.project.split("/")[1]
    return [item for item in items if f'"{name}"' in item["Operation"]["S"]]


def _age_operation(emulator: Emulator, item: dict[str, Any]) -> None:
    """Make an operation two minutes older."""
    operation = json.loads(item["Operation"]["S"])
    operation["Created"] -= 120_000
    item = item | {"Operation": {"S": json.dumps(operation)}}
    emulator.create_client("dynamodb").put_item(TableName=TABLE, Item=item)


def _abort(emulator: Emulator, job: Job) -> None:
    (item,) = _list_operations(emulator, job)
    arn = build_state_machine_arn(Workflow.DISTRIBUTE).replace(":stateMachine:", ":execution:")
    emulator.create_client("stepfunctions").stop_execution(
        executionArn=f"{arn}:{json.loads(item['Operation']['S'])['Id']}"
    )
