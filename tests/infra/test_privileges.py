"""Least privilege in both directions: AWS calls of functions and state machines in the running emulator, compared with the
synthesized roles. `python -m tests privileges` compares the calls of the whole test suite.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from local.emulator.server import STAGE, Emulator
from tests.infra.synthesized_template import SynthesizedTemplate
from tests.privileges import exercise
from tests.privileges.calls import DYNAMODB, Call, list_iam_calls
from tests.privileges.grants import Grant, find_missing_grants, find_unused_grants, list_grants
from tests.privileges.recorder import Recorder
from tests.support.request_interceptor import RequestInterceptor
from twofold.settings import (
    Function,
    TablePartition,
    Workflow,
    make_function_name,
    make_state_machine_name,
)

ONCE = (TablePartition.SECRET.value,)
MACHINES = [make_state_machine_name(STAGE, workflow) for workflow in Workflow]


def _make_key(pk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": "any"}}


@pytest.fixture(scope="module")
def grants(synthesize: Callable[..., SynthesizedTemplate]) -> list[Grant]:
    return list_grants(synthesize(stage=STAGE, source_buckets=",".join(exercise.SOURCES)))


@pytest.fixture(scope="module")
def calls(
    emulator: Emulator, request_interceptor: RequestInterceptor, recorder: Recorder
) -> dict[Call, int]:
    """The calls of this file; other tests use other source buckets. Calls made once per table are included."""
    before = dict(recorder.calls)
    exercise.use_every_permission(emulator, request_interceptor)
    return {
        call: n
        for call, n in recorder.calls.items()
        if n > before.get(call, 0) or call.partitions == ONCE
    }


def test_every_function_and_every_state_machine_was_seen(calls: dict[Call, int]) -> None:
    functions = {make_function_name(STAGE, function) for function in Function}
    assert {call.caller for call in calls} == functions | set(MACHINES)


def test_every_call_is_granted(calls: dict[Call, int], grants: list[Grant]) -> None:
    assert find_missing_grants(calls, grants) == []


def test_every_grant_is_used(calls: dict[Call, int], grants: list[Grant]) -> None:
    unused = find_unused_grants(calls, grants, MACHINES, exercise.SOURCES)
    assert unused == []


def test_a_call_without_a_grant_is_found(grants: list[Grant]) -> None:
    """Proves that the check can fail: a worker that writes a status, an API that writes contents, a foreign bucket."""
    move, api = make_function_name(STAGE, Function.MOVE), make_function_name(STAGE, Function.API)
    collect = make_function_name(STAGE, Function.COLLECT)
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
    assert find_missing_grants(wrong, grants) == sorted(wrong)


def test_a_grant_is_used_partition_by_partition(grants: list[Grant]) -> None:
    """Proves that the check can fail: an unused partition of an action is found."""
    settle = make_function_name(STAGE, Function.SETTLE)
    (query,) = (g for g in grants if g.caller == settle and g.action == "dynamodb:Query")
    call = Call(settle, query.action, query.resource, ("operations",))
    assert find_missing_grants([call], [query]) == []
    (idle,) = find_unused_grants([call], [query], MACHINES, ())
    assert idle.partitions == ("outbox",)


def test_among_the_reads_of_the_api_only_those_of_reports_are_unobservable(
    grants: list[Grant],
) -> None:
    api = make_function_name(STAGE, Function.API)
    unobservable = [g for g in grants if g.caller == api and g.is_unobservable(MACHINES)]
    resources = {grant.resource for grant in unobservable if grant.action.startswith("s3:")}
    assert {resource.partition("/")[2] for resource in resources} == {"reports/*"}


@pytest.mark.parametrize(
    ("operation", "body", "expected"),
    [
        ("GetItem", {"Key": _make_key("secret")}, [("GetItem", ("secret",))]),
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
            {"RequestItems": {"t": {"Keys": [_make_key("b"), _make_key("a"), _make_key("b")]}}},
            [("BatchGetItem", ("a", "b"))],
        ),
        (
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "t", "Item": _make_key("a")}},
                    {"Update": {"TableName": "t", "Key": _make_key("b")}},
                    {"ConditionCheck": {"TableName": "t", "Key": _make_key("c")}},
                ]
            },
            [("PutItem", ("a",)), ("UpdateItem", ("b",)), ("ConditionCheckItem", ("c",))],
        ),
        ("Scan", {}, [("Scan", ())]),
    ],
)
def test_a_request_to_the_table_has_the_partitions_of_its_keys(
    operation: str, body: dict[str, Any], expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    headers = [("X-Amz-Target", f"{DYNAMODB}{operation}")]
    request = Request(EnvironBuilder("/", method="POST", headers=headers).get_environ())
    found = list_iam_calls("f", request, json.dumps({"TableName": "t", **body}).encode())
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
def test_a_request_has_the_actions_that_iam_checks(
    method: str, path: str, headers: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    signed = {"Authorization": "Credential=x/20250101/us-east-1/s3/aws4_request", **headers}
    request = Request(
        EnvironBuilder(path, method=method, headers=list(signed.items())).get_environ()
    )
    found = [(call.action, call.resource) for call in list_iam_calls("f", request, b"")]
    assert found == [(action, f"arn:aws:s3:::{name}") for action, name in expected]
