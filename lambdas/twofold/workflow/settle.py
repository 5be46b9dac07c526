"""Settle: end operations after an execution has ended without doing so, and start claimed operations without an execution.

Runs every minute, and when an execution fails, times out or is aborted.
"""

from botocore.exceptions import BotoCoreError, ClientError

from twofold import telemetry
from twofold.records import Operation, StatusMessageCode
from twofold.stores.aws_errors import get_error_code
from twofold.stores.executions import Executions, ExecutionState
from twofold.stores.table import Table, operations
from twofold.workflow.abandon import abandon, end_operation
from twofold.workflow.messages import Failure

START_GRACE_MILLISECONDS = 60_000
"""Time for the API function to start an execution after its claim: more than twice its timeout."""

GIVE_UP_MILLISECONDS = 180_000
"""Time after which a start that fails is not retried. With a run every minute, datasets settle within five minutes."""

EXECUTION_MILLISECONDS = 7_200_000
"""The longest duration of an execution: TimeoutSeconds of the state machines."""

_NOT_STARTED = "The operation could not be started; nothing was changed. Try again."


def settle_operations(
    table: Table, executions: Executions, now: int, ended_execution: str | None = None
) -> list[str]:
    """Settle the active operations and return the ids of those that were ended or started.

    `ended_execution` is the ARN of an execution that is known to have ended; its state is not queried. An operation that cannot
    be settled does not stop the others: all errors are raised together at the end, as an ExceptionGroup.
    """
    settled, errors = [], []
    active = operations.list_active(table)
    telemetry.record_active_operations(active, now)
    for operation in active:
        try:
            if _settle_operation(table, executions, operation, now, ended_execution):
                settled.append(operation.id)
        except Exception as error:
            error.add_note(f"Operation {operation.id}")
            errors.append(error)
    if errors:
        raise ExceptionGroup("Some operations could not be settled", errors)
    return settled


def _settle_operation(
    table: Table,
    executions: Executions,
    operation: Operation,
    now: int,
    ended_execution: str | None,
) -> bool:
    """Return whether the operation was ended or started."""
    age = now - operation.created
    try:
        has_ended = ended_execution == executions.build_arn(operation)
        state = ExecutionState.ENDED if has_ended else executions.get_state(operation)
    except (ClientError, BotoCoreError) as error:
        if age < GIVE_UP_MILLISECONDS + EXECUTION_MILLISECONDS:
            _start_in_unknown_state(executions, operation, now)
            raise
        abandon(table, operation, Failure(error=get_error_code(error)), now)
        return True
    if state is ExecutionState.ENDED:
        abandon(table, operation, Failure(error="ExecutionEnded"), now)
        return True
    if state is ExecutionState.RUNNING or age < START_GRACE_MILLISECONDS:
        return False
    _start(table, executions, operation, now)
    return True


def _start_in_unknown_state(executions: Executions, operation: Operation, now: int) -> None:
    """Start the execution if its state cannot be queried: a start is idempotent, so it does not affect an existing execution.

    Whether the execution has ended remains unknown. Later runs query the state again until no execution can be running.
    """
    if now - operation.created >= START_GRACE_MILLISECONDS:
        executions.start(operation)


def _start(table: Table, executions: Executions, operation: Operation, now: int) -> None:
    """Start the execution. If that fails, later runs retry until GIVE_UP_MILLISECONDS; then the operation ends as failed."""
    try:
        executions.start(operation)
    except (ClientError, BotoCoreError) as error:
        if now - operation.created < GIVE_UP_MILLISECONDS:
            raise
        message = f"{_NOT_STARTED} ({get_error_code(error)})"
        end_operation(table, operation, message, StatusMessageCode.SERVICE_ERROR, now)
