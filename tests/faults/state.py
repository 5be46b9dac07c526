"""A state of the protocol model: the positions of callers, executions, Settle and Collect, and the table."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any


class CallerState(StrEnum):
    """Position of a caller."""

    BEGUN = "begun"
    READ = "read"
    FOUND = "found the previous contents"
    CLAIMED = "claimed"
    NOT_STARTED = "not started"
    OVER = "over"


class CollectState(StrEnum):
    """Position of Collect, for contents released long ago."""

    LISTED = "listed"
    COPIES_CHECKED = "checked the copies"
    USED = "used"
    UNUSED = "unused"
    HELD = "held"
    REMOVED = "removed"
    OVER = "over"


class ExecutionState(StrEnum):
    """State of an execution. After an abort or a duplicated call, a worker can outlive the execution."""

    MISSING = "missing"
    RUNNING = "running"
    LINGERING = "ended, with a worker"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class State:
    """A state of the model. Tables are numbers of saved tables.

    table              the present table
    callers            position of each caller
    read_tables        the table read by each caller
    executions         state of the execution of each caller's operation
    sweep              the operation in Settle, and the execution state read by Settle
    collect            position of Collect
    listed             release time of the contents, as listed by Collect
    contents_removed   whether Collect has deleted the contents of the beginning
    ends               how operations have ended, in order
    """

    table: int
    callers: tuple[CallerState, ...]
    read_tables: tuple[int, ...]
    executions: tuple[ExecutionState, ...]
    sweep: tuple[int, ExecutionState] | None = None
    crashes: int = 1
    collect: CollectState | None = None
    listed: int = 0
    contents_removed: bool = False
    ends: tuple[tuple[int, str], ...] = ()


def set_caller(state: State, caller: int, position: CallerState) -> State:
    return replace(state, callers=replace_element(state.callers, caller, position))


def set_execution(state: State, caller: int, execution: ExecutionState) -> State:
    return replace(state, executions=replace_element(state.executions, caller, execution))


def replace_element(elements: tuple[Any, ...], index: int, value: Any) -> tuple[Any, ...]:
    return (*elements[:index], value, *elements[index + 1 :])
