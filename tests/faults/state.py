"""A state of the protocol: where callers, their executions, the sweeper and Collect are, and the table between them."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any


class At(StrEnum):
    """Where a caller is."""

    BEGUN = "begun"
    READ = "read"
    FOUND = "found what it would get back"
    CLAIMED = "claimed"
    NOT_STARTED = "not started"
    OVER = "over"


class Collecting(StrEnum):
    """Where Collect is with the contents that were left long ago."""

    LISTED = "listed"
    HALF_LOOKED = "looked at the copies"
    USED = "used"
    UNUSED = "unused"
    HELD = "held"
    REMOVED = "removed"
    OVER = "over"


class Run(StrEnum):
    """An execution. One that has ended may have a worker that has not: it was aborted, or called twice."""

    MISSING = "missing"
    RUNNING = "running"
    LINGERING = "ended, with a worker"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class State:
    """`table` and what callers have `read` of it are numbers of saved tables. `sweep` is the operation that the sweeper
    looks at, and how it saw its execution. `collect` is where Collect is, `listed` when what it has listed was left, and
    `gone` whether it has removed the contents that were there before all this. `ends`: how operations have ended, in order."""

    table: int
    at: tuple[At, ...]
    read: tuple[int, ...]
    runs: tuple[Run, ...]
    sweep: tuple[int, Run] | None = None
    crashes: int = 1
    collect: Collecting | None = None
    listed: int = 0
    gone: bool = False
    ends: tuple[tuple[int, str], ...] = ()


def moved(state: State, who: int, place: At) -> State:
    return replace(state, at=put(state.at, who, place))


def ran(state: State, who: int, run: Run) -> State:
    return replace(state, runs=put(state.runs, who, run))


def put(all_of: tuple[Any, ...], who: int, value: Any) -> tuple[Any, ...]:
    return (*all_of[:who], value, *all_of[who + 1 :])
