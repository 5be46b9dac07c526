"""Carving: the lines of one stretch of a source, handed to their sides as they stream by."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain, compress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from twofold.errors import DamagedObjectError

DIGEST_MODULUS = 1 << 64

Write = Callable[[int, bytes], None]


@dataclass(slots=True)
class Tally:
    """What went to one side: lines, bytes, and the sum of the line hashes (xxh3-64) modulo 2**64, which knows no order."""

    entries: int = 0
    bytes: int = 0
    digest: int = 0


@dataclass(slots=True)
class Carving:
    """The lines of one shard: `start` uint64[n] offsets in the source, `length` uint32[n], `side` uint8[n].

    `placed` is the sum of the lines' `placed_digest`, modulo 2**64: unlike the digests of `tallies` it knows where each was.
    """

    start: NDArray[np.uint64]
    length: NDArray[np.uint32]
    side: NDArray[np.uint8]
    sides: int
    tallies: list[Tally] = field(init=False)
    placed: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.tallies = [Tally() for _ in range(self.sides)]

    def run(self, chunks: Iterable[bytes], write: Write) -> list[Tally]:
        """Calls write(side, bytes) with whole lines, each ended by a newline, in source order: for a chunk and side once at the
        most.

        `chunks` are the bytes of the source from the first line's start; a single byte between two lines is their newline.
        Raises DamagedObjectError if they end early. That the lines are the right ones is for the digests to prove.
        """
        position, carry, done = int(self.start[0]) if self.start.size else 0, b"", 0
        ends = self.start + self.length
        for chunk in chunks:
            data = carry + chunk if carry else chunk
            last = int(np.searchsorted(ends, np.uint64(position + len(data)), side="right"))
            self._hand_over(memoryview(data), position, done, last, write)
            done = last
            begin = int(self.start[done]) - position if done < self.start.size else len(data)
            carry, position = data[begin:], position + min(begin, len(data))
        if done < self.start.size:
            raise DamagedObjectError("The source ends before its last line.")
        return self.tallies

    def _hand_over(
        self, data: memoryview, position: int, first: int, last: int, write: Write
    ) -> None:
        start = (self.start[first:last] - np.uint64(position)).astype(np.int64)
        end = start + self.length[first:last]
        side = self.side[first:last]
        hashes = self._count(data, start.tolist(), end.tolist(), side)
        placed = placed_digest(hashes, self.start[first:last])
        self.placed = (self.placed + placed) % DIGEST_MODULUS
        bounds = _runs(start, end, side)
        begins, ends = start[bounds[:-1]].tolist(), end[bounds[1:] - 1].tolist()
        runs = list(map(data.__getitem__, map(slice, begins, ends)))
        for number in range(self.sides):
            own = side[bounds[:-1]] == number
            if own.any():
                # Nothing at the end gives the last of them its newline.
                write(number, b"\n".join(chain(compress(runs, own.tolist()), [b""])))

    def _count(
        self, data: memoryview, starts: list[int], ends: list[int], side: NDArray[np.uint8]
    ) -> NDArray[np.uint64]:
        """The hashes of the lines."""
        lines = map(data.__getitem__, map(slice, starts, ends))
        hashes = np.fromiter(map(xxh3_64_intdigest, lines), np.uint64, len(starts))
        sizes = np.subtract(ends, starts) + 1
        for number, tally in enumerate(self.tallies):
            own = side == number
            tally.entries += int(np.count_nonzero(own))
            tally.bytes += int(sizes[own].sum())
            digest = int(hashes[own].sum(dtype=np.uint64))
            tally.digest = (tally.digest + digest) % DIGEST_MODULUS
        return hashes


def placed_digest(hashes: NDArray[np.uint64], start: NDArray[np.uint64]) -> int:
    """Of lines with these hashes (xxh3-64) at these offsets, modulo 2**64. Lines that change places change it."""
    return int((hashes * (np.uint64(2) * start + np.uint64(1))).sum(dtype=np.uint64))


def _runs(start: NDArray[Any], end: NDArray[Any], side: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Bounds of the runs of lines that go to the same side and have one newline between them."""
    if not start.size:
        return np.zeros(1, np.int64)
    breaks = (side[1:] != side[:-1]) | (start[1:] != end[:-1] + 1)
    return np.concatenate([[0], np.flatnonzero(breaks) + 1, [start.size]])
