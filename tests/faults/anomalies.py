"""Reads as DynamoDB may answer them: strongly consistent for each item, and of different moments for several.

BatchGetItem and Query promise nothing about items together. A read of several items is sent as one read for each, and others
have their turn in between. A read that is not strongly consistent may return any older value; the service makes none.
"""

import copy
import json
from collections.abc import Callable
from typing import Any

from botocore.awsrequest import AWSPreparedRequest

Answer = tuple[int, dict[str, str], bytes]
Send = Callable[[AWSPreparedRequest], Answer]
READS = ("GetItem", "BatchGetItem", "Query")


def is_consistent(operation: str, body: dict[str, Any]) -> bool:
    """Whether each item of a read has its last value."""
    if operation != "BatchGetItem":
        return bool(body.get("ConsistentRead"))
    return all(table.get("ConsistentRead") for table in body["RequestItems"].values())


def read_apart(
    operation: str, request: AWSPreparedRequest, send: Send, between: Callable[[], None]
) -> Answer:
    """The answer to a BatchGetItem of one table or a Query, item by item."""
    assert isinstance(request.body, bytes)
    body: dict[str, Any] = json.loads(request.body)
    if operation == "BatchGetItem":
        return _batch_apart(body, request, send, between)
    return _query_apart(body, request, send, between)


def _batch_apart(
    body: dict[str, Any], request: AWSPreparedRequest, send: Send, between: Callable[[], None]
) -> Answer:
    ((name, wanted),) = body["RequestItems"].items()
    items: list[Any] = []
    headers: dict[str, str] = {}
    for number, key in enumerate(wanted["Keys"]):
        if number:
            between()
        single = body | {"RequestItems": {name: wanted | {"Keys": [key]}}}
        status, headers, text = send(_with_body(request, single))
        if status != 200:
            return status, headers, text
        items += json.loads(text)["Responses"].get(name, [])
    return _merged({"Responses": {name: items}, "UnprocessedKeys": {}}, headers)


def _query_apart(
    body: dict[str, Any], request: AWSPreparedRequest, send: Send, between: Callable[[], None]
) -> Answer:
    items: list[Any] = []
    start = body.get("ExclusiveStartKey")
    while True:
        page = body | {"Limit": 1} | ({} if start is None else {"ExclusiveStartKey": start})
        status, headers, text = send(_with_body(request, page))
        if status != 200:
            return status, headers, text
        answer = json.loads(text)
        items += answer["Items"]
        start = answer.get("LastEvaluatedKey")
        if start is None or len(items) >= body.get("Limit", len(items) + 1):
            break
        between()
    merged = {"Items": items, "Count": len(items), "ScannedCount": len(items)}
    return _merged(merged | ({} if start is None else {"LastEvaluatedKey": start}), headers)


def _with_body(request: AWSPreparedRequest, body: dict[str, Any]) -> AWSPreparedRequest:
    single = copy.copy(request)
    single.body = json.dumps(body).encode()
    return single


def _merged(body: dict[str, Any], headers: dict[str, str]) -> Answer:
    """Without the checksum and the length of one of the answers."""
    kept = {
        name: value
        for name, value in headers.items()
        if name.lower() not in ("x-amz-crc32", "content-length")
    }
    return 200, kept, json.dumps(body).encode()
