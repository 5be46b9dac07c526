"""Cut a transfer into shards, so that S3 can join the outputs of shards into objects.

A shard is a run of lines for one worker, with an output for each side. S3 joins parts of at least 5 MiB (the
last may be smaller), at most 10,000 of them. An output too small for a part is grouped with the neighbours, and
Publish joins the group; the worker uploads all larger outputs as parts. For the sizes see docs/performance.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

MIB = 1 << 20
MIN_PART_BYTES = 5 * MIB
MAX_PARTS = 10_000
SHARD_BYTES = 64 * MIB
MAX_SHARD_BYTES = 512 * MIB
PART_BYTES = 32 * MIB


@dataclass(frozen=True, slots=True)
class Shard:
    """Lines [first, last) of the transfer, in the bytes [start, end) of the source. Output bytes and lines are by side."""

    number: int
    first: int
    last: int
    start: int
    end: int
    side_bytes: tuple[int, ...]
    side_lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PartGroup:
    """Consecutive shards with outputs that become `part_count` parts of an object, from part number `first_part` on.

    The worker of a group of one shard uploads the parts; the outputs of a larger group are joined by Publish.
    """

    first_part: int
    part_count: int
    shards: tuple[int, ...]

    @property
    def is_joined(self) -> bool:
        return len(self.shards) > 1


def cut_shards(
    start: NDArray[np.uint64],
    length: NDArray[np.uint32],
    side: NDArray[np.uint8],
    sides: int,
    shard_bytes: int = SHARD_BYTES,
) -> list[Shard]:
    """Return shards of about equal span of the source. The arrays describe the lines in the order of the source."""
    if not start.size:
        return []
    source_bytes = int(start[-1]) + int(length[-1]) + 1 - int(start[0])
    # For each side, the bytes that each line adds to its object: the line and its newline, or 0.
    written = [
        np.where(side == number, length + np.uint32(1), np.uint32(0)) for number in range(sides)
    ]
    totals = [int(size.sum(dtype=np.int64)) for size in written]
    cuts = _find_cuts(start, source_bytes, _compute_span(source_bytes, totals, shard_bytes))
    # Sums over the lines of each shard: one array for each side, one value for each shard.
    side_bytes = [np.add.reduceat(size, cuts[:-1], dtype=np.int64) for size in written]
    side_lines = [np.add.reduceat(size > 0, cuts[:-1], dtype=np.int64) for size in written]
    return [
        Shard(
            number=number,
            first=first,
            last=last,
            start=int(start[first]),
            end=int(start[last - 1]) + int(length[last - 1]),
            side_bytes=tuple(int(size[number]) for size in side_bytes),
            side_lines=tuple(int(lines[number]) for lines in side_lines),
        )
        for number, (first, last) in enumerate(pairwise(cuts))
    ]


def _find_cuts(start: NDArray[np.uint64], source_bytes: int, span: int) -> list[int]:
    """Return the first line of each shard, and the number of lines at the end."""
    count = max(1, round(source_bytes / span))
    # Equal steps through the source; a shard begins with the first line at or after its mark.
    marks = start[0] + (np.arange(1, count) * source_bytes // count).astype(np.uint64)
    inner_cuts = np.searchsorted(start, marks).tolist()
    return sorted({0, *inner_cuts, start.size})


def _compute_span(source_bytes: int, totals: Sequence[int], shard_bytes: int) -> int:
    """Return the bytes of the source for each shard.

    More than `shard_bytes` if otherwise the output of the smallest side would not fill a part, or if there would be more than
    MAX_PARTS / 2 shards.
    """
    smallest = min((total for total in totals if total >= MIN_PART_BYTES), default=source_bytes)
    # A fifth more than the minimum, since the share of a side varies from shard to shard.
    filling_bytes = (
        source_bytes * (MIN_PART_BYTES * 6 // 5) // smallest if smallest else shard_bytes
    )
    return max(
        shard_bytes, min(filling_bytes, MAX_SHARD_BYTES), -(-source_bytes // (MAX_PARTS // 2))
    )


def plan_parts(shards: Sequence[Shard], side: int) -> list[PartGroup]:
    """Return the groups of shards for the object of a side, in order. Empty outputs are in no group.

    The parts of a group of one shard have equal sizes, except for the remainder in the last part.
    """
    groups: list[PartGroup] = []
    numbers: list[int] = []
    size, part = 0, 1
    filled = [shard for shard in shards if shard.side_lines[side]]
    # There are at most MAX_PARTS / 2 shards, and this limits further parts to as many.
    output_bytes = sum(shard.side_bytes[side] for shard in filled)
    part_bytes = max(PART_BYTES, output_bytes // (MAX_PARTS // 2))
    for shard in filled:
        numbers.append(shard.number)
        size += shard.side_bytes[side]
        # Close the group as soon as it fills a part; the last part of an upload may be smaller.
        if size >= MIN_PART_BYTES or shard is filled[-1]:
            part_count = 1 if len(numbers) > 1 else max(1, size // part_bytes)
            groups.append(PartGroup(part, part_count, tuple(numbers)))
            numbers, size, part = [], 0, part + part_count
    return groups
