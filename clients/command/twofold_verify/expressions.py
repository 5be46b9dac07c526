"""Group keys by the expression that a report names, within bounded time.

Twofold splits with an engine that takes linear time; Python's `re` does not, and a report may come from anywhere. So all
searches together have a budget, which a timer enforces where the system has one.
"""

import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

BUDGET_SECONDS = 60.0

GroupKey = Callable[[dict[str, Any]], str | None]


class ExpressionError(Exception):
    """The expression cannot be used; the message says why."""


def group_keys(expression: str | None) -> GroupKey:
    """With a parenthesis a regular expression on the source-ref, otherwise the name of a member."""
    if expression is None:
        return lambda _: None
    if "(" not in expression:
        return lambda line: _text(line[expression]) if expression in line else None
    try:
        pattern = re.compile(expression, re.ASCII)
    except (re.error, RecursionError, OverflowError) as error:
        raise ExpressionError(f"is no regular expression: {error}.") from error
    if pattern.groups != 1:
        raise ExpressionError(f"has {pattern.groups} capturing groups, not one.")
    return _Searching(pattern, BUDGET_SECONDS)


def _text(value: Any) -> str:
    """Of a member's value; a whole number is the same with and without a point."""
    exact = type(value) is float and value.is_integer() and abs(value) < 1 << 53
    return str(int(value) if exact else value)


class _Searching:
    def __init__(self, pattern: re.Pattern[str], budget: float) -> None:
        self._pattern = pattern
        self._left = budget

    def __call__(self, line: dict[str, Any]) -> str | None:
        began = time.perf_counter()
        with _limited(self._left):
            match = self._pattern.search(line["source-ref"])
        self._left -= time.perf_counter() - began
        return match.group(1) if match else None


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raises ExpressionError when the time is up: Python's `re` looks for signals while it searches."""
    if seconds <= 0:
        raise ExpressionError("takes too long to search for.")
    if not _has_timer():
        yield
        return
    before = signal.signal(signal.SIGALRM, _time_is_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _has_timer() -> bool:
    on_main_thread = threading.current_thread() is threading.main_thread()
    return on_main_thread and hasattr(signal, "setitimer")


def _time_is_up(number: int, frame: FrameType | None) -> None:
    raise ExpressionError("takes too long to search for.")
