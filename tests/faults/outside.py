"""Everything that the service sends to AWS, on its way to moto: boto3 with its retries really runs above, and moto below.

A fault is what AWS or the network does to one call; `Killed` is the end of the process that makes it.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse

from tests.faults.anomalies import READS, is_consistent, read_apart


class Killed(BaseException):
    """The process is gone: no `except` and no answer."""


class Fault(StrEnum):
    SLOW_DOWN = "SlowDown"
    S3_INTERNAL = "InternalError"
    ERROR_IN_200 = "InternalError in an answer 200"
    THROUGHPUT = "ProvisionedThroughputExceededException"
    THROTTLING = "ThrottlingException"
    TABLE_INTERNAL = "InternalServerError"
    CONFLICT = "TransactionConflict"
    CANCELLED = "ThrottlingError of a transaction"
    IN_PROGRESS = "TransactionInProgressException"
    DENIED = "AccessDeniedException"
    LOST = "connection closed before the call"
    UNANSWERED = "timeout after the call"
    CUT = "truncated body"
    GARBLED = "broken body"
    TWICE = "duplicated call"
    LATE = "late call"
    KILLED_BEFORE = "killed before the call"
    KILLED_AFTER = "killed after the call"


_ANYWHERE = (
    Fault.LOST,
    Fault.UNANSWERED,
    Fault.TWICE,
    Fault.LATE,
    Fault.KILLED_BEFORE,
    Fault.KILLED_AFTER,
)
_OF_JSON = (Fault.THROTTLING, Fault.TABLE_INTERNAL, Fault.DENIED, Fault.GARBLED)
_OF_CALL = {
    "GetObject": (Fault.CUT,),
    "CompleteMultipartUpload": (Fault.ERROR_IN_200,),
    "TransactWriteItems": (Fault.CONFLICT, Fault.CANCELLED, Fault.IN_PROGRESS),
}
LATE_MILLISECONDS = 20_000


@dataclass(frozen=True, slots=True)
class Call:
    """`what` is the object's key or the table's, without what differs from run to run."""

    number: int
    actor: str
    service: str
    operation: str
    what: str
    url: str = ""

    @property
    def site(self) -> tuple[str, str, str]:
        return self.actor, self.operation, self.what

    def faults(self) -> tuple[Fault, ...]:
        """Those that can happen to it. Step Functions itself, which reads lists of items, does not die."""
        if self.actor == "execution":
            return (Fault.SLOW_DOWN, Fault.DENIED, Fault.CUT, Fault.LOST, Fault.LATE)
        own = _OF_CALL.get(self.operation, ())
        if self.service == "s3":
            return (Fault.SLOW_DOWN, Fault.S3_INTERNAL, Fault.DENIED, *own, *_ANYWHERE)
        table = (Fault.THROUGHPUT,) if self.service == "dynamodb" else ()
        return (*_OF_JSON, *table, *own, *_ANYWHERE)


Plan = Callable[[Call], Fault | None]
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Outside:
    """`plan` decides which fault happens to a call; `passing` is told of each call before and after it is done. `sent` is told
    of each operation after it is done, the test's own calls and the second of two included. `apart` decides whether the items
    of a read are of different moments."""

    plan: Plan = lambda call: None
    passing: Callable[[Call, bool], None] = lambda call, done: None
    sent: Callable[[str], None] = lambda operation: None
    late: Callable[[int], None] = lambda milliseconds: None
    actor: Callable[[], str] = lambda: "test"
    services: dict[str, Callable[[str, dict[str, Any]], Answer]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    faults: list[tuple[Call, Fault]] = field(default_factory=list)
    quiet: int = 0
    apart: Callable[[Call], bool] = lambda call: False
    torn_reads: int = 0
    _tokens: dict[str, Answer] = field(default_factory=dict)

    def reset(self) -> None:
        """No faults, nobody watching, and nothing recorded."""
        self.plan, self.sent = lambda call: None, lambda operation: None
        self.calls.clear()
        self.faults.clear()

    @contextmanager
    def standing(self) -> Iterator["Outside"]:
        """Between botocore and moto, as long as it lasts."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(BotocoreStubber, "__call__", self._stub)
            yield self

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Calls of the test's own: no fault, and not counted."""
        self.quiet += 1
        try:
            yield
        finally:
            self.quiet -= 1

    def _stub(self, event_name: str, request: AWSPreparedRequest, **more: Any) -> AWSResponse:
        _, service, operation = event_name.split(".", 2)
        if self.quiet:
            return _response(request, self._send(service, operation, request))
        call = Call(
            len(self.calls), self.actor(), service, operation, _what(service, request), request.url
        )
        self.calls.append(call)
        fault = self.plan(call)
        if fault:
            self.faults.append((call, fault))
        return self._happen(call, fault, request)

    def _happen(self, call: Call, fault: Fault | None, request: AWSPreparedRequest) -> AWSResponse:
        self.passing(call, False)
        if fault in _ERRORS:
            return _response(request, _ERRORS[fault](call))
        self._before(call, fault, request)
        answer = self._read(call, request) or self._send(call.service, call.operation, request)
        self.passing(call, True)
        match fault:
            case Fault.KILLED_AFTER:
                raise Killed
            case Fault.UNANSWERED:
                raise ReadTimeoutError(endpoint_url=request.url)
            case Fault.GARBLED:
                return _response(request, (answer[0], answer[1], answer[2][:7] + b"?"))
        return _response(request, answer, cut=fault is Fault.CUT)

    def _read(self, call: Call, request: AWSPreparedRequest) -> Answer | None:
        """The answer to a read of the table whose items are of different moments; None for every other call."""
        if call.service != "dynamodb" or call.operation not in READS:
            return None
        assert is_consistent(call.operation, _json(request)), "It may get an older value."
        if call.operation == "GetItem" or not self.apart(call):
            return None
        self.torn_reads += 1
        return read_apart(
            call.operation,
            request,
            lambda single: self._send(call.service, call.operation, single),
            lambda: self.passing(call, False),
        )

    def _before(self, call: Call, fault: Fault | None, request: AWSPreparedRequest) -> None:
        match fault:
            case Fault.KILLED_BEFORE:
                raise Killed
            case Fault.LOST:
                raise ConnectionClosedError(endpoint_url=request.url)
            case Fault.LATE:
                self.late(LATE_MILLISECONDS)
            case Fault.TWICE:
                self._send(call.service, call.operation, request)
                request.reset_stream()
                self.passing(call, True)

    def _send(self, service: str, operation: str, request: AWSPreparedRequest) -> Answer:
        """A transaction that is repeated with its token is not done twice; moto would."""
        if service in self.services:
            return self.services[service](operation, _json(request))
        token = ""
        if operation == "TransactWriteItems":
            token = _json(request)["ClientRequestToken"]
            if token in self._tokens:
                return self._tokens[token]
        found = BotocoreStubber().process_request(request)
        assert found is not None
        status, headers, body = found
        answer = (status, headers, body.encode() if isinstance(body, str) else bytes(body))
        if token and status == 200:
            self._tokens[token] = answer
        self.sent(operation)
        return answer


def _json(request: AWSPreparedRequest) -> dict[str, Any]:
    assert isinstance(request.body, bytes)
    body: dict[str, Any] = json.loads(request.body)
    return body


def _response(request: AWSPreparedRequest, answer: Answer, *, cut: bool = False) -> AWSResponse:
    status, headers, body = answer
    raw: Any = MockRawResponse(body[: len(body) // 2] if cut else body)
    kept: Any = {**headers, "content-length": str(len(body))} if cut else headers
    return AWSResponse(request.url, status, kept, raw)


def _what(service: str, request: AWSPreparedRequest) -> str:
    if service != "s3":
        return ""
    path = request.url.split("?")[0].split("/", 3)[-1]
    return re.sub(r"[0-9a-f]{32}|\d{6,}", "*", path)


def _of_s3(status: int, code: str) -> Callable[[Call], Answer]:
    text = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{code}</Message></Error>"
    return lambda call: (status, {"content-type": "application/xml"}, text.encode())


def _of_json(status: int, code: str, **members: Any) -> Callable[[Call], Answer]:
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", **members}).encode()
    return lambda call: (status, {"content-type": "application/x-amz-json-1.0"}, body)


def _cancelled(reason: str) -> Callable[[Call], Answer]:
    reasons = [{"Code": reason, "Message": reason}, {"Code": "None"}]
    said = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{reason}, None]"
    return _of_json(400, "TransactionCanceledException", Message=said, CancellationReasons=reasons)


def _denied(call: Call) -> Answer:
    if call.service == "s3":
        return _of_s3(403, "AccessDenied")(call)
    return _of_json(400, "AccessDeniedException", message="not authorized")(call)


_ERRORS: dict[Fault, Callable[[Call], Answer]] = {
    Fault.SLOW_DOWN: _of_s3(503, "SlowDown"),
    Fault.S3_INTERNAL: _of_s3(500, "InternalError"),
    Fault.ERROR_IN_200: _of_s3(200, "InternalError"),
    Fault.THROUGHPUT: _of_json(400, "ProvisionedThroughputExceededException", message="slower"),
    Fault.THROTTLING: _of_json(400, "ThrottlingException", message="slower"),
    Fault.TABLE_INTERNAL: _of_json(500, "InternalServerError", message="broken"),
    Fault.CONFLICT: _cancelled("TransactionConflict"),
    Fault.CANCELLED: _cancelled("ThrottlingError"),
    Fault.IN_PROGRESS: _of_json(400, "TransactionInProgressException", message="wait"),
    Fault.DENIED: _denied,
}
