"""Join the indexes of all ranges into a dataset index: global label numbers, duplicates, and kept lines."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import LabelSets, compute_lengths, compute_offsets, find_distinct_sets
from twofold.manifest.index.dataset_index import DatasetIndex
from twofold.manifest.index.hash_collisions import (
    ReadLines,
    find_first_occurrences,
    find_positions,
    find_repeated,
    make_distinct_hashes,
    read_identities,
)
from twofold.manifest.index.numbering import Numbering
from twofold.manifest.index.range_index import ACCEPTED, REASONS, RangeIndex
from twofold.manifest.line.errors import RejectionReason

KEPT, REJECTED = 0, 1
"""Sides of the lines of a source: `manifest` and `rejected.manifest`."""

_DTYPES: Mapping[str, type[np.generic]] = {
    "start": np.uint64,
    "length": np.uint32,
    "source": np.uint64,
    "file_name": np.uint32,
    "digest": np.uint64,
    "reason": np.uint8,
    "label_set": np.uint32,
    "flags": np.uint8,
    "boxes": np.uint8,
}
"""The columns of ranges that are concatenated."""

_DUPLICATE = 1 + REASONS.index(RejectionReason.DUPLICATE_SOURCE_REF)

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """`line` counts from 1 in the source. `detail` is empty after the first thousand rejected lines of a range."""

    line: int
    reason: RejectionReason
    detail: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """The result for the L lines of a source.

    `start`, `length`, `side`: the lines to transfer out of the source, KEPT or REJECTED, in the order of the source (blank
    lines and lines over MAX_LINE_BYTES are omitted). `reason` uint8[L]: why each line is rejected, 0 for an entry.
    `duplicate`, `original` int64[]: lines whose image is on an earlier line, ascending, and these earlier lines.
    `sampling_hash` uint64[]: a distinct hash for each entry. `digest`: the sum of the hashes of kept lines modulo 2**64.
    `buckets`: buckets of images, at most two of each range, each with the first line, from 0, that names it. `first_line`:
    the number of the first line in messages.
    """

    index: DatasetIndex
    start: NDArray[np.uint64]
    length: NDArray[np.uint32]
    side: NDArray[np.uint8]
    digest: int
    reason: NDArray[np.uint8]
    duplicate: NDArray[np.int64]
    original: NDArray[np.int64]
    sampling_hash: NDArray[np.uint64]
    details: Mapping[int, str]
    buckets: tuple[tuple[str, int], ...]
    first_line: int = 1

    @property
    def lines(self) -> int:
        return self.reason.size

    @property
    def rejected(self) -> int:
        return self.reason.size - len(self.index)

    def iterate_rejected_lines(self) -> Iterator[RejectedLine]:
        for line in np.flatnonzero(self.reason).tolist():
            reason = REASONS[self.reason[line] - 1]
            yield RejectedLine(line + self.first_line, reason, self._get_detail(line))

    def _get_detail(self, line: int) -> str:
        position = int(np.searchsorted(self.duplicate, line))
        if position < self.duplicate.size and self.duplicate[position] == line:
            original = self.original[position] + self.first_line
            return f"The source-ref is already on line {original}."
        return self.details.get(line, "")


def join_ranges(ranges: Iterable[RangeIndex], read: ReadLines) -> Resolution:
    """Join the ranges of a source manifest, in the order of the source. Keeps the first line of each source-ref.

    Needs a single range at a time, and keeps no reference to a range. `read` reads the lines of the source with equal hashes.
    """
    merger = _RangeMerger()
    for range_index in ranges:
        merger.add_range(range_index)
    return merger.build_resolution(read)


class _RangeMerger:
    """Concatenates ranges. Columns take most of the memory: a column grows in place and is released after the last use."""

    def __init__(self) -> None:
        self._columns = {name: np.empty(0, dtype) for name, dtype in _DTYPES.items()}
        self._names = Numbering()
        self._set_lengths, self._set_labels = np.empty(0, np.int64), np.empty(0, np.uint32)
        self._details: dict[int, str] = {}
        self._codes = np.empty(0, np.uint16)
        self._variants: list[tuple[int, NDArray[np.uint64]]] = []
        self._may_collide = False
        self._buckets: dict[str, int] = {}

    def add_range(self, range_index: RangeIndex) -> None:
        first_line, first_set = self._columns["start"].size, self._set_lengths.size
        for name, column in self._columns.items():
            _append_in_place(column, getattr(range_index, name))
        # Renumber sets and labels of the range for the whole source.
        self._columns["label_set"][first_line:] += np.uint32(first_set)
        numbers = np.array([self._names[name] for name in range_index.names], np.uint32)
        _append_in_place(self._set_lengths, compute_lengths(range_index.set_offsets))
        _append_in_place(self._set_labels, numbers[range_index.set_labels])
        self._details |= {first_line + line: detail for line, detail in range_index.details}
        if range_index.codes.size:
            # Earlier ranges without errors have no codes: `resize` fills their lines with zeros.
            self._codes.resize(first_line, refcheck=False)
            _append_in_place(self._codes, range_index.codes)
        if range_index.variant.size:
            self._variants.append((first_line, range_index.variant))
            # Hashes of the source-refs as written may be equal although the normalized ones differ.
            self._may_collide = True
        for bucket, line in range_index.buckets:
            self._buckets.setdefault(bucket, first_line + line)

    def build_resolution(self, read: ReadLines) -> Resolution:
        take = self._columns.pop
        reason, start, length = take("reason"), take("start"), take("length")
        duplicate, original = self._find_duplicates(reason, start, length, read)
        reason[duplicate] = _DUPLICATE
        # Each mask has one value per line of the source.
        is_kept = reason == ACCEPTED
        digest = int(take("digest").sum(dtype=np.uint64, where=is_kept))
        # Rejected lines are transferred too, to rejected.manifest, if they have bytes.
        transferred = is_kept | (length > 0)
        index = self._build_index(length, is_kept)
        sampling_hash = index.source
        if self._may_collide:
            sampling_hash = make_distinct_hashes(index.source, start[is_kept], index.length, read)
        side = np.where(_select(is_kept, transferred), np.uint8(KEPT), np.uint8(REJECTED))
        return Resolution(
            index=index,
            start=_select(start, transferred),
            length=_select(length, transferred),
            side=side,
            digest=digest,
            reason=reason,
            duplicate=duplicate,
            original=original,
            sampling_hash=sampling_hash,
            details=self._details,
            buckets=tuple(self._buckets.items()),
        )

    def _find_duplicates(
        self,
        reason: NDArray[np.uint8],
        start: NDArray[np.uint64],
        length: NDArray[np.uint32],
        read: ReadLines,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the accepted lines with an image of an earlier line, and these earlier lines. Equal hashes are only a hint."""
        accepted = reason == ACCEPTED
        # Both spellings of a source-ref name the same image, so compare normalized hashes.
        source = self._normalize_sources()
        lines = find_positions(source, find_repeated(source[accepted]), accepted)
        if not lines.size:
            return lines, lines
        # Read only the lines with repeated hashes, and compare the identities of the images.
        identities = read_identities(read(start[lines], length[lines]))
        firsts = lines[find_first_occurrences(identities)]
        is_duplicate = firsts != lines
        # Distinct images with equal hashes remain: the entries need other hashes for sampling.
        remaining = source[lines[~is_duplicate]]
        self._may_collide |= bool(find_repeated(remaining).size)
        return lines[is_duplicate], firsts[is_duplicate]

    def _normalize_sources(self) -> NDArray[np.uint64]:
        """Return the hashes of normalized source-refs."""
        source = self._columns["source"]
        if self._variants:
            source = source.copy()
            for first_line, variant in self._variants:
                source[variant[:, 0].astype(np.int64) + first_line] = variant[:, 1]
        return source

    def _build_index(self, length: NDArray[np.uint32], kept: NDArray[np.bool_]) -> DatasetIndex:
        take = self._columns.pop
        sets = LabelSets(compute_offsets(self._set_lengths), self._set_labels)
        # Ranges may share label sets: number the distinct sets of all ranges.
        number, distinct_sets = find_distinct_sets(sets)
        label_set = number[take("label_set")]
        boxes = take("boxes")
        if not kept.all():
            # `boxes` has one value for each label of each line.
            boxes = boxes[np.repeat(kept, compute_lengths(distinct_sets.offsets)[label_set])]
        return DatasetIndex(
            length=_select(length, kept),
            source=_select(take("source"), kept),
            file_name=_select(take("file_name"), kept),
            label_set=_select(label_set, kept),
            flags=_select(take("flags"), kept),
            codes=self._select_codes(kept),
            boxes=boxes if boxes.any() else np.empty(0, np.uint8),
            set_offsets=distinct_sets.offsets.astype(np.uint32),
            set_labels=distinct_sets.labels,
            names=tuple(self._names),
        )

    def _select_codes(self, kept: NDArray[np.bool_]) -> NDArray[np.uint16]:
        if self._codes.size:
            # The last ranges may have no codes: fill up with zeros.
            self._codes.resize(kept.size, refcheck=False)
        codes = _select(self._codes, kept) if self._codes.size else self._codes
        return codes if codes.any() else np.empty(0, np.uint16)


def _append_in_place(column: NDArray[Any], part: NDArray[Any]) -> None:
    """Append without a second array: for large arrays the system remaps pages and copies nothing."""
    size = column.size
    column.resize(size + part.size, refcheck=False)
    column[size:] = part


def _select(column: NDArray[Number], mask: NDArray[np.bool_]) -> NDArray[Number]:
    """Return the values in the mask, without a copy if the mask is full."""
    return column if mask.all() else column[mask]
