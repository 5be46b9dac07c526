"""Operations that nobody ends are ended from outside: by the rule on ended executions, and by the sweep every minute."""

import json
from threading import Event
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.stack import TABLE, Stack, state_machine_arn
from tests.backstage import Backstage, do, eventually, hold, s3, states
from tests.job import Job, two_labels
from twofold.settings import Function, Workflow


def test_an_aborted_execution_leaves_both_datasets_as_they_were(
    job: Job, stack: Stack, backstage: Backstage
) -> None:
    train, test = job.pair(two_labels(20))
    release = Event()
    with backstage.scene(s3("GET", "entries.index"), hold(release)):
        job.distribute(train, test)
        _abort(stack, job)
        release.set()
    assert eventually(lambda: _swept(stack, job, train))
    for arn in (train, test):
        described = job.settled(arn)
        assert described["Status"] == "UPDATE_FAILED"
        assert described["StatusMessageCode"] == "SERVICE_ERROR"
        assert "nothing was changed" in described["StatusMessage"]
    assert len(job.entries(train)) == 20
    job.distribute(train, test)
    assert job.settled(train)["Status"] == "UPDATE_COMPLETE"


def test_an_api_function_that_dies_after_its_claim_is_caught_up_with(
    job: Job, stack: Stack, backstage: Backstage
) -> None:
    train, test = job.pair(two_labels(20))

    with (
        backstage.scene(states("StartExecution"), do(stack.functions.api.kill)),
        pytest.raises(ClientError),
    ):
        job.distribute(train, test)
    # The request may have reached Step Functions before the function died, as it may in AWS.
    _sweep(stack)
    for operation in _operations(stack, job):
        _age(stack, operation)
    _sweep(stack)
    assert job.settled(train)["Status"] == "UPDATE_COMPLETE"
    assert (len(job.entries(train)), len(job.entries(test))) == (16, 4)


def test_a_running_operation_is_left_alone(job: Job, stack: Stack, backstage: Backstage) -> None:
    train, test = job.pair(two_labels(20))
    release = Event()
    with backstage.scene(s3("GET", "entries.index"), hold(release)):
        job.distribute(train, test)
        for operation in _operations(stack, job):
            _age(stack, operation)
        try:
            _settle_in_the_other_process(stack, job, train)
        finally:
            release.set()
    assert job.settled(train)["Status"] == "UPDATE_COMPLETE"


def _settle_in_the_other_process(stack: Stack, job: Job, train: str) -> None:
    """One step process is held; with a second one the sweep runs beside it."""
    assert stack.functions.steps.size > 1
    _sweep(stack)
    assert job.describe(train)["Status"] == "UPDATE_IN_PROGRESS"


def _sweep(stack: Stack) -> None:
    answer = stack.functions.invoke(Function.SETTLE, b"{}")
    assert not answer.error, answer.payload


def _swept(stack: Stack, job: Job, arn: str) -> bool:
    """An aborted execution ends only when the state that it is in has."""
    _sweep(stack)
    status: str = job.describe(arn)["Status"]
    return status == "UPDATE_FAILED"


def _operations(stack: Stack, job: Job) -> list[dict[str, Any]]:
    """The job's operations that have not ended, as items of the table."""
    found = stack.client("dynamodb").query(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "operations"}},
    )["Items"]
    name = job.project.split("/")[1]
    return [item for item in found if f'"{name}"' in item["Operation"]["S"]]


def _age(stack: Stack, item: dict[str, Any]) -> None:
    """Two minutes pass."""
    operation = json.loads(item["Operation"]["S"])
    operation["Created"] -= 120_000
    item = item | {"Operation": {"S": json.dumps(operation)}}
    stack.client("dynamodb").put_item(TableName=TABLE, Item=item)


def _abort(stack: Stack, job: Job) -> None:
    (item,) = _operations(stack, job)
    arn = state_machine_arn(Workflow.DISTRIBUTE).replace(":stateMachine:", ":execution:")
    stack.client("stepfunctions").stop_execution(
        executionArn=f"{arn}:{json.loads(item['Operation']['S'])['Id']}"
    )
