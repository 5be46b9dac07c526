"""Group keys by the expression in the report, in bounded time.

Twofold uses a regular expression engine with linear time. Python's `re` can take exponential time, and the report may come from
an untrusted source. So all searches in a manifest share a time budget, which a system timer enforces.
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

from twofold_verify.keys import mark_single

MAX_EXPRESSION_CHARACTERS = 1_000
BUDGET_SECONDS = 20.0
SECONDS_PER_SEARCH = 50e-6
"""Each line adds this time to the budget: several times the duration of an ordinary search."""
_EXACT_IN_A_DOUBLE = 1 << 53

GroupKey = Callable[[dict[str, Any]], str | None]


class ExpressionError(Exception):
    """The expression cannot be used; the message says why."""


def make_group_key(expression: str | None, *, allows_singles: bool = False) -> GroupKey:
    """Returns the group key function: of a regular expression on the source-ref if the expression has a parenthesis, otherwise
    of the field with this name. With `allows_singles`, an entry without a value has an own key. Raises ExpressionError."""
    if expression is None:
        return lambda _: None
    group_key = _make_plain_key(expression)
    if not allows_singles:
        return group_key
    return lambda line: group_key(line) or _make_single_key(line, expression)


def _make_single_key(line: dict[str, Any], expression: str) -> str | None:
    """Returns None for a value that is no key, such as 3.5: only a missing, null or empty value makes a single entry."""
    if "(" not in expression and line.get(expression) not in (None, ""):
        return None
    return mark_single(line["source-ref"])


def _make_plain_key(expression: str) -> GroupKey:
    if not 0 < len(expression) <= MAX_EXPRESSION_CHARACTERS:
        raise ExpressionError(f"must have 1 to {MAX_EXPRESSION_CHARACTERS} characters.")
    if "(" not in expression:
        return lambda line: format_member_key(line.get(expression))
    with _limit_time(BUDGET_SECONDS):
        pattern = _compile(expression)
    if pattern.groups != 1:
        raise ExpressionError(f"has {pattern.groups} capturing groups, not one.")
    return _RegexGroupKey(pattern, BUDGET_SECONDS)


def format_member_key(value: Any) -> str | None:
    """Returns a string unchanged, and an integral number in decimal digits: 3, 3.0 and 30e-1 are the group "3", -0.0 is "0".

    Returns None for an empty string, another type, a fraction, and a floating-point number from 2**53 on, where not every
    integer is a double.
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


class _RegexGroupKey:
    def __init__(self, pattern: re.Pattern[str], budget: float) -> None:
        self._pattern = pattern
        self._left = budget

    def __call__(self, line: dict[str, Any]) -> str | None:
        began = time.perf_counter()
        with _limit_time(self._left):
            match = self._pattern.search(line["source-ref"])
        self._left -= time.perf_counter() - began - SECONDS_PER_SEARCH
        return match.group(1) or None if match else None


@contextmanager
def _limit_time(seconds: float) -> Iterator[None]:
    """Raises ExpressionError in the block at the end of the time: Python's `re` handles signals during a search."""
    if seconds <= 0:
        _raise_timeout()
    if threading.current_thread() is not threading.main_thread() or not hasattr(
        signal, "setitimer"
    ):
        raise ExpressionError(
            "is a regular expression, which only a main thread on POSIX can time."
        )
    before = signal.signal(signal.SIGALRM, _raise_timeout)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _raise_timeout(number: int = 0, frame: FrameType | None = None) -> None:
    raise ExpressionError("takes too long to search for.")
