"""The group key of a line, by an expression of the user.

An expression with a parenthesis is a regular expression, searched anywhere in the `source-ref`; the only capturing
group is the key. Any other expression is the name of a member of the line, whose text or whole number is the key, and 3, 3.0
and "3" are one group. An entry without a key is an error: a guess could put similar images into both sets. On request it is a
group of its own (`Ungrouped.SINGLE`); a value that is no key stays an error.

Regular expressions run on RE2, in time linear in the source-ref. They must be valid for Python's `re` as well, with the same
meaning (`dialect`), so that a split can be verified with Python only.
"""

import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any, Self

import orjson
import re2
from xxhash import xxh3_64_intdigest

from twofold.manifest.digests import DIGEST_MODULUS
from twofold.manifest.grouping.dialect import find_ambiguity, find_ambiguous_character
from twofold.manifest.grouping.group_table import GroupTableBuilder
from twofold.manifest.line.byte_ranges import LineBatch, OffsetLine
from twofold.manifest.line.document import Document

MAX_EXPRESSION_CHARACTERS = 1_000
EXACT_FLOAT = 1 << 53
"""From here on a double is not exact: a number with a point or an exponent may not be the number in the text."""

MAX_REASONS = 3
"""Messages name this many lines without a key and count the others."""


class UngroupedError(Exception):
    """A line has no group key. The message is the reason."""


class MissingKeyError(UngroupedError):
    """The member is missing, null or empty, or the regular expression does not match: there is no value that could be wrong."""

    def __init__(self, message: str, document: Document) -> None:
        super().__init__(message)
        self.source_ref = document.get("source-ref")


class Ungrouped(StrEnum):
    """The treatment of entries without a key: refused, or each a group of its own."""

    ERROR = "error"
    SINGLE = "single"


@dataclass(frozen=True, slots=True)
class GroupBy:
    """A parsed expression. `_pattern` is None for the name of a member."""

    expression: str
    _pattern: Any = None

    @classmethod
    def parse(cls, expression: str) -> Self:
        """Parse an expression. Raises ValueError with the reason if it is invalid."""
        if not 0 < len(expression) <= MAX_EXPRESSION_CHARACTERS:
            raise ValueError(f"It must have 1 to {MAX_EXPRESSION_CHARACTERS} characters.")
        return cls(expression, _compile_pattern(expression) if "(" in expression else None)

    def extract_key(self, line: bytes) -> str:
        """Return the group key of a line. Raises UngroupedError."""
        try:
            document = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise UngroupedError("The line is not valid JSON.") from error
        if type(document) is not dict:
            raise UngroupedError("The line is not a JSON object.")
        if self._pattern is None:
            return self._read_member(document)
        return self._match_source_ref(document)

    def record_keys(
        self,
        batches: Iterable[LineBatch],
        keys: GroupTableBuilder,
        ungrouped: Ungrouped = Ungrouped.ERROR,
    ) -> Iterator[LineBatch]:
        """Yield the batches unchanged, and add the key of each line to `keys`."""
        for batch in batches:
            for line in batch.lines:
                self._record_key(line or b"", keys, ungrouped)
            yield batch

    def _record_key(self, line: bytes, keys: GroupTableBuilder, ungrouped: Ungrouped) -> None:
        try:
            keys.add_line(self.extract_key(line))
        except MissingKeyError as error:
            # A line without a source-ref is rejected, so it needs no group.
            if ungrouped is Ungrouped.SINGLE and type(error.source_ref) is str:
                keys.add_single(error.source_ref)
            else:
                keys.add_line(None)
        except UngroupedError:
            keys.add_line(None)

    def _match_source_ref(self, document: Document) -> str:
        source_ref = document.get("source-ref")
        if type(source_ref) is not str:
            raise UngroupedError("The line has no source-ref.")
        character = find_ambiguous_character(self.expression, source_ref)
        if character:
            raise UngroupedError(
                f"The source-ref {source_ref[:200]!r} has the character {character!r}, "
                "which regular expressions disagree about."
            )
        # An empty key is no key.
        match = self._pattern.search(source_ref)
        key: str | None = match and match.group(1)
        if not key:
            message = f"The source-ref {source_ref[:200]!r} has no such group."
            raise MissingKeyError(message, document)
        return key

    def _read_member(self, document: Document) -> str:
        value = document.get(self.expression)
        # 3.0 and 3 are the same key.
        if type(value) is float and value.is_integer() and abs(value) < EXACT_FLOAT:
            value = int(value)
        if type(value) is int or (type(value) is str and value):
            return str(value)
        if self.expression not in document:
            raise MissingKeyError(f"The line has no member {self.expression!r}.", document)
        text = orjson.dumps(value)[:50].decode(errors="replace")
        message = f"The member {self.expression!r} is {text}; it must be text or a whole number{_describe_limit(value)}."
        if value is None or value == "":
            raise MissingKeyError(message, document)
        raise UngroupedError(message)


def _describe_limit(value: Any) -> str:
    """Return the limit to mention for a number that a double cannot hold exactly."""
    return " below 2**53" if type(value) is float and value.is_integer() else ""


class LineGrouper:
    """Collects the group of each line, the number of lines without a group, and the reasons for the first of them.

    `digest` is the sum of the hashes of all lines (xxh3-64) modulo 2**64. The caller compares it with the digest of the
    contents.
    """

    def __init__(self, group_by: GroupBy) -> None:
        self._group_by = group_by
        self.keys = GroupTableBuilder()
        self.digest = 0
        self.ungrouped = 0
        self.reasons: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self.keys)

    def read_lines(self, lines: Iterable[OffsetLine]) -> None:
        for number, (_, line) in enumerate(lines):
            self.digest = (self.digest + xxh3_64_intdigest(line or b"")) % DIGEST_MODULUS
            try:
                self.keys.add_line(self._group_by.extract_key(line or b""))
            except UngroupedError as error:
                self.keys.add_line(None)
                self.ungrouped += 1
                if len(self.reasons) < MAX_REASONS:
                    self.reasons.append((number, str(error)))


def describe_ungrouped(
    expression: str,
    ungrouped: int,
    reasons: Iterable[tuple[int, str]],
    describe_line: Callable[[int], object] = lambda line: line + 1,
) -> str:
    """Return the message for lines without a key: their number, and the first reasons, whose lines count from 0."""
    reasons_by_line = [
        f"line {describe_line(line)}: {reason}" for line, reason in islice(reasons, MAX_REASONS)
    ]
    entries = "entry has" if ungrouped == 1 else "entries have"
    return f"{ungrouped} {entries} no group by {expression!r}. {' '.join(reasons_by_line)}"


def _compile_pattern(expression: str) -> Any:
    """Compile a regular expression with RE2. Raises ValueError if RE2 or `re` refuse it or read it differently."""
    options = re2.Options()
    options.log_errors = False
    try:
        with warnings.catch_warnings():
            # Python warns of syntax that may change, such as `[[a]`. RE2 reads it as Python does today.
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
