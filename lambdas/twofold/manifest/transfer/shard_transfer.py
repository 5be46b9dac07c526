"""Transfer the lines of a shard to the sides as the source streams by."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain, compress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from twofold.errors import DamagedObjectError
from twofold.manifest.digests import DIGEST_MODULUS, compute_placed_digest

WriteLines = Callable[[int, bytes], None]


@dataclass(slots=True)
class SideTotals:
    """The lines written to a side: number, bytes and digest."""

    entries: int = 0
    bytes: int = 0
    digest: int = 0


@dataclass(slots=True)
class ShardTransfer:
    """The lines of a shard: `start` uint64[n] offsets in the source, `length` uint32[n], `side` uint8[n].

    `placed_digest` is the sum of the lines' `compute_placed_digest`, modulo 2**64. Unlike the digests of `totals`, the sum
    depends on the offsets of the lines. The command compares it with that of its index; the service does not read it.
    """

    start: NDArray[np.uint64]
    length: NDArray[np.uint32]
    side: NDArray[np.uint8]
    sides: int
    totals: list[SideTotals] = field(init=False)
    placed_digest: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.totals = [SideTotals() for _ in range(self.sides)]

    def run(self, chunks: Iterable[bytes], write: WriteLines) -> list[SideTotals]:
        """Call write(side, bytes) with whole lines, each ended by a newline, in the order of the source: at most once for each
        chunk and side.

        `chunks` are the bytes of the source from the start of the first line. A single byte between two lines is their newline.
        Raises DamagedObjectError if the chunks end early. The totals have the digests of the lines as
        read; no line is verified here.
        """
        position, carry, done = int(self.start[0]) if self.start.size else 0, b"", 0
        # uint64[n]: the offset after the last byte of each line.
        ends = self.start + self.length
        for chunk in chunks:
            data = carry + chunk if carry else chunk
            # Lines [done, last) end in this chunk.
            last = int(np.searchsorted(ends, np.uint64(position + len(data)), side="right"))
            self._transfer_lines(memoryview(data), position, done, last, write)
            done = last
            # Keep the data from the start of the next line on; it may start after this chunk.
            begin = int(self.start[done]) - position if done < self.start.size else len(data)
            carry, position = data[begin:], position + min(begin, len(data))
        if done < self.start.size:
            raise DamagedObjectError("The source ends before its last line.")
        return self.totals

    def _transfer_lines(
        self, data: memoryview, position: int, first: int, last: int, write: WriteLines
    ) -> None:
        """Count and write the lines [first, last); `data` begins at offset `position` of the source."""
        start = (self.start[first:last] - np.uint64(position)).astype(np.int64)
        end = start + self.length[first:last]
        side = self.side[first:last]
        hashes = self._count_lines(data, start.tolist(), end.tolist(), side)
        digest = compute_placed_digest(hashes, self.start[first:last])
        self.placed_digest = (self.placed_digest + digest) % DIGEST_MODULUS
        # A run of adjacent lines of one side is one slice, with the newlines between the lines.
        bounds = _find_runs(start, end, side)
        begins, ends = start[bounds[:-1]].tolist(), end[bounds[1:] - 1].tolist()
        runs = list(map(data.__getitem__, map(slice, begins, ends)))
        for number in range(self.sides):
            is_own = side[bounds[:-1]] == number
            if is_own.any():
                # The empty text at the end gives the last run its newline.
                write(number, b"\n".join(chain(compress(runs, is_own.tolist()), [b""])))

    def _count_lines(
        self, data: memoryview, starts: list[int], ends: list[int], side: NDArray[np.uint8]
    ) -> NDArray[np.uint64]:
        """Add lines to the totals of the sides, and return the hashes."""
        lines = map(data.__getitem__, map(slice, starts, ends))
        # Slices of a memoryview: no line is copied.
        hashes = np.fromiter(map(xxh3_64_intdigest, lines), np.uint64, len(starts))
        sizes = np.subtract(ends, starts) + 1
        for number, totals in enumerate(self.totals):
            is_own = side == number
            totals.entries += int(np.count_nonzero(is_own))
            totals.bytes += int(sizes[is_own].sum())
            digest = int(hashes[is_own].sum(dtype=np.uint64))
            totals.digest = (totals.digest + digest) % DIGEST_MODULUS
        return hashes


def _find_runs(
    start: NDArray[Any], end: NDArray[Any], side: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Return the bounds of runs of lines on the same side with a single byte between lines."""
    if not start.size:
        return np.zeros(1, np.int64)
    breaks = (side[1:] != side[:-1]) | (start[1:] != end[:-1] + 1)
    return np.concatenate([[0], np.flatnonzero(breaks) + 1, [start.size]])
