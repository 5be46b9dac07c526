"""The balanced members of `--balance-by`, and the value of a member in a line.

`camera` takes each value as a level: text, a whole number, true or false. `age:5` takes numbers and divides them into five
quantiles. A member that is missing, null or an empty text has no value. Any other value is an error that names the line.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson

from twofold.manifest.levels.level_table import LevelTableBuilder, LevelValue
from twofold.manifest.line.byte_ranges import LineBatch
from twofold.manifest.line.document import Document

MAX_MEMBERS = 16
MAX_QUANTILES = 100
MAX_MEMBER_CHARACTERS = 1_000
MAX_LEVEL_CHARACTERS = 255
MAX_REASONS = 3
"""Messages name this many lines with a wrong value and count the others."""

_EXACT_FLOAT = 1 << 53
_WORD_NUMBERS = range(-(1 << 63), 1 << 64)
"""JSON parsers read whole numbers beyond these as floating-point numbers."""

_QUANTILES = re.compile(r"(.+):([0-9]+)", re.DOTALL)


class LevelError(Exception):
    """A line has a value that is no level. The message is the reason."""


@dataclass(frozen=True, slots=True)
class BalancedMember:
    """A member of the lines; `quantiles` is None if each value is a level."""

    name: str
    quantiles: int | None = None

    @classmethod
    def parse(cls, expression: str) -> "BalancedMember":
        """Parse `NAME` or `NAME:QUANTILES`. Raises ValueError."""
        match = _QUANTILES.fullmatch(expression)
        name = match[1] if match else expression
        if not 0 < len(name) <= MAX_MEMBER_CHARACTERS:
            raise ValueError(f"The name of a member has 1 to {MAX_MEMBER_CHARACTERS} characters.")
        if match is None:
            return cls(name)
        if len(match[2]) > len(str(MAX_QUANTILES)) or not 2 <= int(match[2]) <= MAX_QUANTILES:
            raise ValueError(f"The number of quantiles is from 2 to {MAX_QUANTILES}.")
        return cls(name, int(match[2]))

    @property
    def expression(self) -> str:
        return self.name if self.quantiles is None else f"{self.name}:{self.quantiles}"

    def read_value(self, document: Document) -> LevelValue:
        """Return the text or, for quantiles, the number of the member; None for a missing value. Raises LevelError."""
        value = document.get(self.name)
        if value is None or value == "":
            return None
        level = _normalize_value(value) if self.quantiles is None else _normalize_number(value)
        if level is None:
            raise LevelError(self._describe_value(value))
        return level

    def _describe_value(self, value: Any) -> str:
        text = orjson.dumps(value)[:50].decode(errors="replace")
        if self.quantiles is not None:
            return f"The member {self.name!r} is {text}; quantiles need a number."
        remedy = (
            f" Quantiles take any number: {self.name}:5." if type(value) in (int, float) else ""
        )
        return (
            f"The member {self.name!r} is {text}; it must be text of at most {MAX_LEVEL_CHARACTERS} characters, "
            f"a whole number, true or false.{remedy}"
        )


def parse_balance_by(text: str) -> tuple[BalancedMember, ...]:
    """Parse members separated by commas; return them in the order of their names' bytes. Raises ValueError."""
    parsed = map(BalancedMember.parse, text.split(","))
    members = tuple(sorted(parsed, key=lambda member: member.name.encode()))
    if len(members) > MAX_MEMBERS:
        raise ValueError(f"There are {len(members)} members; at most {MAX_MEMBERS} are balanced.")
    names = [member.name for member in members]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise ValueError(f"The member {repeated[:100]!r} appears twice.")
    return members


def record_levels(
    batches: Iterable[LineBatch], members: tuple[BalancedMember, ...], table: LevelTableBuilder
) -> Iterator[LineBatch]:
    """Yield the batches unchanged, and add the values of each line to `table`."""
    for batch in batches:
        for line in batch.lines:
            table.add_line(_try_read_values(line or b"", members))
        yield batch


def read_values(line: bytes, members: tuple[BalancedMember, ...]) -> tuple[LevelValue, ...]:
    """Return the value of each member in a line. Raises LevelError."""
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise LevelError("The line is not valid JSON.") from error
    if type(document) is not dict:
        raise LevelError("The line is not a JSON object.")
    return tuple(member.read_value(document) for member in members)


def describe_unlevelled(lines: int, reasons: Iterable[tuple[int, str]]) -> str:
    """Return the message for lines with a wrong value: their number, and the first reasons, whose lines count from 0."""
    entries = "entry has" if lines == 1 else "entries have"
    named = [f"line {line + 1}: {reason}" for line, reason in islice(reasons, MAX_REASONS)]
    return f"{lines} {entries} a value that cannot be balanced. {' '.join(named)}"


def _try_read_values(
    line: bytes, members: tuple[BalancedMember, ...]
) -> tuple[LevelValue, ...] | None:
    try:
        return read_values(line, members)
    except LevelError:
        return None


def _normalize_value(value: Any) -> str | None:
    """Return the text of a level: 3, 3.0 and "3" are one level, and so are true and "true". None for any other value."""
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is float and value.is_integer() and abs(value) < _EXACT_FLOAT:
        return str(int(value))
    is_level = type(value) is int or (type(value) is str and len(value) <= MAX_LEVEL_CHARACTERS)
    return str(value) if is_level else None


def _normalize_number(value: Any) -> int | float | None:
    """Return a number, a whole number as int, so that 3 and 3.0 are one value with one text. None for any other value."""
    if type(value) is float and value.is_integer() and int(value) in _WORD_NUMBERS:
        return int(value)
    return value if type(value) in (int, float) else None
