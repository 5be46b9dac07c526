"""Properties of DynamoDB transactions added to moto."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models.table import Table

from local.emulator.server import TABLE, Emulator


def _build_conditional_put(key: str, owner: int) -> list[dict[str, Any]]:
    item = {"pk": {"S": key}, "sk": {"S": "claim"}, "Owner": {"N": str(owner)}}
    condition = "attribute_not_exists(pk)"
    return [{"Put": {"TableName": TABLE, "Item": item, "ConditionExpression": condition}}]


def test_a_repeated_transaction_returns_the_first_response(emulator: Emulator) -> None:
    client, key, token = emulator.create_client("dynamodb"), uuid4().hex, uuid4().hex
    for _ in range(2):
        client.transact_write_items(
            TransactItems=_build_conditional_put(key, 1), ClientRequestToken=token
        )
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        client.transact_write_items(TransactItems=_build_conditional_put(key, 2))


def test_one_of_many_concurrent_transactions_succeeds(emulator: Emulator) -> None:
    client, key = emulator.create_client("dynamodb"), uuid4().hex

    def claim(owner: int) -> bool:
        try:
            client.transact_write_items(TransactItems=_build_conditional_put(key, owner))
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, range(32))) == 1


def _make_item(key: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"pk": {"S": key}, "sk": {"S": kind}, **more}


def test_a_failed_transaction_is_rolled_back(emulator: Emulator) -> None:
    client, key = emulator.create_client("dynamodb"), uuid4().hex
    before = [
        _make_item(key, "changed", Count={"N": "1"}),
        _make_item(key, "deleted"),
        _make_item(key, "put"),
    ]
    for item in before:
        client.put_item(TableName=TABLE, Item=item)
    with pytest.raises(ClientError, match=r"\[None, None, None, None, ConditionalCheckFailed\]"):
        client.transact_write_items(
            TransactItems=[
                {
                    "Update": {
                        "TableName": TABLE,
                        "Key": _make_item(key, "changed"),
                        "UpdateExpression": "SET #count = :two",
                        "ExpressionAttributeNames": {"#count": "Count"},
                        "ExpressionAttributeValues": {":two": {"N": "2"}},
                    }
                },
                {"Delete": {"TableName": TABLE, "Key": _make_item(key, "deleted")}},
                {"Put": {"TableName": TABLE, "Item": _make_item(key, "put", Count={"N": "3"})}},
                {"Put": {"TableName": TABLE, "Item": _make_item(key, "new")}},
                {
                    "ConditionCheck": {
                        "TableName": TABLE,
                        "Key": _make_item(key, "missing"),
                        "ConditionExpression": "attribute_exists(pk)",
                    }
                },
            ]
        )
    response = client.query(
        TableName=TABLE,
        KeyConditionExpression="pk = :key",
        ExpressionAttributeValues={":key": {"S": key}},
    )
    assert response["Items"] == before


def test_a_transaction_leaves_no_copy_of_the_table(emulator: Emulator) -> None:
    table: Any = Table
    client, kept = emulator.create_client("dynamodb"), len(table.instances_tracked)
    client.transact_write_items(TransactItems=_build_conditional_put(uuid4().hex, 1))
    assert len(table.instances_tracked) == kept


def test_a_token_with_another_request_is_rejected(emulator: Emulator) -> None:
    client, key, token = emulator.create_client("dynamodb"), uuid4().hex, uuid4().hex
    client.transact_write_items(
        TransactItems=_build_conditional_put(key, 1), ClientRequestToken=token
    )
    with pytest.raises(client.exceptions.IdempotentParameterMismatchException):
        client.transact_write_items(
            TransactItems=_build_conditional_put(uuid4().hex, 2), ClientRequestToken=token
        )
    client.transact_write_items(
        TransactItems=_build_conditional_put(key, 1), ClientRequestToken=token
    )
