"""Notes every AWS call that a function or a state machine makes, in front of moto.

A function is known by the trace header that botocore sends from inside Lambda. A state machine is known by the credentials of
moto's interpreter, and which one it is by the operation that its call names.
"""

import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from werkzeug.wrappers import Request

from local.functions import FUNCTION_OF_TRACE
from local.gateway import Application
from tests.privileges.calls import STATES, Call, asked

_INTERPRETER = "Credential=ak/"
_OPERATION = re.compile(r"\b[0-9a-f]{32}\b")
_LARGEST_BODY_READ = 1 << 20


@dataclass(slots=True)
class Recorder:
    """`calls` counts each kind of call."""

    behind: Application
    calls: dict[Call, int] = field(default_factory=dict)
    machines: dict[str, str] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = _body(environ)
        request = Request(environ)
        self._note_start(request, body)
        caller = self._caller(request, body)
        if caller:
            with self._lock:
                for call in asked(caller, request, body):
                    self.calls[call] = self.calls.get(call, 0) + 1
        return self.behind(environ, start_response)

    def _note_start(self, request: Request, body: bytes) -> None:
        if request.headers.get("X-Amz-Target") == f"{STATES}StartExecution":
            named = json.loads(body)
            self.machines[named["name"]] = named["stateMachineArn"].rpartition(":")[2]

    def _caller(self, request: Request, body: bytes) -> str:
        function = FUNCTION_OF_TRACE.search(request.headers.get("X-Amzn-Trace-Id", ""))
        if function:
            return function["name"]
        if _INTERPRETER not in request.headers.get("Authorization", ""):
            return ""
        named = _OPERATION.findall(request.path) + _OPERATION.findall(body.decode(errors="replace"))
        return next((self.machines[one] for one in named if one in self.machines), "")

    def save(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps([*call, count]) for call, count in sorted(self.calls.items())]
        file.write_text("".join(f"{line}\n" for line in lines))


def load(folder: Path) -> dict[Call, int]:
    """What several processes have saved, added up."""
    calls: dict[Call, int] = {}
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text().splitlines():
            caller, action, resource, partitions, count = json.loads(line)
            call = Call(caller, action, resource, tuple(partitions))
            calls[call] = calls.get(call, 0) + count
    return calls


def _body(environ: dict[str, Any]) -> bytes:
    """A body of a modest size, put back for the next reader; nothing of a larger one, which is an object's."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if not 0 < length <= _LARGEST_BODY_READ:
        return b""
    body: bytes = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    return body
