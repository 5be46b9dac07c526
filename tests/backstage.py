"""What happens between the service and the AWS behind it, under a test's control.

It stands in front of moto in the running stack and lets every request through until a test sets a scene: an answer that AWS
would really give, a delay, or something to do as a request passes by.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any

from werkzeug.wrappers import Request, Response

from local.gateway import Application

Matches = Callable[[Request], bool]
Act = Callable[[Request], Response | None]


@dataclass(slots=True)
class Scene:
    """`times` it still happens; None is for as long as it stands."""

    matches: Matches
    act: Act
    times: int | None = None
    seen: int = 0


@dataclass(slots=True)
class Backstage:
    behind: Application
    _scenes: list[Scene] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        request = Request(environ)
        for act in self._due(request):
            response = act(request)
            if response is not None:
                request.get_data()
                return response(environ, start_response)
        return self.behind(environ, start_response)

    def _due(self, request: Request) -> list[Act]:
        with self._lock:
            due = [scene for scene in self._scenes if scene.times != 0 and scene.matches(request)]
            for scene in due:
                scene.seen += 1
                scene.times = None if scene.times is None else scene.times - 1
        return [scene.act for scene in due]

    @contextmanager
    def scene(self, matches: Matches, act: Act, times: int | None = None) -> Iterator[Scene]:
        scene = Scene(matches, act, times)
        with self._lock:
            self._scenes.append(scene)
        try:
            yield scene
        finally:
            with self._lock:
                self._scenes.remove(scene)


def dynamodb(operation: str) -> Matches:
    target = f"DynamoDB_20120810.{operation}"
    return lambda request: request.headers.get("X-Amz-Target") == target


def states(operation: str) -> Matches:
    target = f"AWSStepFunctions.{operation}"
    return lambda request: request.headers.get("X-Amz-Target") == target


def s3(method: str, part_of_path: str) -> Matches:
    return lambda request: request.method == method and part_of_path in request.path


def json_error(status: int, code: str, message: str = "") -> Act:
    """As DynamoDB and Step Functions say it."""
    body = json.dumps({"__type": f"com.amazonaws.coral.service#{code}", "message": message})
    return lambda _: Response(body, status, {"Content-Type": "application/x-amz-json-1.0"})


def s3_error(status: int, code: str) -> Act:
    body = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{code}</Message></Error>"
    return lambda _: Response(body, status, {"Content-Type": "application/xml"})


def hold(until: Event) -> Act:
    """Shorter than a test may last, so that one that fails does not leave a thread behind."""

    def wait(request: Request) -> None:
        until.wait(100)

    return wait


def do(action: Callable[[], None]) -> Act:
    def act(request: Request) -> None:
        action()

    return act


def eventually(condition: Callable[[], bool], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False
