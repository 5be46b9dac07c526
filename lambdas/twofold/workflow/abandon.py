"""Abandon: end a failed operation, and explain the failure in the status message of the datasets."""

import json

from twofold import telemetry
from twofold.errors import OperationRefused
from twofold.metrics import Outcome
from twofold.operation_event import OperationEvent
from twofold.records import Operation, StatusMessageCode
from twofold.stores.table import Table, operations
from twofold.workflow.messages import Failure

_SOURCE_ERRORS = {
    "SourceChangedError": "The manifest file changed while it was read.",
    "ObjectUnreachableError": "The S3 bucket permissions are incorrect.",
}
_INTEGRITY_ERRORS = frozenset({"ConservationError", "DamagedObjectError", "LostObjectError"})
_SERVICE_ERROR = "An internal error occurred; nothing was changed. Try again."
_OUT_OF_MEMORY = (
    "A function ran out of memory; nothing was changed. It needs more memory, or less data."
)
_KILLED_CAUSE = "Runtime exited with error: signal: killed"
"""The cause contains it for each of the errors Runtime.OutOfMemory, Runtime.ExitError and Lambda.Unknown."""


def abandon(
    table: Table, operation: Operation, failure: Failure, now: int
) -> OperationEvent | None:
    """Set the operation's datasets to *_FAILED with the reason, and leave all contents unchanged.

    Returns the event to send, or None if the operation has ended already.
    """
    message, code = explain_failure(operation, failure)
    return end_operation(table, operation, message, code, now, failure.cause)


def end_operation(
    table: Table,
    operation: Operation,
    message: str,
    code: StatusMessageCode,
    now: int,
    cause: str = "",
) -> OperationEvent | None:
    """End the operation as failed with this status message; `cause` is for the log only.

    Returns the event to send, or None if the operation has ended already.
    """
    # The end of an operation is not before its creation, by a clock that may be ahead.
    now = max(now, operation.created)
    if not operations.abandon(table, operation, message, code, now):
        return None
    telemetry.record_operation_end(operation, Outcome(code.value), now, reason=message, cause=cause)
    return OperationEvent.from_operation(
        operation, operation.kind.failed_status, message, code, now
    )


def explain_failure(operation: Operation, failure: Failure) -> tuple[str, StatusMessageCode]:
    """Return StatusMessage and StatusMessageCode for an error caught by a state machine.

    An unreadable source is a client error for an ingest only: a distribution reads Twofold's own objects.
    """
    if failure.error == OperationRefused.__name__:
        return _extract_message(failure), StatusMessageCode.CLIENT_ERROR
    if failure.error in _SOURCE_ERRORS and operation.source:
        return _SOURCE_ERRORS[failure.error], StatusMessageCode.CLIENT_ERROR
    if _KILLED_CAUSE in failure.cause:
        return f"{_OUT_OF_MEMORY} ({failure.error})", StatusMessageCode.SERVICE_ERROR
    if failure.error in _INTEGRITY_ERRORS:
        detail = f"{failure.error}: {_extract_message(failure)}"
        return f"{_SERVICE_ERROR} ({detail})", StatusMessageCode.SERVICE_ERROR
    detail = failure.error or "no error name"
    return f"{_SERVICE_ERROR} ({detail})", StatusMessageCode.SERVICE_ERROR


def _extract_message(failure: Failure) -> str:
    """Return the exception's message from Lambda's JSON."""
    try:
        message: str = json.loads(failure.cause)["errorMessage"]
    except (ValueError, KeyError, TypeError):
        return failure.cause
    return message
