"""After some time of operation no function has logged an error, and nothing is left to be settled or sent.

This file is the last of its group, so the time includes all that the others did.
"""

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.rehearsal.account import Account, Deployment
from twofold.settings import PARTITION_KEY, Function, Partition, function_name

pytestmark = pytest.mark.xdist_group("operation")

MINUTES = float(os.environ.get("TWOFOLD_REHEARSAL_MINUTES", "10"))
ALARMING = ('"level":"ERROR"', '"level":"CRITICAL"', "Traceback", "Task timed out", "[ERROR]")


def test_no_function_has_logged_an_error_and_nothing_is_left(
    account: Account, prod: Deployment
) -> None:
    time.sleep(max(0.0, prod.deployed_at + 60 * MINUTES - time.monotonic()))
    messages = {function: list(_read_log(account, prod, function)) for function in Function}
    errors = {
        function.value: [text for text in texts if any(word in text for word in ALARMING)]
        for function, texts in messages.items()
    }
    assert {name: texts[:3] for name, texts in errors.items() if texts} == {}
    assert {function.value for function, texts in messages.items() if not texts} == set()
    for partition in (Partition.OUTBOX, Partition.OPERATIONS):
        assert _count_items(account, prod, partition) == 0


def _read_log(account: Account, stage: Deployment, function: Function) -> Iterator[str]:
    group = f"/aws/lambda/{function_name(stage.stage, function)}"
    pages = account.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    for page in pages:
        for event in page["events"]:
            yield event["message"]


def _count_items(account: Account, stage: Deployment, partition: Partition) -> int:
    (table,) = stage.find_resources("AWS::DynamoDB::Table").values()
    answer: dict[str, Any] = account.client("dynamodb").query(
        TableName=table,
        KeyConditionExpression="#pk = :pk",
        ExpressionAttributeNames={"#pk": PARTITION_KEY},
        ExpressionAttributeValues={":pk": {"S": partition.value}},
    )
    count: int = answer["Count"]
    return count
