"""Read parts of a dataset's contents by byte ranges: columns of the index and lines of the manifest."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from twofold.errors import DamagedObjectError
from twofold.manifest.index import columns
from twofold.manifest.index.dataset_index import BLOCK_ENTRIES
from twofold.stores.keys import ContentsKeys
from twofold.stores.objects import Bucket

_HEADER_BYTES = 64 << 10
_GAP_BYTES = 64 << 10
"""Lines with a smaller gap are read by one request, since a request costs more than the bytes of the gap."""


@dataclass(frozen=True, slots=True)
class StoredContents:
    """One version of a dataset's contents, with the header of the index."""

    bucket: Bucket
    folder: str
    header: columns.ContainerHeader

    @classmethod
    def open(cls, bucket: Bucket, folder: str, checksum: str = "") -> Self:
        """Read the header; `checksum` is the expected checksum, if known. Raises ObjectUnreachableError, DamagedObjectError."""
        header = _read_header(bucket, ContentsKeys(folder).index)
        header.verify_checksum(checksum)
        return cls(bucket, folder, header)

    @property
    def entries(self) -> int:
        return self.header.columns["length"].count

    @property
    def label_names(self) -> Sequence[str]:
        names: Sequence[str] = self.header.meta["names"]
        return names

    def get_size(self, *names: str) -> int:
        """Return the total size of columns in bytes."""
        return sum(self.header.columns[name].size for name in names)

    def read_column(self, name: str, first: int = 0, count: int | None = None) -> NDArray[Any]:
        """Return `count` values from number `first` on, by default all."""
        column = self.header.columns[name]
        span = column.compute_byte_range(first, column.count - first if count is None else count)
        data = _require_size(self.bucket.get_range(ContentsKeys(self.folder).index, *span), span)
        if span[1] == column.size:
            columns.verify_column(data, name, column)
        return np.frombuffer(data, column.dtype)

    def read_line_lengths(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the lengths of the lines of entries without newlines; `numbers` are ascending."""
        return self._locate_lines(numbers)[1]

    def read_lines(self, numbers: NDArray[np.int64]) -> list[bytes]:
        """Return the lines of entries without newlines; `numbers` are ascending."""
        if not numbers.size:
            return []
        start, length = self._locate_lines(numbers)
        end = start + length
        # Lines [first, last) of each run are read by one request, with the newline of the last line.
        gaps = np.flatnonzero(start[1:] > end[:-1] + _GAP_BYTES) + 1
        firsts, lasts = [0, *gaps.tolist()], [*gaps.tolist(), numbers.size]
        spans = [
            (int(start[first]), int(end[last - 1] - start[first]) + 1)
            for first, last in zip(firsts, lasts, strict=True)
        ]
        texts = self.bucket.get_ranges(ContentsKeys(self.folder).manifest, spans)
        lines: list[bytes] = []
        for text, (origin, _), first, last in zip(texts, spans, firsts, lasts, strict=True):
            line_starts = (start[first:last] - origin).tolist()
            line_ends = (end[first:last] - origin).tolist()
            lines += map(partial(_extract_line, text), line_starts, line_ends)
        return lines

    def _locate_lines(
        self, numbers: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (offset in the manifest, length) of each line: int64[n] each.

        The index stores the offset of each block of BLOCK_ENTRIES lines. Only the blocks with the wanted lines are read.
        """
        blocks = np.unique(numbers // BLOCK_ENTRIES)
        run_starts = np.flatnonzero(np.diff(blocks) > 1) + 1
        offsets = self.read_column("block_start", int(blocks[0]), int(blocks[-1] - blocks[0]) + 1)
        starts, lengths = [], []
        runs = [run for run in np.split(blocks, run_starts) if run.size]
        for run, sizes in zip(runs, self._read_block_lengths(runs), strict=True):
            ends = np.cumsum(sizes + 1)  # offsets of the line ends from the first line of the run
            first = int(run[0]) * BLOCK_ENTRIES
            inside = numbers[(numbers >= first) & (numbers < first + sizes.size)] - first
            starts.append(int(offsets[run[0] - blocks[0]]) + ends[inside] - sizes[inside] - 1)
            lengths.append(sizes[inside])
        return np.concatenate(starts), np.concatenate(lengths)

    def _read_block_lengths(self, runs: Sequence[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        """Return the line lengths of runs of consecutive blocks: one int64 array per run."""
        column = self.header.columns["length"]
        spans = []
        for run in runs:
            first, last = int(run[0]) * BLOCK_ENTRIES, (int(run[-1]) + 1) * BLOCK_ENTRIES
            spans.append(column.compute_byte_range(first, min(last, column.count) - first))
        parts = self.bucket.get_ranges(ContentsKeys(self.folder).index, spans)
        return [
            np.frombuffer(_require_size(part, span), column.dtype).astype(np.int64)
            for part, span in zip(parts, spans, strict=True)
        ]


def _extract_line(text: bytes, start: int, end: int) -> bytes:
    """Return text[start:end]. Raises DamagedObjectError if the line does not end there."""
    line = text[start:end]
    if text[end : end + 1] != b"\n" or b"\n" in line:
        raise DamagedObjectError("A line of the manifest does not match its position in the index.")
    return line


def _require_size(data: bytes, span: tuple[int, int]) -> bytes:
    if len(data) != span[1]:
        raise DamagedObjectError("The index ends before its last column.")
    return data


@lru_cache(maxsize=16)
def _read_header(bucket: Bucket, key: str) -> columns.ContainerHeader:
    """Read the header of an index. Contents never change, so the header is cached."""
    start = bucket.get_range(key, 0, _HEADER_BYTES)
    size = columns.read_header_size(start)
    if size > len(start):
        start += bucket.get_range(key, len(start), size - len(start))
    return columns.read_header(start)
