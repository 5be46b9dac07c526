"""The columnar index of a dataset.

An index takes about 21 bytes for each entry, and another byte for each label of an entry if the dataset has bounding boxes.
"""

from dataclasses import dataclass, replace
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from twofold.errors import DamagedObjectError
from twofold.label_sets import Ints, LabelSets, compute_lengths, iterate_chunks, take_sets
from twofold.manifest.index import columns

LABELED = 1
HAS_ERRORS = 2

BLOCK_ENTRIES = 4096
"""An encoded index has the offset of every 4096th line."""

_CHUNK_ENTRIES = 1 << 16


@dataclass(frozen=True, slots=True)
class DatasetStats:
    """Rekognition's DatasetStats."""

    total_entries: int = 0
    labeled_entries: int = 0
    total_labels: int = 0
    error_entries: int = 0


@dataclass(frozen=True, slots=True)
class DatasetIndex:
    """Columns of N entries in the order of the manifest, and S distinct label sets.

    `length` uint32[N]: bytes of the line without its newline. `source` uint64[N]: hash of the source-ref.
    `file_name` uint32[N]: hash of the file name; empty in an index from a release without this column.
    `label_set` uint32[N]: number of the label set. `flags` uint8[N]: LABELED | HAS_ERRORS.
    `codes` uint16[N]: the code mask of the entry's errors; empty if no entry has recorded errors, as in format version 1.
    `set_offsets` uint32[S+1], `set_labels` uint32[]: the labels of set s are set_labels[set_offsets[s]:set_offsets[s+1]].
    `boxes` uint8[]: for each entry, and each label of the entry, the number of boxes; empty if no entry has boxes.
    `names`: label names in order of first appearance.
    """

    length: NDArray[np.uint32]
    source: NDArray[np.uint64]
    file_name: NDArray[np.uint32]
    label_set: NDArray[np.uint32]
    flags: NDArray[np.uint8]
    codes: NDArray[np.uint16]
    boxes: NDArray[np.uint8]
    set_offsets: NDArray[np.uint32]
    set_labels: NDArray[np.uint32]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return self.length.size

    @classmethod
    def make_empty(cls) -> Self:
        return cls(
            length=np.empty(0, np.uint32),
            source=np.empty(0, np.uint64),
            file_name=np.empty(0, np.uint32),
            label_set=np.empty(0, np.uint32),
            flags=np.empty(0, np.uint8),
            codes=np.empty(0, np.uint16),
            boxes=np.empty(0, np.uint8),
            set_offsets=np.zeros(1, np.uint32),
            set_labels=np.empty(0, np.uint32),
            names=(),
        )

    @property
    def manifest_bytes(self) -> int:
        return int(self.length.sum(dtype=np.int64)) + len(self)

    @property
    def error_entries(self) -> int:
        return int(np.count_nonzero(self.flags & HAS_ERRORS))

    def compute_starts(self) -> NDArray[np.uint64]:
        """Return the byte offset of each line in the manifest, uint64[N]."""
        # A line ends with a newline: the start is the sum of all earlier lengths and newlines.
        spans = self.length.astype(np.uint64) + np.uint64(1)
        return np.cumsum(spans, dtype=np.uint64) - spans

    def _compute_block_starts(self) -> NDArray[np.uint64]:
        blocks = np.arange(0, len(self), BLOCK_ENTRIES)
        if not blocks.size:
            return np.empty(0, np.uint64)
        # Each line of a block has a newline. The last block may be smaller, but its size is not used.
        sizes = np.add.reduceat(self.length, blocks, dtype=np.uint64) + np.uint64(BLOCK_ENTRIES)
        return np.cumsum(np.concatenate([np.zeros(1, np.uint64), sizes[:-1]]), dtype=np.uint64)

    def compute_set_lengths(self) -> Ints:
        return compute_lengths(self.set_offsets)

    def fill_codes(self) -> NDArray[np.uint16]:
        """Return the codes, or zeros if there are none."""
        return self.codes if self.codes.size else np.zeros(len(self), np.uint16)

    def fill_boxes(self) -> NDArray[np.uint8]:
        """Return the box counts, or zeros if there are none."""
        return self.boxes if self.boxes.size else np.zeros(self.count_labels(), np.uint8)

    def take_entries(self, mask: NDArray[np.bool_]) -> Self:
        """Return the index of the entries in the mask. Label sets and names stay as they are."""
        boxes = self.boxes
        if boxes.size:
            # `boxes` has one value for each label of an entry: repeat the mask so often.
            boxes = boxes[np.repeat(mask, self.compute_set_lengths()[self.label_set])]
        return replace(
            self,
            length=self.length[mask],
            source=self.source[mask],
            file_name=self.file_name[mask] if self.file_name.size else self.file_name,
            label_set=self.label_set[mask],
            flags=self.flags[mask],
            codes=self.codes[mask] if self.codes.size else self.codes,
            boxes=boxes,
        )

    def _count_entries_by_set(self) -> NDArray[np.int64]:
        return np.bincount(self.label_set, minlength=self.set_offsets.size - 1)

    def count_labels(self) -> int:
        """Return the sum, over all entries, of the number of labels."""
        return int(self._count_entries_by_set() @ self.compute_set_lengths())

    def count_entries_by_label(self) -> NDArray[np.int64]:
        """Return the number of entries with each label, int64[len(names)]."""
        entries_by_set = self._count_entries_by_set()
        totals = np.zeros(len(self.names), np.int64)
        for first, last in iterate_chunks(self.set_offsets):
            low, high = int(self.set_offsets[first]), int(self.set_offsets[last])
            # Each label of a set counts for all entries of the set.
            lengths = compute_lengths(self.set_offsets[first : last + 1])
            weights = np.repeat(entries_by_set[first:last], lengths)
            counts = np.bincount(self.set_labels[low:high], weights, totals.size)
            # Floats are exact below 2**53, so the conversion loses nothing.
            totals += counts.astype(np.int64)
        return totals

    def count_boxes_by_label(self) -> NDArray[np.int64]:
        """Return the number of bounding boxes of each label, int64[len(names)]."""
        # `boxes` follows the entries, and within an entry the labels of the set.
        totals = np.zeros(len(self.names), np.int64)
        # A copy as int64 would take 8 bytes a set, and `take_sets` works with any integer type.
        sets = LabelSets(cast(Ints, self.set_offsets), self.set_labels)
        position = 0
        for first in range(0, len(self) if self.boxes.size else 0, _CHUNK_ENTRIES):
            # One label for each value of `boxes`, so that bincount adds up the boxes of each label.
            labels = take_sets(sets, self.label_set[first : first + _CHUNK_ENTRIES]).labels
            boxes = self.boxes[position : position + labels.size]
            position += labels.size
            counts = np.bincount(labels, weights=boxes, minlength=totals.size)
            totals += counts.astype(np.int64)
        return totals

    def build_label_sets(self) -> LabelSets:
        """Return the label sets with their names, for the split and the report."""
        return LabelSets(self.set_offsets.astype(np.int64), self.set_labels, self.names)

    def compute_stats(self) -> DatasetStats:
        return DatasetStats(
            total_entries=len(self),
            labeled_entries=int(np.count_nonzero(self.flags & LABELED)),
            total_labels=int(np.count_nonzero(self.count_entries_by_label())),
            error_entries=self.error_entries,
        )

    def encode(self) -> bytes:
        """Return the columns and metadata as an object, with derived columns for readers of a part of the object:

        `block_start` uint64[]: the offset in the manifest of every BLOCK_ENTRIES-th line.
        `label_entries`, `label_boxes` uint64[len(names)]: entries and boxes of each label.
        """
        derived = {
            "block_start": self._compute_block_starts(),
            "label_entries": self.count_entries_by_label().astype(np.uint64),
            "label_boxes": self.count_boxes_by_label().astype(np.uint64),
        }
        meta = {"kind": "index", "names": list(self.names)}
        return columns.pack_columns(meta, {**self._collect_columns(), **derived})

    def _collect_columns(self) -> dict[str, NDArray[Any]]:
        return {
            "length": self.length,
            "source": self.source,
            "file_name": self.file_name,
            "label_set": self.label_set,
            "flags": self.flags,
            "codes": self.codes,
            "boxes": self.boxes,
            "set_offsets": self.set_offsets,
            "set_labels": self.set_labels,
        }

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read an encoded index. Raises DamagedObjectError."""
        meta, arrays = columns.unpack_columns(data)
        if meta.get("kind") != "index":
            raise DamagedObjectError("The object is not the index of a dataset.")
        own = {name: array for name, array in arrays.items() if name in cls.__dataclass_fields__}
        # Older releases did not write these two columns.
        own.setdefault("file_name", np.empty(0, np.uint32))
        own.setdefault("codes", np.empty(0, np.uint16))
        return cls(**own, names=tuple(meta["names"]))
