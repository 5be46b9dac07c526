"""The levels of the lines of a manifest as arrays: values numbered in each range, and joined to levels over all ranges.

The quantile of a value, of K, is `1 + floor(K * below / n)`: `n` entries have a number, `below` of them a smaller one. Numbers
are compared exactly, equal numbers are in the same quantile, and no order of the lines matters. A quantile may be empty if
many numbers are equal.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from twofold.levels import Levels
from twofold.manifest.index.numbering import Numbering

LevelValue = str | int | float | None

MAX_LEVELS = 1_000
NO_LEVELS = (1 << 32) - 1
"""The number of a line without valid values."""


class TooManyLevelsError(Exception):
    """A member has more than MAX_LEVELS levels. The message has the remedy."""


class Member(Protocol):
    """A balanced member: see `balance_by.BalancedMember`."""

    @property
    def name(self) -> str: ...
    @property
    def quantiles(self) -> int | None: ...
    @property
    def expression(self) -> str: ...


@dataclass(frozen=True, slots=True)
class LevelTable:
    """The values of L lines of one range in M members.

    `number` uint32[M, L]: for each member the position of each line's value in `values`, or NO_LEVELS. `values`: for each
    member the distinct values.
    """

    number: NDArray[np.uint32]
    values: tuple[tuple[LevelValue, ...], ...]


class LevelTableBuilder:
    """Collects the values of each line of one range."""

    def __init__(self, members: int) -> None:
        self._value_numbers = tuple(Numbering() for _ in range(members))
        self._line_numbers = tuple(array("I") for _ in range(members))

    def add_line(self, values: Sequence[LevelValue] | None) -> None:
        """Add a line with a value for each member, or None for a line without valid values."""
        for position, numbers in enumerate(self._line_numbers):
            numbers.append(
                NO_LEVELS if values is None else self._value_numbers[position][values[position]]
            )

    def build(self) -> LevelTable:
        lines = len(self._line_numbers[0]) if self._line_numbers else 0
        number = np.array(self._line_numbers, np.uint32).reshape(len(self._line_numbers), lines)
        return LevelTable(number, tuple(tuple(numbers) for numbers in self._value_numbers))


def join_levels(
    tables: Sequence[LevelTable], members: Sequence[Member], kept: NDArray[np.bool_]
) -> Levels:
    """Return the levels of the kept lines, all of which must have valid values. Raises TooManyLevelsError."""
    names: list[tuple[str, str | None]] = []
    columns = []
    for index, member in enumerate(members):
        values, number = _join_values(tables, index, kept)
        level, texts = _number_levels(member, values, number)
        columns.append(level[number] + np.uint32(len(names)))
        names += [(member.name, text) for text in texts]
    expressions = tuple(member.expression for member in members)
    return Levels(expressions, tuple(names), np.array(columns, np.uint32))


def _join_values(
    tables: Sequence[LevelTable], index: int, kept: NDArray[np.bool_]
) -> tuple[list[LevelValue], NDArray[np.int64]]:
    """Return the distinct values of a member, and the position of each kept line's value among them."""
    positions, numbers = Numbering(), []
    for table in tables:
        mapping = np.array([positions[value] for value in table.values[index]], np.uint32)
        # The last index is for lines without valid values.
        mapping = np.append(mapping, np.uint32(NO_LEVELS))
        numbers.append(mapping[np.minimum(table.number[index], np.uint32(len(mapping) - 1))])
    number = np.concatenate(numbers)[kept]
    # Values of rejected lines only are no levels.
    used, compact = np.unique(number, return_inverse=True)
    values = list(positions)
    return [values[position] for position in used.tolist()], compact.astype(np.int64)


def _number_levels(
    member: Member, values: list[LevelValue], number: NDArray[np.int64]
) -> tuple[NDArray[np.uint32], list[str | None]]:
    """Return the level of each value, and the texts of the levels."""
    if member.quantiles is None:
        keys = _rank_texts(values)
        if len(values) > MAX_LEVELS:
            raise TooManyLevelsError(_describe_excess(member, len(values)))
    else:
        entries = np.bincount(number, minlength=len(values)).tolist()
        keys = _rank_quantiles(values, entries, member.quantiles)
    # Consecutive numbers of the levels that exist; the key None is the missing level, the last one.
    order = sorted({key for key in keys if key is not None})
    rank = {key: level for level, key in enumerate([*order, *([None] if None in keys else [])])}
    texts: list[str | None] = [None] * len(rank)
    members_of_level: dict[int, list[Any]] = {}
    for value, key in zip(values, keys, strict=True):
        members_of_level.setdefault(rank[key], []).append(value)
    for level, content in members_of_level.items():
        texts[level] = None if content == [None] else _describe_range(content)
    return np.array([rank[key] for key in keys], np.uint32), texts


def _rank_texts(values: list[LevelValue]) -> list[Any]:
    return [None if value is None else str(value).encode() for value in values]


def _rank_quantiles(values: list[LevelValue], entries: list[int], quantiles: int) -> list[Any]:
    """The quantile, from 0, of each value; None for the missing value. `entries` counts the entries of each value."""
    numbers: list[Any] = [value for value in values if value is not None]
    count_of = dict(zip(values, entries, strict=True))
    ordered = sorted(numbers)
    below = accumulate((count_of[number] for number in ordered), initial=0)
    total = sum(count_of[number] for number in ordered)
    quantile = {
        number: quantiles * smaller // total
        for number, smaller in zip(ordered, below, strict=False)
    }
    return [None if value is None else quantile[value] for value in values]


def _describe_range(content: list[Any]) -> str:
    low, high = min(content), max(content)
    return str(low) if low == high else f"{low} to {high}"


def _describe_excess(member: Member, levels: int) -> str:
    return (
        f"The member {member.name!r} has {levels} different values; at most {MAX_LEVELS} are balanced. "
        f"Balance a number by its quantiles: --balance-by {member.name}:5."
    )
