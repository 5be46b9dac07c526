"""Reading parts of a version of a dataset's contents: columns of its index and lines of its manifest, by byte ranges."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from twofold.errors import DamagedObjectError
from twofold.manifest import columns
from twofold.manifest.index import BLOCK_ENTRIES
from twofold.stores.keys import ContentsKeys
from twofold.stores.objects import Bucket

_HEADER_BYTES = 64 << 10
_GAP_BYTES = 64 << 10
"""Lines with less between them are read together: a request costs more than the bytes."""


@dataclass(frozen=True, slots=True)
class StoredContents:
    bucket: Bucket
    folder: str
    header: columns.Header

    @classmethod
    def open(cls, bucket: Bucket, folder: str, checksum: str = "") -> Self:
        """`checksum` of the index's header, where it is known. Raises ObjectUnreachableError, DamagedObjectError."""
        header = _header(bucket, ContentsKeys(folder).index)
        header.require(checksum)
        return cls(bucket, folder, header)

    @property
    def entries(self) -> int:
        return self.header.columns["length"].count

    @property
    def names(self) -> Sequence[str]:
        """Of labels."""
        names: Sequence[str] = self.header.meta["names"]
        return names

    def size(self, *names: str) -> int:
        """Bytes of columns."""
        return sum(self.header.columns[name].size for name in names)

    def column(self, name: str, first: int = 0, count: int | None = None) -> NDArray[Any]:
        """`count` values from number `first` on, by default all."""
        column = self.header.columns[name]
        span = column.byte_range(first, column.count - first if count is None else count)
        data = _whole(self.bucket.get_range(ContentsKeys(self.folder).index, *span), span)
        if span[1] == column.size:
            columns.require_intact(data, name, column)
        return np.frombuffer(data, column.dtype)

    def lengths(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Bytes of the lines of entries given in ascending order, without their newlines."""
        return self._places(numbers)[1]

    def lines(self, numbers: NDArray[np.int64]) -> list[bytes]:
        """The lines of entries given in ascending order, without their newlines."""
        if not numbers.size:
            return []
        start, length = self._places(numbers)
        end = start + length
        apart = np.flatnonzero(start[1:] > end[:-1] + _GAP_BYTES) + 1
        firsts, lasts = [0, *apart.tolist()], [*apart.tolist(), numbers.size]
        spans = [
            (int(start[a]), int(end[b - 1] - start[a]) + 1)
            for a, b in zip(firsts, lasts, strict=True)
        ]
        texts = self.bucket.get_ranges(ContentsKeys(self.folder).manifest, spans)
        found: list[bytes] = []
        for text, (origin, _), a, b in zip(texts, spans, firsts, lasts, strict=True):
            places = zip((start[a:b] - origin).tolist(), (end[a:b] - origin).tolist(), strict=True)
            found += [_line(text, i, j) for i, j in places]
        return found

    def _places(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(offset in the manifest, length) of each line, by the blocks that the lines are in."""
        blocks = np.unique(numbers // BLOCK_ENTRIES)
        breaks = np.flatnonzero(np.diff(blocks) > 1) + 1
        offsets = self.column("block_start", int(blocks[0]), int(blocks[-1] - blocks[0]) + 1)
        starts, lengths = [], []
        runs = [run for run in np.split(blocks, breaks) if run.size]
        for run, sizes in zip(runs, self._lengths_of(runs), strict=True):
            ends = np.cumsum(sizes + 1)
            first = int(run[0]) * BLOCK_ENTRIES
            inside = numbers[(numbers >= first) & (numbers < first + sizes.size)] - first
            starts.append(int(offsets[run[0] - blocks[0]]) + ends[inside] - sizes[inside] - 1)
            lengths.append(sizes[inside])
        return np.concatenate(starts), np.concatenate(lengths)

    def _lengths_of(self, runs: Sequence[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        column = self.header.columns["length"]
        spans = []
        for run in runs:
            first, last = int(run[0]) * BLOCK_ENTRIES, (int(run[-1]) + 1) * BLOCK_ENTRIES
            spans.append(column.byte_range(first, min(last, column.count) - first))
        parts = self.bucket.get_ranges(ContentsKeys(self.folder).index, spans)
        return [
            np.frombuffer(_whole(part, span), column.dtype).astype(np.int64)
            for part, span in zip(parts, spans, strict=True)
        ]


def _line(text: bytes, start: int, end: int) -> bytes:
    """Lines end where the index says they do, or one of the two is damaged."""
    line = text[start:end]
    if text[end : end + 1] != b"\n" or b"\n" in line:
        raise DamagedObjectError("A line of the manifest is not where its index says.")
    return line


def _whole(data: bytes, span: tuple[int, int]) -> bytes:
    if len(data) != span[1]:
        raise DamagedObjectError("The index ends before its last column.")
    return data


@lru_cache(maxsize=16)
def _header(bucket: Bucket, key: str) -> columns.Header:
    """Contents never change, so their headers can be kept."""
    start = bucket.get_range(key, 0, _HEADER_BYTES)
    size = columns.header_size(start)
    if size > len(start):
        start += bucket.get_range(key, len(start), size - len(start))
    return columns.read_header(start)
