"""Least privilege, both ways: what the functions and state machines ask of AWS in the running stack, beside what the
synthesized roles allow them. `make privileges` does the same with every call of the whole suite.
"""

from collections.abc import Callable

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from local.stack import STAGE, Stack
from tests.backstage import Backstage
from tests.infra.synthesized import Synthesized
from tests.privileges import everything
from tests.privileges.calls import Call, asked
from tests.privileges.grants import Grant, granted, not_granted, not_used
from tests.privileges.recorder import Recorder
from twofold.settings import Function, Workflow, function_name, state_machine_name

MACHINES = [state_machine_name(STAGE, workflow) for workflow in Workflow]


@pytest.fixture(scope="module")
def grants(synthesize: Callable[..., Synthesized]) -> list[Grant]:
    return granted(synthesize(stage=STAGE, source_buckets=",".join(everything.SOURCES)))


@pytest.fixture(scope="module")
def calls(stack: Stack, backstage: Backstage, recorder: Recorder) -> dict[Call, int]:
    """Those of this file alone: other tests have sources in other buckets."""
    before = dict(recorder.calls)
    everything.done(stack, backstage)
    return {call: n for call, n in recorder.calls.items() if n > before.get(call, 0)}


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
    table = next(grant.resource for grant in grants if ":table/" in grant.resource)
    wrong = [
        Call(move, "dynamodb:UpdateItem", table),
        Call(api, "s3:PutObject", "arn:aws:s3:::twofold-local-123456789012-us-east-1/contents/a"),
        Call(api, "s3:DeleteObject", "arn:aws:s3:::sources/a"),
        Call(MACHINES[0], "dynamodb:UpdateItem", table),
    ]
    assert not_granted(wrong, grants) == sorted(wrong)


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
