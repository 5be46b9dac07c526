"""Least privilege, both ways: what the functions and state machines ask of AWS in the running stack, beside what the
synthesized roles allow them. `make privileges` does the same with every call of the whole suite.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from local.stack import STAGE, Stack
from tests.backstage import Backstage
from tests.infra.synthesized import Synthesized
from tests.privileges import everything
from tests.privileges.calls import DYNAMODB, Call, asked
from tests.privileges.grants import Grant, granted, not_granted, not_used
from tests.privileges.recorder import Recorder
from twofold.settings import Function, Partition, Workflow, function_name, state_machine_name

ONCE = (Partition.SECRET.value,)
MACHINES = [state_machine_name(STAGE, workflow) for workflow in Workflow]


def _key(pk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": "any"}}


@pytest.fixture(scope="module")
def grants(synthesize: Callable[..., Synthesized]) -> list[Grant]:
    return granted(synthesize(stage=STAGE, source_buckets=",".join(everything.SOURCES)))


@pytest.fixture(scope="module")
def calls(stack: Stack, backstage: Backstage, recorder: Recorder) -> dict[Call, int]:
    """Those of this file alone, since other tests have sources in other buckets; and what is done once for a table."""
    before = dict(recorder.calls)
    everything.done(stack, backstage)
    return {
        call: n
        for call, n in recorder.calls.items()
        if n > before.get(call, 0) or call.partitions == ONCE
    }


def test_every_function_and_every_state_machine_was_seen(calls: dict[Call, int]) -> None:
    functions = {function_name(STAGE, function) for function in Function}
    assert {call.caller for call in calls} == functions | set(MACHINES)


def test_nothing_is_used_that_is_not_granted(calls: dict[Call, int], grants: list[Grant]) -> None:
    assert not_granted(calls, grants) == []


def test_nothing_is_granted_that_is_not_used(calls: dict[Call, int], grants: list[Grant]) -> None:
    unused = not_used(calls, grants, MACHINES, everything.SOURCES)
    assert unused == []


def test_a_call_beyond_the_grants_is_noticed(grants: list[Grant]) -> None:
    """The check can fail: a worker that writes a status, an API that writes contents, a bucket that is none of ours."""
    move, api = function_name(STAGE, Function.MOVE), function_name(STAGE, Function.API)
    collect = function_name(STAGE, Function.COLLECT)
    table = next(grant.resource for grant in grants if ":table/" in grant.resource)
    wrong = [
        Call(move, "dynamodb:UpdateItem", table),
        Call(api, "s3:PutObject", "arn:aws:s3:::twofold-local-123456789012-us-east-1/contents/a"),
        Call(api, "s3:DeleteObject", "arn:aws:s3:::sources/a"),
        Call(MACHINES[0], "dynamodb:UpdateItem", table),
        Call(collect, "dynamodb:DeleteItem", table, ("operations",)),
        Call(collect, "dynamodb:UpdateItem", table, ("project#birds",)),
        Call(api, "dynamodb:BatchGetItem", table, ("project#birds", "secret")),
    ]
    assert not_granted(wrong, grants) == sorted(wrong)


def test_a_grant_is_used_partition_by_partition(grants: list[Grant]) -> None:
    """The check can fail: of two partitions that an action is granted on, the one that nobody reaches is noticed."""
    settle = function_name(STAGE, Function.SETTLE)
    (query,) = (one for one in grants if one.caller == settle and one.action == "dynamodb:Query")
    call = Call(settle, query.action, query.resource, ("operations",))
    assert not_granted([call], [query]) == []
    (idle,) = not_used([call], [query], MACHINES, ())
    assert idle.partitions == ("outbox",)


def test_of_the_api_s_reads_only_those_of_reports_are_taken_on_trust(grants: list[Grant]) -> None:
    api = function_name(STAGE, Function.API)
    trusted = [one for one in grants if one.caller == api and one.unseen(MACHINES)]
    places = {one.resource for one in trusted if one.action.startswith("s3:")}
    assert {place.partition("/")[2] for place in places} == {"reports/*"}


@pytest.mark.parametrize(
    ("operation", "body", "expected"),
    [
        ("GetItem", {"Key": _key("secret")}, [("GetItem", ("secret",))]),
        (
            "Query",
            {
                "KeyConditionExpression": "#pk = :pk AND #sk > :after",
                "ExpressionAttributeNames": {"#pk": "pk", "#sk": "sk"},
                "ExpressionAttributeValues": {":pk": {"S": "outbox"}, ":after": {"S": "a"}},
            },
            [("Query", ("outbox",))],
        ),
        (
            "BatchGetItem",
            {"RequestItems": {"t": {"Keys": [_key("b"), _key("a"), _key("b")]}}},
            [("BatchGetItem", ("a", "b"))],
        ),
        (
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "t", "Item": _key("a")}},
                    {"Update": {"TableName": "t", "Key": _key("b")}},
                    {"ConditionCheck": {"TableName": "t", "Key": _key("c")}},
                ]
            },
            [("PutItem", ("a",)), ("UpdateItem", ("b",)), ("ConditionCheckItem", ("c",))],
        ),
        ("Scan", {}, [("Scan", ())]),
    ],
)
def test_a_request_to_the_table_asks_for_its_partitions(
    operation: str, body: dict[str, Any], expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    headers = [("X-Amz-Target", f"{DYNAMODB}{operation}")]
    request = Request(EnvironBuilder("/", method="POST", headers=headers).get_environ())
    found = asked("f", request, json.dumps({"TableName": "t", **body}).encode())
    assert [(call.action, call.partitions) for call in found] == [
        (f"dynamodb:{action}", partitions) for action, partitions in expected
    ]


@pytest.mark.parametrize(
    ("method", "path", "headers", "expected"),
    [
        ("GET", "/b/k?versionId=1", {}, [("s3:GetObjectVersion", "b/k")]),
        (
            "PUT",
            "/b/k",
            {"x-amz-copy-source": "c/d%20e"},
            [("s3:PutObject", "b/k"), ("s3:GetObject", "c/d e")],
        ),
        ("DELETE", "/b/k?uploadId=1", {}, [("s3:AbortMultipartUpload", "b/k")]),
        ("GET", "/b?list-type=2", {}, [("s3:ListBucket", "b")]),
    ],
)
def test_a_request_asks_for_what_iam_says(
    method: str, path: str, headers: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    signed = {"Authorization": "Credential=x/20250101/us-east-1/s3/aws4_request", **headers}
    request = Request(
        EnvironBuilder(path, method=method, headers=list(signed.items())).get_environ()
    )
    found = [(call.action, call.resource) for call in asked("f", request, b"")]
    assert found == [(action, f"arn:aws:s3:::{name}") for action, name in expected]
