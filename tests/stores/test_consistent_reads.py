"""Every read of the table is strongly consistent. moto ignores the parameter, so the test checks the requests."""

from typing import Any
from uuid import uuid4

import boto3

from local.emulator.table_schema import TABLE_SCHEMA
from twofold.stores.table import Table, connection


def test_every_read_requests_strong_consistency(aws: None) -> None:
    name, asked = f"reads-{uuid4().hex}", dict[str, bool]()
    dynamodb: Any = boto3.client("dynamodb")
    dynamodb.create_table(TableName=name, **TABLE_SCHEMA)

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        reads = params.get("RequestItems", {}).get(name, params)
        asked[model.name] = reads.get("ConsistentRead", False)

    events = connection.get_client().meta.events
    events.register("provide-client-params.dynamodb", note)
    try:
        table = Table(name)
        assert table.get("a", "b") is None
        assert table.get_many([("a", "b")]) == {}
        assert table.query("a") == list(table.query_all("a")) == []
    finally:
        events.unregister("provide-client-params.dynamodb", note)
    assert asked == {"GetItem": True, "BatchGetItem": True, "Query": True}
