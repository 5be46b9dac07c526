"""Group keys: entries with the same key are never divided between training and testing.

An expression that has a parenthesis is a regular expression, looked for anywhere in the `source-ref`; its one capturing
group holds the key. Any other expression is the name of a member of the line, whose text or whole number is the key: 3, 3.0
and "3" are one group. An entry without a key is an error: to guess would be to leak.

Regular expressions run on RE2, so no expression takes longer than time linear in the source-ref. They must be valid for
Python's `re` as well, and mean the same there (`dialect.py`), so that a split can be verified with nothing but Python.
"""

import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Self

import orjson
import re2
from xxhash import xxh3_64_intdigest

from twofold.manifest.carve import DIGEST_MODULUS
from twofold.manifest.dialect import find_ambiguity, find_ambiguous_character
from twofold.manifest.document import Document
from twofold.manifest.group_keys import GroupKeys
from twofold.manifest.reader import Batch, Line

MAX_EXPRESSION_CHARACTERS = 1_000
EXACT_FLOAT = 1 << 53
"""A number that is written with a point or an exponent is whole for certain below this only."""

MAX_REASONS = 3
"""So many lines without a key are named; the others are counted."""


class UngroupedError(Exception):
    """A line has no group key; the message says why."""


@dataclass(frozen=True, slots=True)
class GroupBy:
    expression: str
    _pattern: Any = None

    @classmethod
    def of(cls, expression: str) -> Self:
        """Raises ValueError, saying what is wrong with the expression."""
        if not 0 < len(expression) <= MAX_EXPRESSION_CHARACTERS:
            raise ValueError(f"It must have 1 to {MAX_EXPRESSION_CHARACTERS} characters.")
        return cls(expression, _compiled(expression) if "(" in expression else None)

    def key(self, line: bytes) -> str:
        """Raises UngroupedError."""
        try:
            document = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise UngroupedError("The line is not valid JSON.") from error
        if type(document) is not dict:
            raise UngroupedError("The line is not a JSON object.")
        return self._member(document) if self._pattern is None else self._matched(document)

    def number_lines(self, batches: Iterable[Batch], keys: GroupKeys) -> Iterator[Batch]:
        """Passes the lines on, and adds the key of each to `keys`."""
        for batch in batches:
            for line in batch.lines:
                keys.add(self._key_or_none(line or b""))
            yield batch

    def _key_or_none(self, line: bytes) -> str | None:
        try:
            return self.key(line)
        except UngroupedError:
            return None

    def _matched(self, document: Document) -> str:
        source_ref = document.get("source-ref")
        if type(source_ref) is not str:
            raise UngroupedError("The line has no source-ref.")
        odd = find_ambiguous_character(self.expression, source_ref)
        if odd:
            raise UngroupedError(
                f"The source-ref {source_ref[:200]!r} has the character {odd!r}, which regular expressions disagree about."
            )
        match = self._pattern.search(source_ref)
        key: str | None = match and match.group(1)
        if not key:
            raise UngroupedError(f"The source-ref {source_ref[:200]!r} has no such group.")
        return key

    def _member(self, document: Document) -> str:
        value = document.get(self.expression)
        if type(value) is float and value.is_integer() and abs(value) < EXACT_FLOAT:
            value = int(value)
        if type(value) is int or (type(value) is str and value):
            return str(value)
        if self.expression not in document:
            raise UngroupedError(f"The line has no member {self.expression!r}.")
        found = orjson.dumps(value)[:50].decode(errors="replace")
        raise UngroupedError(
            f"The member {self.expression!r} is {found}; it must be text or a whole number{_limit(value)}."
        )


def _limit(value: Any) -> str:
    """What a number that is too large for a double to be exact is told."""
    return " below 2**53" if type(value) is float and value.is_integer() else ""


class Grouping:
    """Gathers the group of each line; of lines without one, how many and why the first have none.

    `digest` is the sum of the lines' hashes (xxh3-64) modulo 2**64, which tells whether they are those that were written.
    """

    def __init__(self, group_by: GroupBy) -> None:
        self._group_by = group_by
        self.keys = GroupKeys()
        self.digest = 0
        self.lost = 0
        self.reasons: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self.keys)

    def read(self, lines: Iterable[Line]) -> None:
        for number, (_, line) in enumerate(lines):
            self.digest = (self.digest + xxh3_64_intdigest(line or b"")) % DIGEST_MODULUS
            try:
                self.keys.add(self._group_by.key(line or b""))
            except UngroupedError as error:
                self.keys.add(None)
                self.lost += 1
                if len(self.reasons) < MAX_REASONS:
                    self.reasons.append((number, str(error)))


def complaint(expression: str, lost: int, reasons: Iterable[tuple[int, str]]) -> str:
    """What to tell of lines without a key: how many, and why the first, numbered from 0, have none."""
    told = [f"line {line + 1}: {reason}" for line, reason in islice(reasons, MAX_REASONS)]
    entries = "entry has" if lost == 1 else "entries have"
    return f"{lost} {entries} no group by {expression!r}. {' '.join(told)}"


def _compiled(expression: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    try:
        with warnings.catch_warnings():
            # What a later Python may read otherwise, such as `[[a]`, RE2 reads as this one does.
            warnings.simplefilter("ignore", FutureWarning)
            re.compile(expression)
        pattern = re2.compile(expression, options)  # type: ignore[no-untyped-call]
    except (re.error, re2.error, OverflowError, RecursionError) as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error
        raise ValueError(f"It is not a regular expression that RE2 takes: {reason}.") from error
    ambiguity = find_ambiguity(expression)
    if ambiguity:
        raise ValueError(
            f"It must mean the same to RE2, which splits, and to Python's re, which verifies: {ambiguity}."
        )
    if pattern.groups != 1:
        raise ValueError(
            f"It must have exactly one capturing group, not {pattern.groups}; (?:…) does not capture."
        )
    return pattern
