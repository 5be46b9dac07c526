"""Splice changed lines into a source as it streams by, so that a transfer reads a single source.

The spliced source is the source with each inserted line, and a newline, before the byte at `at`. A replaced line of the source
stays in the stream, and the transfer skips the line.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from twofold.errors import DamagedObjectError


class SplicedRange(NamedTuple):
    """The parts of a byte range of the spliced source: bytes [source_start, source_end) of the source, and the inserts
    [first, last) by number."""

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
    def make_empty(cls) -> Self:
        return cls(np.empty(0, np.uint64), np.empty(0, np.uint32))

    def compute_offsets(self) -> NDArray[np.uint64]:
        """Return the inserted bytes before each insert, and the total at the end: uint64[m + 1]."""
        spans = self.length.astype(np.uint64) + np.uint64(1)
        return np.concatenate([np.zeros(1, np.uint64), np.cumsum(spans, dtype=np.uint64)])

    def insert_lines(
        self, start: NDArray[np.uint64], length: NDArray[np.uint32]
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
        """Return (start, length), in the spliced source and in order, of the given lines of the source and the inserts."""
        offsets = self.compute_offsets()
        # A line moves by the bytes of all inserts at or before its start.
        shifted = start + offsets[np.searchsorted(self.at, start, side="right")]
        positions = np.searchsorted(start, self.at)
        return (
            np.insert(shifted, positions, self.at + offsets[:-1]),
            np.insert(length, positions, self.length),
        )

    def locate_range(self, start: int, end: int) -> SplicedRange:
        """Return the parts of the bytes [start, end) of the spliced source, from the start of a line to the end of a line."""
        offsets = self.compute_offsets()
        starts = self.at + offsets[:-1]
        # The inserts that begin within the range.
        first, last = np.searchsorted(starts, np.array([start, end], np.uint64)).tolist()
        source_end = end - int(offsets[last])
        if last > first:
            # The range may end within an insert: the source is then read up to its offset.
            source_end = max(source_end, int(self.at[last - 1]))
        return SplicedRange(start - int(offsets[first]), source_end, first, last)

    def split_texts(self, data: bytes) -> list[bytes]:
        """Split the concatenated inserts into lines, each with a newline. Raises DamagedObjectError for another size."""
        bounds = self.compute_offsets().tolist()
        if len(data) != bounds[-1]:
            raise DamagedObjectError(
                f"The changed lines have {len(data)} bytes, not {bounds[-1]} as planned."
            )
        return [data[first:last] for first, last in pairwise(bounds)]


def splice_chunks(
    chunks: Iterable[bytes], start: int, at: Iterable[int], texts: Iterable[bytes]
) -> Iterator[bytes]:
    """Yield the chunks of a source from offset `start` on, with each text before the byte at `at`, or at the end."""
    # Last text first, so that `pop` gives the next text.
    waiting = list(zip(at, texts, strict=True))
    waiting.reverse()
    position = start
    for chunk in chunks:
        done = 0
        # Texts before a byte of this chunk; a text at the end of the chunk waits for the next chunk.
        while waiting and waiting[-1][0] < position + len(chunk):
            offset, text = waiting.pop()
            yield chunk[done : offset - position]
            yield text
            done = offset - position
        yield chunk[done:]
        position += len(chunk)
    for _, text in reversed(waiting):
        yield text
