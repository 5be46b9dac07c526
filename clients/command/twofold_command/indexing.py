"""Reading a manifest: its byte ranges side by side, and what concerns all of them afterwards."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twofold.errors import DamagedObjectError
from twofold.manifest.acceptance import refusal
from twofold.manifest.carve import DIGEST_MODULUS, placed_digest
from twofold.manifest.group_keys import NO_GROUP, GroupKeys, GroupTable, join_groups
from twofold.manifest.groups import GroupBy, UngroupedError, complaint
from twofold.manifest.identity import ReadLines, as_identities
from twofold.manifest.pieces import ACCEPTED, Piece, index_batches
from twofold.manifest.reader import batches_of_range, ranges
from twofold.manifest.resolve import Resolution, resolve
from twofold.quotas import limits
from twofold.settings import Quotas
from twofold_command.errors import CommandError
from twofold_command.pool import Pool
from twofold_command.progress import Progress

CHUNK_BYTES = 1 << 20
RANGE_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Range:
    manifest: Path
    start: int
    end: int
    group_by: str | None
    identify: bool = False


@dataclass(frozen=True, slots=True)
class Indexed:
    """A piece and, where they were asked for, the groups of its lines and the identities of their images."""

    piece: Piece
    groups: GroupTable | None
    identity: NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Entries:
    """The lines of a manifest that are entries; `groups` is aligned with the index, if there are any.

    `identity` uint64[N, 2]: of each entry's image, if it was asked for. `placed` is the `placed_digest` of
    all entries.
    """

    resolution: Resolution
    groups: NDArray[np.uint64] | None
    identity: NDArray[np.uint64]
    placed: int


def read_entries(
    manifest: Path,
    size: int,
    group_by: GroupBy | None,
    pool: Pool,
    progress: Progress,
    *,
    identify: bool = False,
) -> Entries:
    """Raises CommandError, with Rekognition's message where Rekognition would refuse the manifest."""
    expression = group_by.expression if group_by else None
    tasks = [
        Range(manifest, start, end, expression, identify)
        for start, end in ranges(size, RANGE_BYTES)
    ]
    found = []
    for task, indexed in zip(tasks, pool.map(index_range, tasks), strict=True):
        found.append(indexed)
        progress.advance(task.end - task.start)
    try:
        resolution = resolve((indexed.piece for indexed in found), _reading(manifest))
    except DamagedObjectError as error:
        raise CommandError(f"{manifest} changed while it was read.") from error
    reason = refusal(resolution, limits(Quotas.TWOFOLD))
    if reason:
        raise CommandError(f"{manifest}: {reason}")
    groups = _groups(manifest, group_by, found, resolution) if group_by else None
    identity = np.concatenate([indexed.identity for indexed in found])
    return Entries(
        resolution,
        groups,
        identity[resolution.reason == ACCEPTED] if identify else identity,
        _placed(found, resolution),
    )


def _placed(found: list[Indexed], resolution: Resolution) -> int:
    kept, line, placed = resolution.reason == ACCEPTED, 0, 0
    for indexed in found:
        own = kept[line : line + len(indexed.piece)]
        placed += placed_digest(indexed.piece.digest[own], indexed.piece.start[own])
        line += len(indexed.piece)
    return placed % DIGEST_MODULUS


def index_range(task: Range) -> Indexed:
    """In a worker process: what is in the lines that start in the range."""
    chunks = read_from(task.manifest, max(task.start - 1, 0))
    batches = batches_of_range(chunks, task.start, task.end)
    keys, identities = GroupKeys(), bytearray()
    if task.group_by is not None:
        batches = GroupBy.of(task.group_by).number_lines(batches, keys)
    piece = index_batches(batches, identities if task.identify else None)
    table = keys.table() if task.group_by is not None else None
    return Indexed(piece, table, as_identities([bytes(identities)]))


def read_from(manifest: Path, start: int, size: int = sys.maxsize) -> Iterator[bytes]:
    """So many bytes from there on, fewer where the manifest ends."""
    with manifest.open("rb") as file:
        file.seek(start)
        while chunk := file.read(min(CHUNK_BYTES, size)):
            yield chunk
            size -= len(chunk)


def _reading(manifest: Path) -> ReadLines:
    def read(start: NDArray[np.uint64], length: NDArray[np.uint32]) -> Iterator[bytes]:
        with manifest.open("rb") as file:
            for at, size in zip(start.tolist(), length.tolist(), strict=True):
                file.seek(at)
                yield file.read(size)

    return read


def _groups(
    manifest: Path, group_by: GroupBy, found: list[Indexed], resolution: Resolution
) -> NDArray[np.uint64]:
    kept = resolution.reason == ACCEPTED
    tables = [indexed.groups for indexed in found if indexed.groups]
    grouped = np.concatenate([table.number != NO_GROUP for table in tables])
    lost = np.flatnonzero(kept & ~grouped)
    if len(lost):
        starts = np.concatenate([indexed.piece.start for indexed in found])
        lengths = np.concatenate([indexed.piece.length for indexed in found])
        reasons = (
            (line, _fault(manifest, group_by, int(starts[line]), int(lengths[line])))
            for line in lost.tolist()
        )
        raise CommandError(f"{manifest}: {complaint(group_by.expression, len(lost), reasons)}")
    return join_groups(tables, kept)


def _fault(manifest: Path, group_by: GroupBy, start: int, length: int) -> str:
    with manifest.open("rb") as file:
        file.seek(start)
        try:
            group_by.key(file.read(length))
        except UngroupedError as error:
            return str(error)
    raise CommandError(f"{manifest} changed while it was read.")
