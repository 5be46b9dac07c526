"""What passes between the service and the AWS behind it, written down while somebody wants to know."""

import io
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

from local.gateway import Application


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an AWS service. `sent` and `received` are bytes of bodies; `request` the body, where it is JSON."""

    service: str
    operation: str
    sent: int
    received: int
    request: dict[str, Any]


@dataclass(slots=True)
class Meter:
    """Lets every request through to the application behind it."""

    behind: Application
    _recordings: list[list[Call]] = field(default_factory=list)
    _passing: int = 0
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def recording(self) -> Iterator[list[Call]]:
        """The calls that end within the block."""
        calls: list[Call] = []
        with self._lock:
            self._recordings.append(calls)
        try:
            yield calls
        finally:
            with self._lock:
                self._recordings = [one for one in self._recordings if one is not calls]

    @property
    def idle(self) -> bool:
        """Every call that began while somebody records has been written down."""
        return not self._passing

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not self._recordings:
            return self.behind(environ, start_response)
        with self._lock:
            self._passing += 1
        try:
            return self._recorded(environ, start_response)
        finally:
            with self._lock:
                self._passing -= 1

    def _recorded(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ |= {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
        answer = b"".join(self.behind(environ, start_response))
        with self._lock:
            for calls in self._recordings:
                calls.append(_call(environ, body, len(answer)))
        return [answer]


def _call(environ: dict[str, Any], body: bytes, received: int) -> Call:
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        service, _, operation = target.rpartition(".")
        return Call(service.partition("_")[0], operation, len(body), received, json.loads(body))
    if environ["PATH_INFO"].endswith("/invocations"):
        return Call("Lambda", "Invoke", len(body), received, {})
    return Call("S3", _s3_operation(environ), len(body), received, {})


def _s3_operation(environ: dict[str, Any]) -> str:
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    match environ["REQUEST_METHOD"]:
        case "GET" if "list-type" in query:
            return "ListObjectsV2"
        case "PUT" if "partNumber" in query:
            return "UploadPart"
        case "POST" if "uploads" in query:
            return "CreateMultipartUpload"
        case "POST" if "uploadId" in query:
            return "CompleteMultipartUpload"
        case method:
            return f"{method.capitalize()}Object"
