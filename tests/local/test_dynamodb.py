"""The local stack's DynamoDB keeps the promises of transactions that moto's does not."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from local.stack import TABLE, Stack


def _put_once(key: str, owner: int) -> list[dict[str, Any]]:
    item = {"pk": {"S": key}, "sk": {"S": "claim"}, "Owner": {"N": str(owner)}}
    condition = "attribute_not_exists(pk)"
    return [{"Put": {"TableName": TABLE, "Item": item, "ConditionExpression": condition}}]


def test_a_repeated_transaction_is_answered_as_the_first_time(stack: Stack) -> None:
    client, key, token = stack.client("dynamodb"), uuid4().hex, uuid4().hex
    for _ in range(2):
        client.transact_write_items(TransactItems=_put_once(key, 1), ClientRequestToken=token)
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        client.transact_write_items(TransactItems=_put_once(key, 2))


def test_of_many_transactions_at_once_one_wins(stack: Stack) -> None:
    client, key = stack.client("dynamodb"), uuid4().hex

    def claims(owner: int) -> bool:
        try:
            client.transact_write_items(TransactItems=_put_once(key, owner))
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claims, range(32))) == 1
