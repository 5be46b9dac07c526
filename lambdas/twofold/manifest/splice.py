"""Splicing: lines put into a source as it streams by, so that who carves it sees one source.

The spliced source is the source with each inserted line, and its newline, before the byte that it is inserted at. A line of
the source that gives way to an inserted one stays in the stream, and nobody takes it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from twofold.errors import DamagedObjectError


class Stretch(NamedTuple):
    """What makes up bytes [start, end) of the spliced source: bytes of the source, and some of the inserts, by number."""

    source_start: int
    source_end: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Inserts:
    """`at` uint64[m]: offsets in the source, ascending. `length` uint32[m]: bytes of the lines without their newlines."""

    at: NDArray[np.uint64]
    length: NDArray[np.uint32]

    @classmethod
    def none(cls) -> Self:
        return cls(np.empty(0, np.uint64), np.empty(0, np.uint32))

    def before(self) -> NDArray[np.uint64]:
        """Bytes inserted before each insert, and in all: uint64[m + 1]."""
        spans = self.length.astype(np.uint64) + np.uint64(1)
        return np.concatenate([np.zeros(1, np.uint64), np.cumsum(spans, dtype=np.uint64)])

    def into(
        self, start: NDArray[np.uint64], length: NDArray[np.uint32]
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
        """(start, length) of the given lines of the source and the inserted ones in the spliced source, in its order."""
        before = self.before()
        shifted = start + before[np.searchsorted(self.at, start, side="right")]
        places = np.searchsorted(start, self.at)
        return (
            np.insert(shifted, places, self.at + before[:-1]),
            np.insert(length, places, self.length),
        )

    def stretch(self, start: int, end: int) -> Stretch:
        """Where the bytes between the start of one line and the end of another, of the spliced source, come from."""
        before = self.before()
        starts = self.at + before[:-1]
        first, last = np.searchsorted(starts, np.array([start, end], np.uint64)).tolist()
        source_end = end - int(before[last])
        if last > first:
            source_end = max(source_end, int(self.at[last - 1]))
        return Stretch(start - int(before[first]), source_end, first, last)

    def texts(self, data: bytes) -> list[bytes]:
        """The lines, each with its newline, of the bytes in which they lie one after the other; raises DamagedObjectError."""
        bounds = self.before().tolist()
        if len(data) != bounds[-1]:
            raise DamagedObjectError(
                f"The changed lines have {len(data)} bytes, not {bounds[-1]} as planned."
            )
        return [data[first:last] for first, last in pairwise(bounds)]


def splice(
    chunks: Iterable[bytes], start: int, at: Iterable[int], texts: Iterable[bytes]
) -> Iterator[bytes]:
    """The chunks of a source from offset `start` on, with each text before the byte at its offset, or after the last one."""
    waiting = list(zip(at, texts, strict=True))
    waiting.reverse()
    position = start
    for chunk in chunks:
        done = 0
        while waiting and waiting[-1][0] < position + len(chunk):
            place, text = waiting.pop()
            yield chunk[done : place - position]
            yield text
            done = place - position
        yield chunk[done:]
        position += len(chunk)
    for _, text in reversed(waiting):
        yield text
