"""A recorder of the calls that Twofold makes to AWS services, for measurements and tests."""

import io
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

from local.emulator.gateway import Application


@dataclass(frozen=True, slots=True)
class Call:
    """A call of an AWS service. `sent` and `received` are body sizes in bytes; `request` is the body if it is JSON, else {}."""

    service: str
    operation: str
    sent: int
    received: int
    request: dict[str, Any]


@dataclass(slots=True)
class CallRecorder:
    """A WSGI application that passes every request on to `application`, and records the calls while a recording is active."""

    application: Application
    _recordings: list[list[Call]] = field(default_factory=list)
    _pending: int = 0
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def record(self) -> Iterator[list[Call]]:
        """Context manager: return a list and append each call that ends within the context."""
        calls: list[Call] = []
        with self._lock:
            self._recordings.append(calls)
        try:
            yield calls
        finally:
            with self._lock:
                self._recordings = [other for other in self._recordings if other is not calls]

    @property
    def idle(self) -> bool:
        """Whether every call that began during a recording has been recorded."""
        return not self._pending

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not self._recordings:
            return self.application(environ, start_response)
        with self._lock:
            self._pending += 1
        try:
            return self._record_call(environ, start_response)
        finally:
            with self._lock:
                self._pending -= 1

    def _record_call(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ |= {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
        response = b"".join(self.application(environ, start_response))
        with self._lock:
            for calls in self._recordings:
                calls.append(_parse_call(environ, body, len(response)))
        return [response]


def _parse_call(environ: dict[str, Any], body: bytes, received: int) -> Call:
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        service, _, operation = target.rpartition(".")
        return Call(service.partition("_")[0], operation, len(body), received, json.loads(body))
    if environ["PATH_INFO"].endswith("/invocations"):
        return Call("Lambda", "Invoke", len(body), received, {})
    return Call("S3", _get_s3_operation(environ), len(body), received, {})


def _get_s3_operation(environ: dict[str, Any]) -> str:
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
