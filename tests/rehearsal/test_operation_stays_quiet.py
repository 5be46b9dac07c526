"""After several minutes of operation, the logs contain no errors, and no operation or event is pending.

The name of this file puts it after all other tests that call the stage, so the logs include their calls.
"""

import os
import time
from collections.abc import Iterator
from typing import Any

from tests.rehearsal.account import Account, Deployment
from twofold.settings import PARTITION_KEY, Function, TablePartition, make_function_name

MINUTES = float(os.environ.get("TWOFOLD_REHEARSAL_MINUTES", "10"))
REFUSAL = "OperationRefused"
"""The exception of a step for a caller's error; `test_events.py` causes such an error."""
ALARMING = ('"level":"ERROR"', '"level":"CRITICAL"', "Traceback", "Task timed out", "[ERROR]")


def test_no_function_has_logged_an_error_and_nothing_is_pending(
    account: Account, prod: Deployment
) -> None:
    time.sleep(max(0.0, prod.deployed_at + 60 * MINUTES - time.monotonic()))
    logs = {function: _read_invocations(account, prod, function) for function in Function}
    errors = {
        function.value: [text for text in invocations if _is_error(text)]
        for function, invocations in logs.items()
    }
    assert {name: texts[:3] for name, texts in errors.items() if texts} == {}
    assert {function.value for function, invocations in logs.items() if not invocations} == set()
    for partition in (TablePartition.OUTBOX, TablePartition.OPERATIONS):
        assert _count_items(account, prod, partition) == 0


def _is_error(invocation: str) -> bool:
    return REFUSAL not in invocation and any(word in invocation for word in ALARMING)


def _read_invocations(account: Account, stage: Deployment, function: Function) -> list[str]:
    """Return the log of each invocation of a function."""
    group = f"/aws/lambda/{make_function_name(stage.stage, function)}"
    logs = account.create_client("logs")
    invocations = []
    for page in logs.get_paginator("describe_log_streams").paginate(logGroupName=group):
        for stream in page["logStreams"]:
            text = "\n".join(_read_stream(logs, group, stream["logStreamName"]))
            invocations += text.split("START RequestId")[1:]
    return invocations


def _read_stream(logs: Any, group: str, stream: str) -> Iterator[str]:
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group, logStreamNames=[stream]
    )
    for page in pages:
        for event in page["events"]:
            yield event["message"]


def _count_items(account: Account, stage: Deployment, partition: TablePartition) -> int:
    (table,) = stage.find_resources("AWS::DynamoDB::Table").values()
    response: dict[str, Any] = account.create_client("dynamodb").query(
        TableName=table,
        KeyConditionExpression="#pk = :pk",
        ExpressionAttributeNames={"#pk": PARTITION_KEY},
        ExpressionAttributeValues={":pk": {"S": partition.value}},
    )
    count: int = response["Count"]
    return count
