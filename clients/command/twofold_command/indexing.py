"""Read a manifest: workers index its byte ranges in parallel; duplicates, limits and groups are resolved over all ranges."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twofold.errors import DamagedObjectError
from twofold.levels import Levels
from twofold.manifest.digests import DIGEST_MODULUS, compute_placed_digest
from twofold.manifest.grouping.group_by import (
    GroupBy,
    Ungrouped,
    UngroupedError,
    describe_ungrouped,
)
from twofold.manifest.grouping.group_table import (
    NO_GROUP,
    GroupTable,
    GroupTableBuilder,
    join_groups,
)
from twofold.manifest.index.acceptance import describe_rejections, find_refusal
from twofold.manifest.index.error_codes import describe_errors
from twofold.manifest.index.hash_collisions import ReadLines, stack_identities
from twofold.manifest.index.range_index import ACCEPTED, RangeIndex
from twofold.manifest.index.range_indexer import index_batches
from twofold.manifest.index.resolve import Resolution, join_ranges
from twofold.manifest.levels.balance_by import (
    BalancedMember,
    LevelError,
    describe_unlevelled,
    read_values,
    record_levels,
)
from twofold.manifest.levels.level_table import (
    NO_LEVELS,
    LevelTable,
    LevelTableBuilder,
    TooManyLevelsError,
    join_levels,
)
from twofold.manifest.line.byte_ranges import read_batches, split_into_ranges
from twofold.quotas import get_quotas
from twofold.settings import QuotaProfile
from twofold_command.errors import CommandError
from twofold_command.file_formats import describe_other_format
from twofold_command.pool import WorkerPool
from twofold_command.progress import ProgressBar

CHUNK_BYTES = 1 << 20
RANGE_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class RangeTask:
    """A byte range to index. `identify` also asks for the identities of the keys of the images."""

    manifest: Path
    start: int
    end: int
    group_by: str | None
    identify: bool = False
    ungrouped: Ungrouped = Ungrouped.ERROR
    balance_by: tuple[BalancedMember, ...] = ()


@dataclass(frozen=True, slots=True)
class IndexedRange:
    """The index of a byte range and, if requested, the groups of the lines and the identities of the keys of the images.

    `single`: whether each line is a group of its own; empty without groups. `levels`: the values of balanced members.
    """

    index: RangeIndex
    groups: GroupTable | None
    single: NDArray[np.bool_]
    identity: NDArray[np.uint64]
    levels: LevelTable


@dataclass(frozen=True, slots=True)
class ManifestEntries:
    """The entries of a manifest.

    `groups`: uint64[entries], the group number of each entry, or None. `singles`: the number of entries that are groups of
    their own. `identity`: uint64[entries, 2], the 128-bit identity of the key of each image, if requested. `entry_digest`: the
    sum of the position-dependent line hashes of all entries. `levels`: the levels of balanced members, or None.
    """

    resolution: Resolution
    groups: NDArray[np.uint64] | None
    singles: int
    identity: NDArray[np.uint64]
    entry_digest: int
    levels: Levels | None

    @property
    def bucket(self) -> str:
        """The only bucket of the images: a manifest with several is refused."""
        return self.resolution.buckets[0][0]


def read_entries(
    manifest: Path,
    size: int,
    group_by: GroupBy | None,
    pool: WorkerPool,
    progress: ProgressBar,
    *,
    identify: bool = False,
    ungrouped: Ungrouped = Ungrouped.ERROR,
    balance_by: tuple[BalancedMember, ...] = (),
    strict: bool = False,
) -> ManifestEntries:
    """Reads the entries. Raises CommandError, with Rekognition's message if Rekognition would refuse the manifest.

    If `strict`, a dropped line or an entry with errors is a reason to raise.
    """
    expression = group_by.expression if group_by else None
    tasks = [
        RangeTask(manifest, start, end, expression, identify, ungrouped, balance_by)
        for start, end in split_into_ranges(size, RANGE_BYTES)
    ]
    indexed_ranges = []
    for task, indexed in zip(tasks, pool.map(index_range, tasks), strict=True):
        indexed_ranges.append(indexed)
        progress.advance(task.end - task.start)
    try:
        resolution = join_ranges(
            (indexed.index for indexed in indexed_ranges), _make_line_reader(manifest)
        )
    except DamagedObjectError as error:
        raise CommandError(f"{manifest} changed while it was read.") from error
    reason = find_refusal(resolution, get_quotas(QuotaProfile.TWOFOLD))
    if reason:
        other_format = None if len(resolution.index) else describe_other_format(manifest)
        raise CommandError(
            f"{manifest} {other_format}" if other_format else f"{manifest}: {reason}"
        )
    if strict:
        _require_flawless_lines(manifest, resolution)
    groups = _join_groups(manifest, group_by, indexed_ranges, resolution) if group_by else None
    identity = np.concatenate([indexed.identity for indexed in indexed_ranges])
    return ManifestEntries(
        resolution,
        groups,
        _count_singles(indexed_ranges, resolution) if group_by else 0,
        identity[resolution.reason == ACCEPTED] if identify else identity,
        _compute_entry_digest(indexed_ranges, resolution),
        _join_levels(manifest, balance_by, indexed_ranges, resolution) if balance_by else None,
    )


def make_line_finder(resolution: Resolution) -> Callable[[int], int]:
    """Returns a function from an entry's number to its line in the source, counted from 1."""
    return lambda entry: int(np.flatnonzero(resolution.reason == ACCEPTED)[entry]) + 1


def describe_entry_errors(resolution: Resolution) -> str:
    """Returns a sentence on the entries with errors, or an empty text if there are none."""
    index = resolution.index
    return describe_errors(
        len(index), index.error_entries, index.codes, make_line_finder(resolution)
    )


def _require_flawless_lines(manifest: Path, resolution: Resolution) -> None:
    reasons = [
        describe_rejections(resolution) if resolution.rejected else "",
        describe_entry_errors(resolution),
    ]
    if any(reasons):
        raise CommandError(f"{manifest}: --strict: {' '.join(filter(None, reasons))}")


def _count_singles(indexed_ranges: list[IndexedRange], resolution: Resolution) -> int:
    single = np.concatenate([indexed.single for indexed in indexed_ranges])
    return int(np.count_nonzero(single & (resolution.reason == ACCEPTED)))


def _compute_entry_digest(indexed_ranges: list[IndexedRange], resolution: Resolution) -> int:
    # `accepted` has an item per line of the whole manifest; `line` is the first line of the current range.
    accepted, line, digest = resolution.reason == ACCEPTED, 0, 0
    for indexed in indexed_ranges:
        accepted_lines = accepted[line : line + len(indexed.index)]
        digest += compute_placed_digest(
            indexed.index.digest[accepted_lines], indexed.index.start[accepted_lines]
        )
        line += len(indexed.index)
    return digest % DIGEST_MODULUS


def index_range(task: RangeTask) -> IndexedRange:
    """Runs in a worker process: indexes the lines with a start in the range."""
    # One byte before the range shows whether its first byte starts a line.
    chunks = read_chunks(task.manifest, max(task.start - 1, 0))
    batches = read_batches(chunks, task.start, task.end)
    keys, identities = GroupTableBuilder(), bytearray()
    levels = LevelTableBuilder(len(task.balance_by))
    if task.balance_by:
        batches = record_levels(batches, task.balance_by, levels)
    if task.group_by is not None:
        batches = GroupBy.parse(task.group_by).record_keys(batches, keys, task.ungrouped)
    index = index_batches(batches, identities if task.identify else None)
    table = keys.build() if task.group_by is not None else None
    return IndexedRange(
        index, table, keys.mark_singles(), stack_identities([bytes(identities)]), levels.build()
    )


def read_chunks(manifest: Path, start: int, size: int = sys.maxsize) -> Iterator[bytes]:
    """Yields `size` bytes from the offset `start`, fewer at the end of the manifest."""
    with manifest.open("rb") as file:
        file.seek(start)
        while chunk := file.read(min(CHUNK_BYTES, size)):
            yield chunk
            size -= len(chunk)


def _make_line_reader(manifest: Path) -> ReadLines:
    def read(start: NDArray[np.uint64], length: NDArray[np.uint32]) -> Iterator[bytes]:
        with manifest.open("rb") as file:
            for offset, size in zip(start.tolist(), length.tolist(), strict=True):
                file.seek(offset)
                yield file.read(size)

    return read


def _join_groups(
    manifest: Path, group_by: GroupBy, indexed_ranges: list[IndexedRange], resolution: Resolution
) -> NDArray[np.uint64]:
    accepted = resolution.reason == ACCEPTED
    # Lines of all ranges in the order of the manifest, rejected lines included.
    tables = [indexed.groups for indexed in indexed_ranges if indexed.groups]
    has_group = np.concatenate([table.number != NO_GROUP for table in tables])
    ungrouped_lines = np.flatnonzero(accepted & ~has_group)
    if len(ungrouped_lines):
        reasons = _explain_lines(manifest, indexed_ranges, ungrouped_lines, group_by.extract_key)
        raise CommandError(
            f"{manifest}: {describe_ungrouped(group_by.expression, len(ungrouped_lines), reasons)}"
        )
    return join_groups(tables, accepted)


def _join_levels(
    manifest: Path,
    members: tuple[BalancedMember, ...],
    indexed_ranges: list[IndexedRange],
    resolution: Resolution,
) -> Levels:
    accepted = resolution.reason == ACCEPTED
    tables = [indexed.levels for indexed in indexed_ranges]
    has_levels = np.concatenate([table.number[0] != NO_LEVELS for table in tables])
    unlevelled_lines = np.flatnonzero(accepted & ~has_levels)
    if len(unlevelled_lines):
        read = partial(read_values, members=members)
        reasons = _explain_lines(manifest, indexed_ranges, unlevelled_lines, read)
        raise CommandError(f"{manifest}: {describe_unlevelled(len(unlevelled_lines), reasons)}")
    try:
        return join_levels(tables, members, accepted)
    except TooManyLevelsError as error:
        raise CommandError(f"{manifest}: {error}") from error


def _explain_lines(
    manifest: Path,
    indexed_ranges: list[IndexedRange],
    lines: NDArray[np.int64],
    read: Callable[[bytes], object],
) -> Iterator[tuple[int, str]]:
    """Yields (line, reason) for lines that `read` refuses."""
    starts = np.concatenate([indexed.index.start for indexed in indexed_ranges])
    lengths = np.concatenate([indexed.index.length for indexed in indexed_ranges])
    with manifest.open("rb") as file:
        for line in lines.tolist():
            file.seek(int(starts[line]))
            try:
                read(file.read(int(lengths[line])))
            except (UngroupedError, LevelError) as error:
                yield line, str(error)
            else:
                raise CommandError(f"{manifest} changed while it was read.")
