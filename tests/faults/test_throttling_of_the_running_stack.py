"""Lambda throttles, and the state machines that moto interprets try again."""

import json

from werkzeug.wrappers import Request, Response

from tests.backstage import Backstage, Matches
from tests.job import Job, two_labels
from twofold.settings import Function

EARLIER_ATTEMPTS = 6


def _invocations(function: Function) -> Matches:
    return lambda request: (
        request.path.endswith("/invocations") and f"-{function.value}" in request.path
    )


def _throttle(_: Request) -> Response:
    """moto's interpreter names an error of a function's answer, not one of Lambda's own answer."""
    body = json.dumps({"errorType": "Lambda.TooManyRequestsException", "errorMessage": "Throttled"})
    return Response(body, 200, {"X-Amz-Function-Error": "Unhandled"})


def test_workers_and_steps_of_the_running_stack_outlast_throttling(
    job: Job, backstage: Backstage
) -> None:
    """One more attempt than releases before had; moto waits a second before each."""
    times = EARLIER_ATTEMPTS + 1
    with (
        backstage.scene(_invocations(Function.INDEX), _throttle, times) as workers,
        backstage.scene(_invocations(Function.PUBLISH), _throttle, times) as steps,
    ):
        train = job.create("TRAIN", two_labels(50))
        assert job.settled(train)["Status"] == "CREATE_COMPLETE"
    assert (workers.seen, steps.seen) == (times, times)
    assert len(job.entries(train)) == 50
