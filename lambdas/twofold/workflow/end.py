"""How operations end that did not publish: by the failure path of their workflow, or from outside."""

import json

from botocore.exceptions import BotoCoreError, ClientError

from twofold import telemetry
from twofold.errors import OperationRefused
from twofold.metrics import Outcome
from twofold.records import Operation, StatusCode
from twofold.settled import Settled
from twofold.stores.executions import Executions, ExecutionState
from twofold.stores.failures import error_code
from twofold.stores.table import Table, operations
from twofold.workflow.orders import Failure

START_GRACE_MILLISECONDS = 60_000
"""How long an API call may be between its claim and its start: twice as long as the function may take, and more."""

GIVE_UP_MILLISECONDS = 180_000
"""How long a start that fails is tried again; with a sweep a minute, its datasets are settled before five minutes are over."""

EXECUTION_MILLISECONDS = 7_200_000
"""How long an execution can last at the most: the state machines' TimeoutSeconds."""

_SOURCE_ERRORS = {
    "SourceChangedError": "The manifest file changed while it was read.",
    "ObjectUnreachableError": "The S3 bucket permissions are incorrect.",
}
_DAMAGE = frozenset({"ConservationError", "DamagedObjectError", "LostObjectError"})
_SERVICE_ERROR = "An internal error occurred; nothing was changed. Try again."
_OUT_OF_MEMORY = (
    "A function ran out of memory; nothing was changed. It needs more memory, or less data."
)
_KILLED = "Runtime exited with error: signal: killed"
"""In the cause of a failure, whether its error is Runtime.OutOfMemory, Runtime.ExitError or Lambda.Unknown."""
_NOT_STARTED = "The operation could not be started; nothing was changed. Try again."


def abandon(table: Table, operation: Operation, failure: Failure, now: int) -> Settled | None:
    """Sets the operation's datasets to *_FAILED with the reason; their contents stay as they were.

    Answers with what settled, if it was this that settled it.
    """
    message, code = explain(operation, failure)
    return _give_up(table, operation, message, code, now, failure.cause)


def _give_up(
    table: Table, operation: Operation, message: str, code: StatusCode, now: int, cause: str = ""
) -> Settled | None:
    now = max(now, operation.created)
    if not operations.abandon(table, operation, message, code, now):
        return None
    telemetry.ended(operation, Outcome(code.value), now, reason=message, cause=cause)
    return Settled.of(operation, operation.kind.failed, message, code, now)


def explain(operation: Operation, failure: Failure) -> tuple[str, StatusCode]:
    """StatusMessage and StatusMessageCode for what a state machine caught.

    An unreadable source is the user's to mend where it is the user's: a distribution reads Twofold's own objects.
    """
    if failure.error == OperationRefused.__name__:
        return _said(failure), StatusCode.CLIENT_ERROR
    if failure.error in _SOURCE_ERRORS and operation.source:
        return _SOURCE_ERRORS[failure.error], StatusCode.CLIENT_ERROR
    if _KILLED in failure.cause:
        return f"{_OUT_OF_MEMORY} ({failure.error})", StatusCode.SERVICE_ERROR
    if failure.error in _DAMAGE:
        return f"{_SERVICE_ERROR} ({failure.error}: {_said(failure)})", StatusCode.SERVICE_ERROR
    return f"{_SERVICE_ERROR} ({failure.error or 'no error name'})", StatusCode.SERVICE_ERROR


def _said(failure: Failure) -> str:
    """The exception's message: Lambda wraps it in JSON."""
    try:
        message: str = json.loads(failure.cause)["errorMessage"]
    except (ValueError, KeyError, TypeError):
        return failure.cause
    return message


def settle(table: Table, executions: Executions, now: int, ended: str | None = None) -> list[str]:
    """Ends the operations whose execution has ended without it, and starts those that were claimed and never started.

    `ended` is the ARN of an execution that is known to have ended: nothing has to be asked about it.
    Answers with the ids of the operations it acted on. One that cannot be settled does not keep the others waiting:
    what went wrong is raised together, at the end.
    """
    acted, failures = [], []
    active = operations.active(table)
    telemetry.watched(active, now)
    for operation in active:
        try:
            if _settled(table, executions, operation, now, ended):
                acted.append(operation.id)
        except Exception as failure:
            failure.add_note(f"Operation {operation.id}")
            failures.append(failure)
    if failures:
        raise ExceptionGroup("Some operations could not be settled", failures)
    return acted


def _settled(
    table: Table, executions: Executions, operation: Operation, now: int, ended: str | None
) -> bool:
    """Whether it acted."""
    age = now - operation.created
    try:
        known = ended == executions.arn(operation)
        state = ExecutionState.ENDED if known else executions.state(operation)
    except (ClientError, BotoCoreError) as error:
        if age < GIVE_UP_MILLISECONDS + EXECUTION_MILLISECONDS:
            _start_unseen(executions, operation, now)
            raise
        abandon(table, operation, Failure(error=error_code(error)), now)
        return True
    if state is ExecutionState.ENDED:
        abandon(table, operation, Failure(error="ExecutionEnded"), now)
        return True
    if state is ExecutionState.RUNNING or age < START_GRACE_MILLISECONDS:
        return False
    _start(table, executions, operation, now)
    return True


def _start_unseen(executions: Executions, operation: Operation, now: int) -> None:
    """Where the state cannot be learned: a start does nothing to an execution that there is, and all that can be done for
    one that there is not. Whether it has ended is not told by it, so it is asked for again until none can be running."""
    if now - operation.created >= START_GRACE_MILLISECONDS:
        executions.start(operation)


def _start(table: Table, executions: Executions, operation: Operation, now: int) -> None:
    """A start that fails is tried again by the next sweep, but not for ever."""
    try:
        executions.start(operation)
    except (ClientError, BotoCoreError) as error:
        if now - operation.created < GIVE_UP_MILLISECONDS:
            raise
        message = f"{_NOT_STARTED} ({error_code(error)})"
        _give_up(table, operation, message, StatusCode.SERVICE_ERROR, now)
