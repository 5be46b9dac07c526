"""Faults of calls to AWS, and the error responses of S3, DynamoDB and Step Functions."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Killed(BaseException):
    """The process is killed. Not an Exception: no handler of the service catches this."""


class Fault(StrEnum):
    """Faults of AWS, of the network, and of the calling process."""

    SLOW_DOWN = "SlowDown"
    S3_INTERNAL = "InternalError"
    ERROR_IN_200 = "InternalError in a response 200"
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


_COMMON_FAULTS = (
    Fault.LOST,
    Fault.UNANSWERED,
    Fault.TWICE,
    Fault.LATE,
    Fault.KILLED_BEFORE,
    Fault.KILLED_AFTER,
)
_JSON_FAULTS = (Fault.THROTTLING, Fault.TABLE_INTERNAL, Fault.DENIED, Fault.GARBLED)
_OPERATION_FAULTS = {
    "GetObject": (Fault.CUT,),
    "CompleteMultipartUpload": (Fault.ERROR_IN_200,),
    "TransactWriteItems": (Fault.CONFLICT, Fault.CANCELLED, Fault.IN_PROGRESS),
}
DELAY_MILLISECONDS = 20_000


@dataclass(frozen=True, slots=True)
class Call:
    """A call to AWS. `resource` is the key of an object in S3, with numbers and ids replaced by `*`."""

    number: int
    process: str
    service: str
    operation: str
    resource: str
    url: str = ""

    @property
    def site(self) -> tuple[str, str, str]:
        return self.process, self.operation, self.resource

    def list_faults(self) -> tuple[Fault, ...]:
        """Return the possible faults. Step Functions itself (for lists of items) is never killed."""
        if self.process == "execution":
            return (Fault.SLOW_DOWN, Fault.DENIED, Fault.CUT, Fault.LOST, Fault.LATE)
        operation_faults = _OPERATION_FAULTS.get(self.operation, ())
        if self.service == "s3":
            return (
                Fault.SLOW_DOWN,
                Fault.S3_INTERNAL,
                Fault.DENIED,
                *operation_faults,
                *_COMMON_FAULTS,
            )
        table = (Fault.THROUGHPUT,) if self.service == "dynamodb" else ()
        return (*_JSON_FAULTS, *table, *operation_faults, *_COMMON_FAULTS)


ChooseFault = Callable[[Call], Fault | None]
HttpResponse = tuple[int, dict[str, str], bytes]


def _make_s3_error(status: int, code: str) -> Callable[[Call], HttpResponse]:
    text = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{code}</Message></Error>"
    return lambda call: (status, {"content-type": "application/xml"}, text.encode())


def _make_json_error(status: int, code: str, **members: Any) -> Callable[[Call], HttpResponse]:
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", **members}).encode()
    return lambda call: (status, {"content-type": "application/x-amz-json-1.0"}, body)


def _make_cancellation(reason: str) -> Callable[[Call], HttpResponse]:
    reasons = [{"Code": reason, "Message": reason}, {"Code": "None"}]
    message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{reason}, None]"
    return _make_json_error(
        400, "TransactionCanceledException", Message=message, CancellationReasons=reasons
    )


def _deny_access(call: Call) -> HttpResponse:
    if call.service == "s3":
        return _make_s3_error(403, "AccessDenied")(call)
    return _make_json_error(400, "AccessDeniedException", message="not authorized")(call)


ERROR_RESPONSES: dict[Fault, Callable[[Call], HttpResponse]] = {
    Fault.SLOW_DOWN: _make_s3_error(503, "SlowDown"),
    Fault.S3_INTERNAL: _make_s3_error(500, "InternalError"),
    Fault.ERROR_IN_200: _make_s3_error(200, "InternalError"),
    Fault.THROUGHPUT: _make_json_error(
        400, "ProvisionedThroughputExceededException", message="slower"
    ),
    Fault.THROTTLING: _make_json_error(400, "ThrottlingException", message="slower"),
    Fault.TABLE_INTERNAL: _make_json_error(500, "InternalServerError", message="broken"),
    Fault.CONFLICT: _make_cancellation("TransactionConflict"),
    Fault.CANCELLED: _make_cancellation("ThrottlingError"),
    Fault.IN_PROGRESS: _make_json_error(400, "TransactionInProgressException", message="wait"),
    Fault.DENIED: _deny_access,
}
