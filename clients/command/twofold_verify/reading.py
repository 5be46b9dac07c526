"""The two manifests and the report, as documents."""

import json
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from twofold_verify.expressions import ExpressionError, GroupKey, group_keys
from twofold_verify.hashes import splitmix64, xxh3_64, xxh3_128_low
from twofold_verify.keys import canonical, differing_keys
from twofold_verify.labels import labels_of

_WORD = 1 << 64
_GOLDEN = 0x9E3779B97F4A7C15
_MOST_FAULTS = 5


class UnreadableError(Exception):
    """There is nothing to verify; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`source_ref` is canonical.

    `key` orders entries for testing. `boxes` are (label, number) where there are any. `group` is None where there are
    no groups."""

    source_ref: str
    labels: frozenset[str]
    boxes: frozenset[tuple[str, int]]
    key: int
    group: str | None


@dataclass(slots=True)
class Side:
    """One manifest; `faults` name lines that are no entries."""

    name: str
    entries: list[Entry] = field(default_factory=list)
    bytes: int = 0
    digest: int = 0
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Report:
    """What the report claims, as far as it can be checked."""

    raw: dict[str, Any]
    fraction: Fraction
    seed: int
    group_by: str | None

    @property
    def balances_boxes(self) -> bool:
        return bool(self.claim("parameters").get("objective") == "labels-and-boxes")

    @property
    def coordinated(self) -> bool:
        """Whether the split keeps a previous one."""
        return "previous" in self.claim("parameters")

    def claim(self, *path: str) -> Any:
        """Raises UnreadableError, naming the member that is missing."""
        value: Any = self.raw
        for step in path:
            if type(value) is not dict or step not in value:
                raise UnreadableError(f"report.json has no {'.'.join(path)}.")
            value = value[step]
        return value

    def number(self, *path: str) -> Fraction:
        value = self.claim(*path)
        try:
            return Fraction(value)
        except (TypeError, ValueError, ZeroDivisionError) as error:
            raise UnreadableError(f"In report.json {'.'.join(path)} is {value!r}.") from error


def read_report(path: Path) -> Report:
    try:
        raw = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UnreadableError(f"{path} cannot be read: {error}") from error
    bare = Report(raw, Fraction(0), 0, None)
    seed = bare.claim("parameters", "seed")
    if type(seed) is not int:
        raise UnreadableError(f"In report.json parameters.seed is {seed!r}.")
    group_by = raw["parameters"].get("groupBy")
    return Report(raw, bare.number("parameters", "testFraction"), seed, group_by)


def read_side(path: Path, report: Report) -> Side:
    side = Side(path.name)
    salt = splitmix64((report.seed + _GOLDEN) % _WORD)
    try:
        group_key = group_keys(report.group_by)
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                _take(side, number, line, group_key, salt)
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror}.") from error
    except ExpressionError as error:
        raise UnreadableError(f"In report.json parameters.groupBy {error}") from error
    return side


def tell_apart(sides: tuple[Side, Side], seed: int) -> None:
    """Gives the entries of a split whose keys meet others."""
    salt = splitmix64((seed + _GOLDEN) % _WORD)
    keys = {entry.source_ref: entry.key for side in sides for entry in side.entries}
    new = differing_keys(keys, salt)
    for side in sides if new else ():
        side.entries = [
            replace(entry, key=new.get(entry.source_ref, entry.key)) for entry in side.entries
        ]


def _take(side: Side, number: int, line: bytes, group_key: GroupKey, salt: int) -> None:
    side.bytes += len(line)
    side.digest = (side.digest + xxh3_64(line.removesuffix(b"\n"))) % _WORD
    try:
        document = _document(line)
    except ValueError as error:
        if len(side.faults) < _MOST_FAULTS:
            side.faults.append(f"{side.name} line {number}: {error}")
        return
    source_ref, found = document["source-ref"], labels_of(document)
    side.entries.append(
        Entry(
            source_ref=canonical(source_ref),
            labels=frozenset(found),
            boxes=frozenset((label, boxes) for label, boxes in found.items() if boxes),
            key=splitmix64(xxh3_128_low(source_ref.encode()) ^ salt),
            group=group_key(document),
        )
    )


def _document(line: bytes) -> dict[str, Any]:
    """Raises ValueError for a line that is no entry."""
    if not line.endswith(b"\n"):
        raise ValueError("it does not end with a line feed")
    try:
        document = json.loads(line)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if type(document) is not dict or type(document.get("source-ref")) is not str:
        raise ValueError("it is not an object with a source-ref")
    return document
