"""Group keys by the expression that a report names, within bounded time.

Twofold splits with an engine that takes linear time; Python's `re` does not, and a report may come from anywhere. So all
searches in one manifest have a budget together, which a timer of the system enforces.
"""

import re
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

MAX_EXPRESSION_CHARACTERS = 1_000
BUDGET_SECONDS = 20.0
SECONDS_PER_SEARCH = 50e-6
"""So much more time there is for each line, several times as much as an ordinary expression takes."""
_EXACT_IN_A_DOUBLE = 1 << 53

GroupKey = Callable[[dict[str, Any]], str | None]


class ExpressionError(Exception):
    """The expression cannot be used; the message says why."""


def group_keys(expression: str | None) -> GroupKey:
    """With a parenthesis a regular expression on the source-ref, otherwise the name of a member. Raises ExpressionError."""
    if expression is None:
        return lambda _: None
    if not 0 < len(expression) <= MAX_EXPRESSION_CHARACTERS:
        raise ExpressionError(f"must have 1 to {MAX_EXPRESSION_CHARACTERS} characters.")
    if "(" not in expression:
        return lambda line: member_key(line.get(expression))
    with _limited(BUDGET_SECONDS):
        pattern = _compile(expression)
    if pattern.groups != 1:
        raise ExpressionError(f"has {pattern.groups} capturing groups, not one.")
    return _Searching(pattern, BUDGET_SECONDS)


def member_key(value: Any) -> str | None:
    """The text itself, or a whole number in decimal digits: 3, 3.0 and 30e-1 are the group "3", -0.0 is "0".

    None where there is no key: for an empty text, another type, a fraction, and a number with a point or an exponent
    from 2**53 on, where not every whole number is a double.
    """
    if type(value) is float and value.is_integer() and abs(value) < _EXACT_IN_A_DOUBLE:
        return str(int(value))
    return str(value) if type(value) in (int, str) and value != "" else None


def _compile(expression: str) -> re.Pattern[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return re.compile(expression, re.ASCII)
    except (re.error, RecursionError, OverflowError, MemoryError) as error:
        raise ExpressionError(f"is no regular expression: {error}.") from error


class _Searching:
    def __init__(self, pattern: re.Pattern[str], budget: float) -> None:
        self._pattern = pattern
        self._left = budget

    def __call__(self, line: dict[str, Any]) -> str | None:
        began = time.perf_counter()
        with _limited(self._left):
            match = self._pattern.search(line["source-ref"])
        self._left -= time.perf_counter() - began - SECONDS_PER_SEARCH
        return match.group(1) or None if match else None


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raises ExpressionError when the time is up: Python's `re` looks for signals while it searches."""
    if seconds <= 0:
        _raise_late()
    if threading.current_thread() is not threading.main_thread() or not hasattr(
        signal, "setitimer"
    ):
        raise ExpressionError(
            "is a regular expression, which only a main thread on POSIX can time."
        )
    before = signal.signal(signal.SIGALRM, _raise_late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _raise_late(number: int = 0, frame: FrameType | None = None) -> None:
    raise ExpressionError("takes too long to search for.")
