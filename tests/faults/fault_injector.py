"""Fault injection into calls to AWS, between botocore with real retries and moto.

A fault affects one call. `Killed` ends the calling process.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse

from tests.faults.anomalies import READS, is_consistent, read_separately
from tests.faults.faults import (
    DELAY_MILLISECONDS,
    ERROR_RESPONSES,
    Call,
    ChooseFault,
    Fault,
    HttpResponse,
    Killed,
)


@dataclass
class FaultInjector:
    """Hooks and records of calls.

    choose_fault       returns the fault of a call, or None
    on_call            runs before (False) and after (True) each call
    on_sent            runs after each operation of moto, including duplicated calls and calls of the test itself
    reads_separately   decides whether the items of a read are read at different times
    services           responses to the calls of services other than moto's
    torn_reads         number of reads whose items were read at different times
    """

    choose_fault: ChooseFault = lambda call: None
    on_call: Callable[[Call, bool], None] = lambda call, done: None
    on_sent: Callable[[str], None] = lambda operation: None
    delay: Callable[[int], None] = lambda milliseconds: None
    get_process_name: Callable[[], str] = lambda: "test"
    services: dict[str, Callable[[str, dict[str, Any]], HttpResponse]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    faults: list[tuple[Call, Fault]] = field(default_factory=list)
    paused: int = 0
    reads_separately: Callable[[Call], bool] = lambda call: False
    torn_reads: int = 0
    _tokens: dict[str, HttpResponse] = field(default_factory=dict)

    def reset(self) -> None:
        """Remove faults, hooks and records."""
        self.choose_fault, self.on_sent = lambda call: None, lambda operation: None
        self.calls.clear()
        self.faults.clear()

    @contextmanager
    def install(self) -> Iterator["FaultInjector"]:
        """Install the fault injector between botocore and moto."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(BotocoreStubber, "__call__", self._handle_request)
            yield self

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Let calls of the test itself pass, without faults and records."""
        self.paused += 1
        try:
            yield
        finally:
            self.paused -= 1

    def _handle_request(
        self, event_name: str, request: AWSPreparedRequest, **more: Any
    ) -> AWSResponse:
        _, service, operation = event_name.split(".", 2)
        if self.paused:
            return _build_response(request, self._send(service, operation, request))
        call = Call(
            len(self.calls),
            self.get_process_name(),
            service,
            operation,
            _name_resource(service, request),
            request.url,
        )
        self.calls.append(call)
        fault = self.choose_fault(call)
        if fault:
            self.faults.append((call, fault))
        return self._apply_fault(call, fault, request)

    def _apply_fault(
        self, call: Call, fault: Fault | None, request: AWSPreparedRequest
    ) -> AWSResponse:
        self.on_call(call, False)
        if fault in ERROR_RESPONSES:
            return _build_response(request, ERROR_RESPONSES[fault](call))
        self._apply_before_sending(call, fault, request)
        response = self._read_separately(call, request) or self._send(
            call.service, call.operation, request
        )
        self.on_call(call, True)
        match fault:
            case Fault.KILLED_AFTER:
                raise Killed
            case Fault.UNANSWERED:
                raise ReadTimeoutError(endpoint_url=request.url)
            case Fault.GARBLED:
                return _build_response(request, (response[0], response[1], response[2][:7] + b"?"))
        return _build_response(request, response, cut=fault is Fault.CUT)

    def _read_separately(self, call: Call, request: AWSPreparedRequest) -> HttpResponse | None:
        """Return the response to a read of several items, each read at another time; None for any other call."""
        if call.service != "dynamodb" or call.operation not in READS:
            return None
        assert is_consistent(call.operation, _parse_body(request)), (
            "The read is not strongly consistent."
        )
        if call.operation == "GetItem" or not self.reads_separately(call):
            return None
        self.torn_reads += 1
        return read_separately(
            call.operation,
            request,
            lambda single: self._send(call.service, call.operation, single),
            lambda: self.on_call(call, False),
        )

    def _apply_before_sending(
        self, call: Call, fault: Fault | None, request: AWSPreparedRequest
    ) -> None:
        match fault:
            case Fault.KILLED_BEFORE:
                raise Killed
            case Fault.LOST:
                raise ConnectionClosedError(endpoint_url=request.url)
            case Fault.LATE:
                self.delay(DELAY_MILLISECONDS)
            case Fault.TWICE:
                self._send(call.service, call.operation, request)
                request.reset_stream()
                self.on_call(call, True)

    def _send(self, service: str, operation: str, request: AWSPreparedRequest) -> HttpResponse:
        """Send a request to moto. A transaction repeated with the same token is not executed again, unlike in moto."""
        if service in self.services:
            return self.services[service](operation, _parse_body(request))
        token = ""
        if operation == "TransactWriteItems":
            token = _parse_body(request)["ClientRequestToken"]
            if token in self._tokens:
                return self._tokens[token]
        result = BotocoreStubber().process_request(request)
        assert result is not None
        status, headers, body = result
        response = (status, headers, body.encode() if isinstance(body, str) else bytes(body))
        if token and status == 200:
            self._tokens[token] = response
        self.on_sent(operation)
        return response


def _parse_body(request: AWSPreparedRequest) -> dict[str, Any]:
    assert isinstance(request.body, bytes)
    body: dict[str, Any] = json.loads(request.body)
    return body


def _build_response(
    request: AWSPreparedRequest, response: HttpResponse, *, cut: bool = False
) -> AWSResponse:
    status, headers, body = response
    raw: Any = MockRawResponse(body[: len(body) // 2] if cut else body)
    response_headers: Any = {**headers, "content-length": str(len(body))} if cut else headers
    return AWSResponse(request.url, status, response_headers, raw)


def _name_resource(service: str, request: AWSPreparedRequest) -> str:
    if service != "s3":
        return ""
    path = request.url.split("?")[0].split("/", 3)[-1]
    return re.sub(r"[0-9a-f]{32}|\d{6,}", "*", path)
