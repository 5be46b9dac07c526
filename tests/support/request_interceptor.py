"""Intercept requests between the service and the emulated AWS.

The interceptor is in front of moto in the running emulator and passes all requests on, except for the rules of a test: an
answer of AWS, a delay, or an action during a request.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any

from werkzeug.wrappers import Request, Response

from local.emulator.gateway import Application

RequestMatcher = Callable[[Request], bool]
Action = Callable[[Request], Response | None]


@dataclass(slots=True)
class InterceptionRule:
    """An action for matching requests, for the `remaining` number of requests; None means no limit."""

    matches: RequestMatcher
    act: Action
    remaining: int | None = None
    count: int = 0


@dataclass(slots=True)
class RequestInterceptor:
    application: Application
    _rules: list[InterceptionRule] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        request = Request(environ)
        for act in self._take_actions(request):
            response = act(request)
            if response is not None:
                request.get_data()
                return response(environ, start_response)
        return self.application(environ, start_response)

    def _take_actions(self, request: Request) -> list[Action]:
        with self._lock:
            due = [
                scene for scene in self._rules if scene.remaining != 0 and scene.matches(request)
            ]
            for scene in due:
                scene.count += 1
                scene.remaining = None if scene.remaining is None else scene.remaining - 1
        return [scene.act for scene in due]

    @contextmanager
    def add_rule(
        self, matches: RequestMatcher, act: Action, times: int | None = None
    ) -> Iterator[InterceptionRule]:
        rule = InterceptionRule(matches, act, times)
        with self._lock:
            self._rules.append(rule)
        try:
            yield rule
        finally:
            with self._lock:
                self._rules.remove(rule)


def match_dynamodb(operation: str) -> RequestMatcher:
    target = f"DynamoDB_20120810.{operation}"
    return lambda request: request.headers.get("X-Amz-Target") == target


def match_step_functions(operation: str) -> RequestMatcher:
    target = f"AWSStepFunctions.{operation}"
    return lambda request: request.headers.get("X-Amz-Target") == target


def match_s3(method: str, part_of_path: str) -> RequestMatcher:
    return lambda request: request.method == method and part_of_path in request.path


def answer_json_error(status: int, code: str, message: str = "") -> Action:
    """Return an action that answers with an error in the format of DynamoDB and Step Functions."""
    body = json.dumps({"__type": f"com.amazonaws.coral.service#{code}", "message": message})
    return lambda _: Response(body, status, {"Content-Type": "application/x-amz-json-1.0"})


def answer_s3_error(status: int, code: str) -> Action:
    body = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{code}</Message></Error>"
    return lambda _: Response(body, status, {"Content-Type": "application/xml"})


def hold_until(until: Event) -> Action:
    """Return an action that waits for the event, for less than the timeout of a test, so that no thread remains."""

    def wait(request: Request) -> None:
        until.wait(100)

    return wait


def run_action(action: Callable[[], None]) -> Action:
    def handle(request: Request) -> None:
        action()

    return handle


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False
