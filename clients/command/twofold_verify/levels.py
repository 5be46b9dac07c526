"""Levels of balanced members: `camera` has each value as a level, `age:5` the five quantiles of a number.

A level is text; 3, 3.0 and "3" are one level, and so are true and "true". A missing, null or empty value is a level of its own.
The quantile of a number, of K, is floor(K * below / n): `n` entries have a number, `below` of them a smaller number.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

MAX_QUANTILES = 100
_MAX_CHARACTERS = 255
_EXACT_IN_A_DOUBLE = 1 << 53
_EXPRESSION = re.compile(r"(.+):([0-9]+)", re.DOTALL)

Value = str | int | float | None
Level = tuple[str, str | None]
"""The member and the text of a level; None for entries without a value."""


class ExpressionError(ValueError):
    """The expression of a member cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Member:
    """A balanced member; `quantiles` is 0 if each value is a level."""

    name: str
    quantiles: int

    def read_value(self, line: Mapping[str, Any]) -> Value:
        """Returns the value of a line. Raises ValueError with a message that completes "it …"."""
        value = line.get(self.name)
        if value is None or value == "":
            return None
        if self.quantiles:
            if type(value) in (int, float):
                return _normalize_number(value)
        elif type(value) is bool:
            return str(value).lower()
        elif type(value) is int or (type(value) is str and len(value) <= _MAX_CHARACTERS):
            return str(value)
        elif type(value) is float and value.is_integer() and abs(value) < _EXACT_IN_A_DOUBLE:
            return str(int(value))
        raise ValueError(f"has a value of the member {self.name[:100]!r} that is no level")


def parse_members(expressions: Iterable[str]) -> list[Member]:
    """Returns the members. Raises ExpressionError."""
    members = [_parse_member(expression) for expression in expressions]
    names = [member.name for member in members]
    if names != sorted(set(names)):
        raise ExpressionError("has members twice or out of order")
    return members


def _parse_member(expression: str) -> Member:
    match = _EXPRESSION.fullmatch(expression)
    if not expression or "," in expression:
        raise ExpressionError(f"has {expression[:100]!r}, which names no member")
    if match is None:
        return Member(expression, 0)
    if len(match[2]) > 3 or not 2 <= int(match[2]) <= MAX_QUANTILES or match[2].startswith("0"):
        raise ExpressionError(f"has {expression[:100]!r} with a wrong number of quantiles")
    return Member(match[1], int(match[2]))


def _normalize_number(value: Any) -> int | float:
    """Returns a whole number as int, so that its text does not depend on its spelling."""
    if type(value) is float and value.is_integer() and -(1 << 63) <= int(value) < 1 << 64:
        return int(value)
    number: int | float = value
    return number


def name_levels(member: Member, values: Counter[Value]) -> dict[Value, Level]:
    """Returns the level of each value, from the number of entries with each value."""
    if not member.quantiles:
        return {value: (member.name, None if value is None else str(value)) for value in values}
    numbers = sorted(value for value in values if not isinstance(value, str | None))
    total = sum(values[number] for number in numbers)
    members_of_quantile: dict[int, list[int | float]] = {}
    below = 0
    for number in numbers:
        members_of_quantile.setdefault(member.quantiles * below // total, []).append(number)
        below += values[number]
    levels: dict[Value, Level] = {None: (member.name, None)} if None in values else {}
    for content in members_of_quantile.values():
        low, high = content[0], content[-1]
        text = str(low) if low == high else f"{low} to {high}"
        levels |= dict.fromkeys(content, (member.name, text))
    return levels


def order_levels(member: Member, levels: Mapping[Value, Level]) -> list[Level]:
    """Returns the levels in the order of the report: quantiles ascend, texts are sorted, the missing level is last."""
    values = [value for value in levels if value is not None]
    # Code points have the order of UTF-8 bytes. A member has values of one type: texts or numbers.
    ordered = [levels[value] for value in sorted(values, key=lambda value: (0, value))]
    missing = [levels[None]] if None in levels else []
    return [*dict.fromkeys(ordered), *missing]
