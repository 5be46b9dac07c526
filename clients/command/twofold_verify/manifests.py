"""Read the manifests of a split as entries, line by line."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from twofold_verify.expressions import ExpressionError, GroupKey, make_group_key
from twofold_verify.files import UnreadableError, read_lines
from twofold_verify.hashes import hash_xxh3_64, hash_xxh3_128_low, mix_splitmix64
from twofold_verify.keys import normalize_source_ref, resolve_key_collisions
from twofold_verify.labels import read_labels
from twofold_verify.levels import Level, Member, Value, name_levels, order_levels
from twofold_verify.lines import LineError, read_entry
from twofold_verify.report import Report

_WORD = 1 << 64
_GOLDEN = 0x9E3779B97F4A7C15
_MAX_FAULTS = 5
_LEVEL = "\udfff"
"""Half a surrogate pair, which no label has."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry. `source_ref` is normalized, `supplied_ref` as in the line.

    `key` is the sampling key, `boxes` has pairs (label, number). `group` is None without groups, and for a line without a group
    key. `values` has a value for each balanced member; `columns` has the balanced labels ('' for no label) and levels.
    """

    source_ref: str
    supplied_ref: str
    labels: frozenset[str]
    boxes: frozenset[tuple[str, int]]
    key: int
    group: str | None
    values: tuple[Value, ...] = ()
    columns: frozenset[str] = frozenset()


@dataclass(slots=True)
class ManifestSide:
    """A manifest. `faults` describes the first invalid lines, `fault_count` is the number of all invalid lines."""

    name: str
    path: Path
    entries: list[Entry] = field(default_factory=list)
    buckets: set[str] = field(default_factory=set)
    bytes: int = 0
    digest: int = 0
    faults: list[str] = field(default_factory=list)
    fault_count: int = 0


def read_side(path: Path, report: Report, members: Sequence[Member] = ()) -> ManifestSide:
    """Reads a manifest, with the values of balanced members. Raises UnreadableError."""
    side = ManifestSide(path.name, path)
    salt = mix_splitmix64((report.seed + _GOLDEN) % _WORD)
    try:
        group_key = make_group_key(report.group_by, allows_singles=report.allows_singles)
        for number, line in enumerate(read_lines(path), 1):
            _add_line(side, number, line, group_key, salt, members)
    except ExpressionError as error:
        raise UnreadableError(f"In report.json parameters.groupBy {error}") from error
    return side


def resolve_collisions(sides: tuple[ManifestSide, ...], seed: int) -> None:
    """Replaces equal sampling keys in all manifests by distinct keys."""
    salt = mix_splitmix64((seed + _GOLDEN) % _WORD)
    keys = {entry.source_ref: entry.key for side in sides for entry in side.entries}
    new = resolve_key_collisions(keys, salt)
    for side in sides if new else ():
        side.entries = [
            replace(entry, key=new.get(entry.source_ref, entry.key)) for entry in side.entries
        ]


def assign_levels(
    sides: tuple[ManifestSide, ManifestSide], members: Sequence[Member]
) -> list[Level]:
    """Sets the levels of the entries of both manifests, and returns all levels in the order of the report."""
    levels = [
        name_levels(member, Counter(entry.values[i] for side in sides for entry in side.entries))
        for i, member in enumerate(members)
    ]
    for side in sides if members else ():
        side.entries = [
            replace(
                entry,
                columns=entry.columns.union(
                    name_column(each[value])
                    for each, value in zip(levels, entry.values, strict=True)
                ),
            )
            for entry in side.entries
        ]
    pairs = zip(members, levels, strict=True)
    return [level for member, each in pairs for level in order_levels(member, each)]


def name_column(level: Level) -> str:
    """Returns a text for a level that no label and no other level has."""
    member, value = level
    return (
        f"{_LEVEL}{member}{_LEVEL}" if value is None else f"{_LEVEL}{member}{_LEVEL}{_LEVEL}{value}"
    )


def is_level_column(column: str) -> bool:
    return column.startswith(_LEVEL)


def _add_line(
    side: ManifestSide,
    number: int,
    line: bytes,
    group_key: GroupKey,
    salt: int,
    members: Sequence[Member],
) -> None:
    side.bytes += len(line)
    content = line.removesuffix(b"\n")
    side.digest = (side.digest + hash_xxh3_64(content)) % _WORD
    try:
        document, bucket = read_entry(content)
        if len(content) == len(line):
            raise ValueError("does not end with a line feed")
        values = tuple(member.read_value(document) for member in members)
    except ValueError as error:
        side.fault_count += 1
        if len(side.faults) < _MAX_FAULTS:
            code = f"{error.reason}: " if isinstance(error, LineError) else ""
            side.faults.append(f"{side.name} line {number}: {code}it {error}")
        return
    source_ref, labels = document["source-ref"], read_labels(document)
    side.buckets.add(bucket)
    side.entries.append(
        Entry(
            source_ref=normalize_source_ref(source_ref),
            supplied_ref=source_ref,
            labels=frozenset(labels),
            boxes=frozenset((label, boxes) for label, boxes in labels.items() if boxes),
            key=mix_splitmix64(hash_xxh3_128_low(source_ref.encode()) ^ salt),
            group=group_key(document),
            values=values,
            columns=frozenset(labels or ("",)),
        )
    )
