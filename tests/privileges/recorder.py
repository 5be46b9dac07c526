"""Record the AWS calls of functions and state machines, as WSGI middleware in front of moto.

botocore sends a trace header from Lambda, which identifies the function. Calls of state machines have the credentials of moto's
interpreter, and the operation id in the call identifies the state machine.
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

from local.emulator.functions import TRACE_FUNCTION
from local.emulator.gateway import Application
from tests.privileges.calls import STATES, Call, list_iam_calls

_INTERPRETER = "Credential=ak/"
_OPERATION = re.compile(r"\b[0-9a-f]{32}\b")
_MAX_BODY_BYTES = 1 << 20


@dataclass(slots=True)
class Recorder:
    """Middleware in front of `application`; `calls` counts equal calls."""

    application: Application
    calls: dict[Call, int] = field(default_factory=dict)
    machines: dict[str, str] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = _peek_body(environ)
        request = Request(environ)
        self._note_start(request, body)
        caller = self._identify_caller(request, body)
        if caller:
            with self._lock:
                for call in list_iam_calls(caller, request, body):
                    self.calls[call] = self.calls.get(call, 0) + 1
        return self.application(environ, start_response)

    def _note_start(self, request: Request, body: bytes) -> None:
        if request.headers.get("X-Amz-Target") == f"{STATES}StartExecution":
            parameters = json.loads(body)
            name, arn = parameters["name"], parameters["stateMachineArn"]
            self.machines[name] = arn.rpartition(":")[2]

    def _identify_caller(self, request: Request, body: bytes) -> str:
        function = TRACE_FUNCTION.search(request.headers.get("X-Amzn-Trace-Id", ""))
        if function:
            return function["name"]
        if _INTERPRETER not in request.headers.get("Authorization", ""):
            return ""
        ids = _OPERATION.findall(request.path) + _OPERATION.findall(body.decode(errors="replace"))
        return next((self.machines[id] for id in ids if id in self.machines), "")

    def save(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps([*call, count]) for call, count in sorted(self.calls.items())]
        file.write_text("".join(f"{line}\n" for line in lines))


def load(folder: Path) -> dict[Call, int]:
    """Return the calls saved by several processes, with counts added up."""
    calls: dict[Call, int] = {}
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text().splitlines():
            caller, action, resource, partitions, count = json.loads(line)
            call = Call(caller, action, resource, tuple(partitions))
            calls[call] = calls.get(call, 0) + count
    return calls


def _peek_body(environ: dict[str, Any]) -> bytes:
    """Read the body and put it back into the stream; return nothing for large bodies, such as contents of objects."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if not 0 < length <= _MAX_BODY_BYTES:
        return b""
    body: bytes = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    return body
