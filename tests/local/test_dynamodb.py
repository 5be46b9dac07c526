"""The local stack's DynamoDB keeps the promises of transactions that moto's does not."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models.table import Table

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


def _item(key: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"pk": {"S": key}, "sk": {"S": kind}, **more}


def test_a_transaction_that_fails_is_taken_back_whole(stack: Stack) -> None:
    client, key = stack.client("dynamodb"), uuid4().hex
    before = [_item(key, "changed", Count={"N": "1"}), _item(key, "deleted"), _item(key, "put")]
    for item in before:
        client.put_item(TableName=TABLE, Item=item)
    with pytest.raises(ClientError, match=r"\[None, None, None, None, ConditionalCheckFailed\]"):
        client.transact_write_items(
            TransactItems=[
                {
                    "Update": {
                        "TableName": TABLE,
                        "Key": _item(key, "changed"),
                        "UpdateExpression": "SET #count = :two",
                        "ExpressionAttributeNames": {"#count": "Count"},
                        "ExpressionAttributeValues": {":two": {"N": "2"}},
                    }
                },
                {"Delete": {"TableName": TABLE, "Key": _item(key, "deleted")}},
                {"Put": {"TableName": TABLE, "Item": _item(key, "put", Count={"N": "3"})}},
                {"Put": {"TableName": TABLE, "Item": _item(key, "new")}},
                {
                    "ConditionCheck": {
                        "TableName": TABLE,
                        "Key": _item(key, "missing"),
                        "ConditionExpression": "attribute_exists(pk)",
                    }
                },
            ]
        )
    found = client.query(
        TableName=TABLE,
        KeyConditionExpression="pk = :key",
        ExpressionAttributeValues={":key": {"S": key}},
    )
    assert found["Items"] == before


def test_a_transaction_leaves_no_copy_of_the_table(stack: Stack) -> None:
    table: Any = Table
    client, kept = stack.client("dynamodb"), len(table.instances_tracked)
    client.transact_write_items(TransactItems=_put_once(uuid4().hex, 1))
    assert len(table.instances_tracked) == kept


def test_a_token_that_comes_with_another_request_is_refused(stack: Stack) -> None:
    client, key, token = stack.client("dynamodb"), uuid4().hex, uuid4().hex
    client.transact_write_items(TransactItems=_put_once(key, 1), ClientRequestToken=token)
    with pytest.raises(client.exceptions.IdempotentParameterMismatchException):
        client.transact_write_items(
            TransactItems=_put_once(uuid4().hex, 2), ClientRequestToken=token
        )
    client.transact_write_items(TransactItems=_put_once(key, 1), ClientRequestToken=token)
