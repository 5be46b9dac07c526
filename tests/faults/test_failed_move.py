"""A failure while entries are moved sets both datasets to UPDATE_FAILED with a reason and leaves all contents unchanged."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.wrappers import Request, Response

from local.emulator.server import Emulator
from tests.support import impatient_worker
from tests.support.job import Job, make_two_label_lines
from tests.support.request_interceptor import (
    Action,
    RequestInterceptor,
    RequestMatcher,
    answer_s3_error,
    match_s3,
)
from tests.support.step_workers import use_step_workers

LINES = make_two_label_lines(200)


@pytest.fixture(scope="module", autouse=True)
def impatient_workers(emulator: Emulator) -> Iterator[None]:
    """Workers whose AWS clients hardly wait between attempts."""
    with use_step_workers(emulator, Path(impatient_worker.__file__), 2):
        yield


def _check_failure_changes_nothing(
    job: Job, request_interceptor: RequestInterceptor, matches: RequestMatcher, act: Action
) -> str:
    """Check a distribution that fails without changes, and a successful retry; return the StatusMessage."""
    train, test = job.create_pair(LINES)
    before = job.list_entries(train)
    with request_interceptor.add_rule(matches, act) as scene:
        job.start_distribution(train, test)
        described = [job.wait_for_dataset(train), job.wait_for_dataset(test)]
    assert scene.count
    assert [description["Status"] for description in described] == [
        "UPDATE_FAILED",
        "UPDATE_FAILED",
    ]
    assert described[0]["StatusMessage"] == described[1]["StatusMessage"]
    assert described[0]["StatusMessageCode"] == "SERVICE_ERROR"
    assert job.list_entries(train) == before
    assert job.list_entries(test) == []
    assert described[0]["DatasetStats"]["TotalEntries"] == 200
    job.start_distribution(train, test)
    assert job.wait_for_dataset(train)["Status"] == "UPDATE_COMPLETE"
    assert sorted(job.list_entries(train) + job.list_entries(test)) == sorted(before)
    message: str = described[0]["StatusMessage"]
    return message


def _kill_the_workers(emulator: Emulator) -> Action:
    """Kill the workers before the request reaches S3."""

    def act(request: Request) -> Response:
        emulator.functions.workflow_pool.kill()
        return Response(status=500)

    return act


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(match_s3("GET", "/carve/plan"), id="before it reads its plan"),
        pytest.param(match_s3("GET", "/entries.manifest"), id="before it reads the source"),
        pytest.param(match_s3("PUT", "/entries.manifest"), id="before it writes a part"),
        pytest.param(match_s3("PUT", "/record.json"), id="before it writes its record"),
    ],
)
def test_a_killed_move_worker_loses_nothing(
    job: Job, emulator: Emulator, request_interceptor: RequestInterceptor, moment: RequestMatcher
) -> None:
    killing = _kill_the_workers(emulator)
    assert "nothing was changed" in _check_failure_changes_nothing(
        job, request_interceptor, moment, killing
    )


@pytest.mark.usefixtures("short_intervals")
@pytest.mark.parametrize(
    ("call", "status", "code"),
    [
        # After SlowDown a client waits for seconds; seven runs of the state would take a minute.
        pytest.param(
            match_s3("GET", "/entries.manifest"), 503, "ServiceUnavailable", id="busy source"
        ),
        pytest.param(
            match_s3("GET", "/entries.manifest"), 500, "InternalError", id="broken source"
        ),
        pytest.param(match_s3("GET", "/entries.manifest"), 404, "NoSuchKey", id="missing source"),
        pytest.param(
            match_s3("GET", "/entries.index"), 403, "AccessDenied", id="index not readable"
        ),
        pytest.param(
            match_s3("PUT", "/entries.manifest"), 500, "InternalError", id="target not written"
        ),
        pytest.param(
            match_s3("PUT", "/entries.index"), 500, "InternalError", id="index not written"
        ),
        pytest.param(
            match_s3("PUT", "/record.json"), 500, "InternalError", id="record not written"
        ),
        pytest.param(match_s3("GET", "/record.json"), 500, "InternalError", id="record not read"),
        pytest.param(
            match_s3("PUT", "/report.json"), 500, "InternalError", id="report not written"
        ),
    ],
)
def test_a_failing_s3_loses_nothing(
    job: Job, request_interceptor: RequestInterceptor, call: RequestMatcher, status: int, code: str
) -> None:
    """The state machine runs a state seven times, each with all retries of the client."""
    _check_failure_changes_nothing(job, request_interceptor, call, answer_s3_error(status, code))


@pytest.mark.usefixtures("short_intervals")
@pytest.mark.parametrize(
    ("call", "code"),
    [
        # A client waits for seconds after SlowDown, and for less than a second after ServiceUnavailable.
        pytest.param(match_s3("PUT", "/entries.manifest"), "SlowDown", id="Move writes, SlowDown"),
        pytest.param(match_s3("PUT", "/entries.index"), "ServiceUnavailable", id="Select writes"),
        pytest.param(match_s3("GET", "/entries.manifest"), "ServiceUnavailable", id="Move reads"),
        pytest.param(match_s3("PUT", "/entries.manifest"), "ServiceUnavailable", id="Move writes"),
        pytest.param(match_s3("GET", "/record.json"), "ServiceUnavailable", id="Publish reads"),
    ],
)
def test_the_state_machine_retries_after_s3_is_busy_for_longer_than_a_client_retries(
    job: Job, request_interceptor: RequestInterceptor, call: RequestMatcher, code: str
) -> None:
    """A client makes four attempts; then the state machine runs the state again."""
    train, test = job.create_pair(LINES)
    before = job.list_entries(train)
    with request_interceptor.add_rule(call, answer_s3_error(503, code), times=6) as scene:
        job.start_distribution(train, test)
        assert job.wait_for_dataset(train)["Status"] == "UPDATE_COMPLETE"
    assert scene.count == 6
    assert sorted(job.list_entries(train) + job.list_entries(test)) == sorted(before)


def test_the_client_retries_a_call_to_s3(job: Job, request_interceptor: RequestInterceptor) -> None:
    train, test = job.create_pair(LINES)
    slow = answer_s3_error(503, "SlowDown")
    with request_interceptor.add_rule(match_s3("GET", "/entries.manifest"), slow, times=1) as scene:
        job.start_distribution(train, test)
        assert job.wait_for_dataset(train)["Status"] == "UPDATE_COMPLETE"
    assert scene.count
