"""State machines in moto retry throttled invocations."""

import json

import pytest
from werkzeug.wrappers import Request, Response

from tests.support.job import Job, make_two_label_lines
from tests.support.request_interceptor import RequestInterceptor, RequestMatcher
from twofold.settings import Function

EARLIER_ATTEMPTS = 6


def _match_invocations(function: Function) -> RequestMatcher:
    return lambda request: (
        request.path.endswith("/invocations") and f"-{function.value}" in request.path
    )


def _throttle(_: Request) -> Response:
    """Return the throttling error as a function error: moto ignores the error of Lambda's own response."""
    body = json.dumps({"errorType": "Lambda.TooManyRequestsException", "errorMessage": "Throttled"})
    return Response(body, 200, {"X-Amz-Function-Error": "Unhandled"})


@pytest.mark.usefixtures("short_intervals")
def test_workers_and_states_outlast_throttling(
    job: Job, request_interceptor: RequestInterceptor
) -> None:
    """Make one attempt more than earlier releases."""
    times = EARLIER_ATTEMPTS + 1
    with (
        request_interceptor.add_rule(
            _match_invocations(Function.INDEX), _throttle, times
        ) as workers,
        request_interceptor.add_rule(
            _match_invocations(Function.PUBLISH), _throttle, times
        ) as steps,
    ):
        train = job.create_dataset("TRAIN", make_two_label_lines(50))
        assert job.wait_for_dataset(train)["Status"] == "CREATE_COMPLETE"
    assert (workers.count, steps.count) == (times, times)
    assert len(job.list_entries(train)) == 50
