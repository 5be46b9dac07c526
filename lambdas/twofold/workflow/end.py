"""How operations end that did not publish: by the failure path of their workflow, or from outside."""

import json

from twofold import telemetry
from twofold.errors import OperationRefused
from twofold.metrics import Outcome
from twofold.records import Operation, StatusCode
from twofold.stores.executions import Executions, ExecutionState
from twofold.stores.table import Table, operations
from twofold.workflow.orders import Failure

START_GRACE_MILLISECONDS = 60_000
"""How long an API call may be between its claim and its start: twice API Gateway's longest."""

_SOURCE_ERRORS = {
    "SourceChangedError": "The manifest file changed while it was read.",
    "ObjectUnreachableError": "The S3 bucket permissions are incorrect.",
}
_SERVICE_ERROR = "An internal error occurred; nothing was changed. Try again."


def abandon(table: Table, operation: Operation, failure: Failure, now: int) -> None:
    """Sets the operation's datasets to *_FAILED with the reason; their contents stay as they were."""
    message, code = explain(operation, failure)
    if operations.abandon(table, operation, message, code, now):
        telemetry.ended(operation, Outcome(code.value), now, reason=message, cause=failure.cause)


def explain(operation: Operation, failure: Failure) -> tuple[str, StatusCode]:
    """StatusMessage and StatusMessageCode for what a state machine caught.

    An unreadable source is the user's to mend where it is the user's: a distribution reads Twofold's own objects.
    """
    if failure.error == OperationRefused.__name__:
        return _said(failure), StatusCode.CLIENT_ERROR
    if failure.error in _SOURCE_ERRORS and operation.source:
        return _SOURCE_ERRORS[failure.error], StatusCode.CLIENT_ERROR
    return f"{_SERVICE_ERROR} ({failure.error or 'no error name'})", StatusCode.SERVICE_ERROR


def _said(failure: Failure) -> str:
    """The exception's message: Lambda wraps it in JSON."""
    try:
        message: str = json.loads(failure.cause)["errorMessage"]
    except (ValueError, KeyError, TypeError):
        return failure.cause
    return message


def settle(table: Table, executions: Executions, now: int) -> list[str]:
    """Ends the operations whose execution has ended without it, and starts those that were claimed and never started.

    Answers with the ids of the operations it acted on. One that cannot be settled does not keep the others waiting:
    what went wrong is raised together, at the end.
    """
    acted, failures = [], []
    active = operations.active(table)
    telemetry.watched(active, now)
    for operation in active:
        try:
            if _settled(table, executions, operation, now):
                acted.append(operation.id)
        except Exception as failure:
            failure.add_note(f"Operation {operation.id}")
            failures.append(failure)
    if failures:
        raise ExceptionGroup("Some operations could not be settled", failures)
    return acted


def _settled(table: Table, executions: Executions, operation: Operation, now: int) -> bool:
    match executions.state(operation):
        case ExecutionState.RUNNING:
            return False
        case ExecutionState.ENDED:
            abandon(table, operation, Failure(error="ExecutionEnded"), now)
        case ExecutionState.MISSING:
            if now - operation.created < START_GRACE_MILLISECONDS:
                return False
            executions.start(operation)
    return True
