"""Cuts a carve into shards whose pieces can be joined into objects under S3's rules.

A carve takes lines out of one source object and writes each side's lines to an object of its own. A shard is a run of
lines that one worker carves; what it writes to one side is a *piece*. S3 joins parts of 5 MiB or more (the last may be
smaller), at most 10,000 of them: pieces that are too small for a part are grouped with their neighbours and joined by the
finishing step, the others go straight to their place. Sizes: docs/performance.md.
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
    """Lines [first, last) of the carve, in the bytes [start, end) of the source; `bytes_of` and `lines_of` by side."""

    number: int
    first: int
    last: int
    start: int
    end: int
    bytes_of: tuple[int, ...]
    lines_of: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Consecutive pieces that become `parts` parts of the object, the first of them number `part`.

    A group of one piece is written in place by its worker; the pieces of a larger group are joined at the end.
    """

    part: int
    parts: int
    shards: tuple[int, ...]

    @property
    def joined(self) -> bool:
        return len(self.shards) > 1


def cut(
    start: NDArray[np.uint64],
    length: NDArray[np.uint32],
    side: NDArray[np.uint8],
    sides: int,
    shard_bytes: int = SHARD_BYTES,
) -> list[Shard]:
    """Shards of about equal span of the source. The arrays describe the lines in source order; a line's written size is its
    length and a newline."""
    if not start.size:
        return []
    source = int(start[-1]) + int(length[-1]) + 1 - int(start[0])
    written = [
        np.where(side == number, length + np.uint32(1), np.uint32(0)) for number in range(sides)
    ]
    totals = [int(size.sum(dtype=np.int64)) for size in written]
    cuts = _cuts(start, source, _span(source, totals, shard_bytes))
    bytes_of = [np.add.reduceat(size, cuts[:-1], dtype=np.int64) for size in written]
    lines_of = [np.add.reduceat(size > 0, cuts[:-1], dtype=np.int64) for size in written]
    return [
        Shard(
            number=number,
            first=first,
            last=last,
            start=int(start[first]),
            end=int(start[last - 1]) + int(length[last - 1]),
            bytes_of=tuple(int(size[number]) for size in bytes_of),
            lines_of=tuple(int(lines[number]) for lines in lines_of),
        )
        for number, (first, last) in enumerate(pairwise(cuts))
    ]


def _cuts(start: NDArray[np.uint64], source: int, span: int) -> list[int]:
    """The first line of each shard, and the number of lines."""
    count = max(1, round(source / span))
    marks = start[0] + (np.arange(1, count) * source // count).astype(np.uint64)
    inner = np.searchsorted(start, marks).tolist()
    return sorted({0, *inner, start.size})


def _span(source: int, totals: Sequence[int], wanted: int) -> int:
    """Bytes of the source per shard: as wanted, but larger where the smallest side would not fill a part with its share, and
    where there would be more than MAX_PARTS pieces."""
    smallest = min((total for total in totals if total >= MIN_PART_BYTES), default=source)
    filling = source * (MIN_PART_BYTES * 6 // 5) // smallest if smallest else wanted
    return max(wanted, min(filling, MAX_SHARD_BYTES), -(-source // (MAX_PARTS // 2)))


def group(shards: Sequence[Shard], side: int) -> list[Group]:
    """How the pieces of one side become one object: its parts, in order. Empty pieces are in no group.

    The parts of a group of one piece are of equal size, but for the remainder in the last.
    """
    groups: list[Group] = []
    gathered: list[int] = []
    size, part = 0, 1
    filled = [shard for shard in shards if shard.lines_of[side]]
    # Half of the parts are for the shards, of which there are MAX_PARTS / 2 at most.
    part_bytes = max(PART_BYTES, sum(shard.bytes_of[side] for shard in filled) // (MAX_PARTS // 2))
    for shard in filled:
        gathered.append(shard.number)
        size += shard.bytes_of[side]
        if size >= MIN_PART_BYTES or shard is filled[-1]:
            parts = 1 if len(gathered) > 1 else max(1, size // part_bytes)
            groups.append(Group(part, parts, tuple(gathered)))
            gathered, size, part = [], 0, part + parts
    return groups
