"""The two manifests of a split as entries, read line by line."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from twofold_verify.expressions import ExpressionError, GroupKey, group_keys
from twofold_verify.files import UnreadableError, read_lines
from twofold_verify.hashes import splitmix64, xxh3_64, xxh3_128_low
from twofold_verify.keys import canonical, differing_keys
from twofold_verify.labels import labels_of
from twofold_verify.lines import LineError, read_entry
from twofold_verify.report import Report

_WORD = 1 << 64
_GOLDEN = 0x9E3779B97F4A7C15
_MAX_FAULTS = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """`source_ref` is canonical, `supplied_ref` is as the line has it.

    `key` orders entries for testing. `boxes` are (label, number) where there are any. `group` is None where there are
    no groups, and for a line without a group key."""

    source_ref: str
    supplied_ref: str
    labels: frozenset[str]
    boxes: frozenset[tuple[str, int]]
    key: int
    group: str | None


@dataclass(slots=True)
class Side:
    """One manifest; `faults` name the first lines that are no entries, `fault_count` counts them all."""

    name: str
    path: Path
    entries: list[Entry] = field(default_factory=list)
    buckets: set[str] = field(default_factory=set)
    bytes: int = 0
    digest: int = 0
    faults: list[str] = field(default_factory=list)
    fault_count: int = 0


def read_side(path: Path, report: Report) -> Side:
    """Raises UnreadableError."""
    side = Side(path.name, path)
    salt = splitmix64((report.seed + _GOLDEN) % _WORD)
    try:
        group_key = group_keys(report.group_by)
        for number, line in enumerate(read_lines(path), 1):
            _add_line(side, number, line, group_key, salt)
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


def _add_line(side: Side, number: int, line: bytes, group_key: GroupKey, salt: int) -> None:
    side.bytes += len(line)
    content = line.removesuffix(b"\n")
    side.digest = (side.digest + xxh3_64(content)) % _WORD
    try:
        document, bucket = read_entry(content)
        if len(content) == len(line):
            raise ValueError("does not end with a line feed")
    except ValueError as error:
        side.fault_count += 1
        if len(side.faults) < _MAX_FAULTS:
            code = f"{error.reason}: " if isinstance(error, LineError) else ""
            side.faults.append(f"{side.name} line {number}: {code}it {error}")
        return
    source_ref, labels = document["source-ref"], labels_of(document)
    side.buckets.add(bucket)
    side.entries.append(
        Entry(
            source_ref=canonical(source_ref),
            supplied_ref=source_ref,
            labels=frozenset(labels),
            boxes=frozenset((label, boxes) for label, boxes in labels.items() if boxes),
            key=splitmix64(xxh3_128_low(source_ref.encode()) ^ salt),
            group=group_key(document),
        )
    )
