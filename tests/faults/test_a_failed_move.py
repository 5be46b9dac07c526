"""Whatever fails while entries are being moved: both datasets are UPDATE_FAILED with a reason and hold what they held."""

import time
from types import SimpleNamespace

import pytest
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from werkzeug.wrappers import Request, Response

from local.stack import Stack
from tests.backstage import Act, Backstage, Matches, s3, s3_error
from tests.job import Job, two_labels

LINES = two_labels(200)
WAITED = 0.02
"""What is waited of the interval that a state machine has between two runs of a step."""


@pytest.fixture
def short_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    sleep = time.sleep
    hurry = SimpleNamespace(sleep=lambda seconds: sleep(seconds * WAITED))
    monkeypatch.setattr(retrier_decl, "time", hurry)


def _fails_and_changes_nothing(job: Job, backstage: Backstage, matches: Matches, act: Act) -> str:
    """The StatusMessage; afterwards a second attempt has worked."""
    train, test = job.pair(LINES)
    before = job.entries(train)
    with backstage.scene(matches, act) as scene:
        job.distribute(train, test)
        described = [job.settled(train), job.settled(test)]
    assert scene.seen
    assert [one["Status"] for one in described] == ["UPDATE_FAILED", "UPDATE_FAILED"]
    assert described[0]["StatusMessage"] == described[1]["StatusMessage"]
    assert described[0]["StatusMessageCode"] == "SERVICE_ERROR"
    assert job.entries(train) == before
    assert job.entries(test) == []
    assert described[0]["DatasetStats"]["TotalEntries"] == 200
    job.distribute(train, test)
    assert job.settled(train)["Status"] == "UPDATE_COMPLETE"
    assert sorted(job.entries(train) + job.entries(test)) == sorted(before)
    message: str = described[0]["StatusMessage"]
    return message


def _kill_the_workers(stack: Stack) -> Act:
    """Before their request arrives: one that did would be done, and the operation with it."""

    def act(request: Request) -> Response:
        stack.functions.steps.kill()
        return Response(status=500)

    return act


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(s3("GET", "/carve/plan"), id="before it reads its plan"),
        pytest.param(s3("GET", "/entries.manifest"), id="before it reads the source"),
        pytest.param(s3("PUT", "/entries.manifest"), id="before it writes a piece"),
        pytest.param(s3("PUT", "/record.json"), id="before it leaves its record"),
    ],
)
def test_a_killed_move_worker_loses_nothing(
    job: Job, stack: Stack, backstage: Backstage, moment: Matches
) -> None:
    killing = _kill_the_workers(stack)
    assert "nothing was changed" in _fails_and_changes_nothing(job, backstage, moment, killing)


@pytest.mark.usefixtures("short_intervals")
@pytest.mark.parametrize(
    ("call", "status", "code"),
    [
        # Not SlowDown, after which a client waits for seconds: seven runs of the step would take a minute.
        pytest.param(s3("GET", "/entries.manifest"), 503, "ServiceUnavailable", id="busy source"),
        pytest.param(s3("GET", "/entries.manifest"), 500, "InternalError", id="broken source"),
        pytest.param(s3("GET", "/entries.manifest"), 404, "NoSuchKey", id="missing source"),
        pytest.param(s3("GET", "/entries.index"), 403, "AccessDenied", id="index not readable"),
        pytest.param(s3("PUT", "/entries.manifest"), 500, "InternalError", id="target not written"),
        pytest.param(s3("PUT", "/entries.index"), 500, "InternalError", id="index not written"),
        pytest.param(s3("PUT", "/record.json"), 500, "InternalError", id="record not written"),
        pytest.param(s3("GET", "/record.json"), 500, "InternalError", id="record not read"),
        pytest.param(s3("PUT", "/report.json"), 500, "InternalError", id="report not written"),
    ],
)
def test_a_failing_s3_loses_nothing(
    job: Job, backstage: Backstage, call: Matches, status: int, code: str
) -> None:
    """A store that stays busy is given up after seven runs of the step, each with all tries of its client."""
    _fails_and_changes_nothing(job, backstage, call, s3_error(status, code))


@pytest.mark.usefixtures("short_intervals")
@pytest.mark.parametrize(
    ("call", "code"),
    [
        # A client waits for seconds before it tries again after SlowDown, and not for one after ServiceUnavailable.
        pytest.param(s3("PUT", "/entries.manifest"), "SlowDown", id="Move writes, SlowDown"),
        pytest.param(s3("PUT", "/entries.index"), "ServiceUnavailable", id="Select writes"),
        pytest.param(s3("GET", "/entries.manifest"), "ServiceUnavailable", id="Move reads"),
        pytest.param(s3("PUT", "/entries.manifest"), "ServiceUnavailable", id="Move writes"),
        pytest.param(s3("GET", "/record.json"), "ServiceUnavailable", id="Publish reads"),
    ],
)
def test_s3_that_is_busy_for_longer_than_a_client_tries_is_waited_for(
    job: Job, backstage: Backstage, call: Matches, code: str
) -> None:
    """A client tries four times; the state machine runs the step again."""
    train, test = job.pair(LINES)
    before = job.entries(train)
    with backstage.scene(call, s3_error(503, code), times=6) as scene:
        job.distribute(train, test)
        assert job.settled(train)["Status"] == "UPDATE_COMPLETE"
    assert scene.seen == 6
    assert sorted(job.entries(train) + job.entries(test)) == sorted(before)


def test_s3_that_recovers_is_not_noticed(job: Job, backstage: Backstage) -> None:
    train, test = job.pair(LINES)
    slow = s3_error(503, "SlowDown")
    with backstage.scene(s3("GET", "/entries.manifest"), slow, times=1) as scene:
        job.distribute(train, test)
        assert job.settled(train)["Status"] == "UPDATE_COMPLETE"
    assert scene.seen
