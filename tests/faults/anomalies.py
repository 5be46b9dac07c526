"""Reads of several items at different times, as permitted by DynamoDB: BatchGetItem and Query are consistent for each item
only.

A read of several items is sent item by item, and other processes run in between. A read without strong consistency may
return any older value; the service makes no such reads.
"""

import copy
import json
from collections.abc import Callable
from typing import Any

from botocore.awsrequest import AWSPreparedRequest

HttpResponse = tuple[int, dict[str, str], bytes]
Send = Callable[[AWSPreparedRequest], HttpResponse]
READS = ("GetItem", "BatchGetItem", "Query")


def is_consistent(operation: str, body: dict[str, Any]) -> bool:
    """Return whether a read is strongly consistent."""
    if operation != "BatchGetItem":
        return bool(body.get("ConsistentRead"))
    return all(table.get("ConsistentRead") for table in body["RequestItems"].values())


def read_separately(
    operation: str, request: AWSPreparedRequest, send: Send, between: Callable[[], None]
) -> HttpResponse:
    """Send a BatchGetItem of one table, or a Query, item by item; return a combined response."""
    assert isinstance(request.body, bytes)
    body: dict[str, Any] = json.loads(request.body)
    if operation == "BatchGetItem":
        return _read_batch(body, request, send, between)
    return _read_query(body, request, send, between)


def _read_batch(
    body: dict[str, Any], request: AWSPreparedRequest, send: Send, between: Callable[[], None]
) -> HttpResponse:
    ((name, table_request),) = body["RequestItems"].items()
    items: list[Any] = []
    headers: dict[str, str] = {}
    for number, key in enumerate(table_request["Keys"]):
        if number:
            between()
        single = body | {"RequestItems": {name: table_request | {"Keys": [key]}}}
        status, headers, text = send(_copy_request(request, single))
        if status != 200:
            return status, headers, text
        items += json.loads(text)["Responses"].get(name, [])
    return _build_response({"Responses": {name: items}, "UnprocessedKeys": {}}, headers)


def _read_query(
    body: dict[str, Any], request: AWSPreparedRequest, send: Send, between: Callable[[], None]
) -> HttpResponse:
    items: list[Any] = []
    start = body.get("ExclusiveStartKey")
    while True:
        page = body | {"Limit": 1} | ({} if start is None else {"ExclusiveStartKey": start})
        status, headers, text = send(_copy_request(request, page))
        if status != 200:
            return status, headers, text
        response = json.loads(text)
        items += response["Items"]
        start = response.get("LastEvaluatedKey")
        if start is None or len(items) >= body.get("Limit", len(items) + 1):
            break
        between()
    merged = {"Items": items, "Count": len(items), "ScannedCount": len(items)}
    return _build_response(merged | ({} if start is None else {"LastEvaluatedKey": start}), headers)


def _copy_request(request: AWSPreparedRequest, body: dict[str, Any]) -> AWSPreparedRequest:
    single = copy.copy(request)
    single.body = json.dumps(body).encode()
    return single


def _build_response(body: dict[str, Any], headers: dict[str, str]) -> HttpResponse:
    """Return a response without the checksum and length of a single read."""
    response_headers = {
        name: value
        for name, value in headers.items()
        if name.lower() not in ("x-amz-crc32", "content-length")
    }
    return 200, response_headers, json.dumps(body).encode()
