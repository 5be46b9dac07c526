"""The columnar index of a dataset: what the manifest says, without parsing it again.

About 21 bytes an entry, and one more for each label of an entry where the dataset has bounding boxes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_digest, xxh3_128_digest

from twofold.errors import DamagedObjectError
from twofold.manifest import columns
from twofold.manifest.label_sets import rows_of, sizes_of, spans_of

LABELED = 1
HAS_ERRORS = 2

BLOCK_ENTRIES = 4096
"""An encoded index says where every so many-th line begins."""

_CHUNK_ENTRIES = 1 << 16
_LOW_64 = (1 << 64) - 1


source_digest = xxh3_128_digest
"""Of the UTF-8 `source-ref`: 16 bytes, the most significant first. Indexes keep the last 8."""


def source_hash(source_ref: str) -> tuple[int, int]:
    """`source_digest` as (low, high) 64-bit halves."""
    digest = int.from_bytes(source_digest(source_ref.encode()))
    return digest & _LOW_64, digest >> 64


def file_name_hash(source_ref: str) -> int:
    """32 bits of what follows the last slash: equal names have equal hashes, and among a million others a hundred pairs."""
    return int.from_bytes(xxh3_64_digest(file_name(source_ref.encode()))[4:])


def file_name(source_ref: bytes) -> bytes:
    """What follows the last slash, or all if nothing does."""
    return source_ref.rpartition(b"/")[2] or source_ref


@dataclass(frozen=True, slots=True)
class Stats:
    """Rekognition's DatasetStats."""

    total_entries: int = 0
    labeled_entries: int = 0
    total_labels: int = 0
    error_entries: int = 0


@dataclass(frozen=True, slots=True)
class Index:
    """Columns of N entries in the order of the manifest.

    `length` uint32[N]: bytes of the line without its newline. `source` uint64[N]: hash of the source-ref.
    `file_name` uint32[N]: file_name_hash of the source-ref; empty in an index that was made before there was such a column.
    `label_set` uint32[N]: row of the label sets. `flags` uint8[N]: LABELED | HAS_ERRORS.
    `codes` uint16[N]: the `code_mask` of an entry's errors; empty where no entry has an error that was recorded, as in an index
    of format version 1.
    `set_offsets` uint32[S+1], `set_labels` uint32[]: the labels of set s are set_labels[set_offsets[s]:set_offsets[s+1]].
    `boxes` uint8[]: for each entry and each label of its set the number of boxes; empty where there are none at all.
    `names`: label names in the order in which they were first seen.
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
    def empty(cls) -> Self:
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

    def starts(self) -> NDArray[np.uint64]:
        """Byte offset of each line in the manifest, uint64[N]."""
        spans = self.length.astype(np.uint64) + np.uint64(1)
        return np.cumsum(spans, dtype=np.uint64) - spans

    def _block_starts(self) -> NDArray[np.uint64]:
        blocks = np.arange(0, len(self), BLOCK_ENTRIES)
        if not blocks.size:
            return np.empty(0, np.uint64)
        sizes = np.add.reduceat(self.length, blocks, dtype=np.uint64) + np.uint64(BLOCK_ENTRIES)
        return np.cumsum(np.concatenate([np.zeros(1, np.uint64), sizes[:-1]]), dtype=np.uint64)

    def set_sizes(self) -> NDArray[np.int64]:
        return sizes_of(self.set_offsets)

    def take(self, chosen: NDArray[np.bool_]) -> Self:
        """The index of the chosen entries; label sets and names stay as they are."""
        boxes = self.boxes
        if boxes.size:
            boxes = boxes[np.repeat(chosen, self.set_sizes()[self.label_set])]
        return replace(
            self,
            length=self.length[chosen],
            source=self.source[chosen],
            file_name=self.file_name[chosen] if self.file_name.size else self.file_name,
            label_set=self.label_set[chosen],
            flags=self.flags[chosen],
            codes=self.codes[chosen] if self.codes.size else self.codes,
            boxes=boxes,
        )

    def label_count(self) -> int:
        """Of all entries together, each with the labels of its set."""
        per_set = np.bincount(self.label_set, minlength=self.set_offsets.size - 1)
        return int(per_set @ self.set_sizes())

    def entries_by_label(self) -> NDArray[np.int64]:
        """Entries that carry each label, int64[len(names)]."""
        per_set = np.bincount(self.label_set, minlength=self.set_offsets.size - 1)
        totals = np.zeros(len(self.names), np.int64)
        for first, last in spans_of(self.set_offsets):
            low, high = int(self.set_offsets[first]), int(self.set_offsets[last])
            times = np.repeat(per_set[first:last], sizes_of(self.set_offsets[first : last + 1]))
            counts = np.bincount(self.set_labels[low:high], times, totals.size)
            totals += counts.astype(np.int64)
        return totals

    def boxes_by_label(self) -> NDArray[np.int64]:
        """Bounding boxes of each label, int64[len(names)]."""
        totals = np.zeros(len(self.names), np.int64)
        done = 0
        for first in range(0, len(self) if self.boxes.size else 0, _CHUNK_ENTRIES):
            chosen = self.label_set[first : first + _CHUNK_ENTRIES]
            _, labels = rows_of((self.set_offsets, self.set_labels), chosen)
            boxes = self.boxes[done : done + labels.size]
            done += labels.size
            counts = np.bincount(labels, weights=boxes, minlength=totals.size)
            totals += counts.astype(np.int64)
        return totals

    def stats(self) -> Stats:
        return Stats(
            total_entries=len(self),
            labeled_entries=int(np.count_nonzero(self.flags & LABELED)),
            total_labels=int(np.count_nonzero(self.entries_by_label())),
            error_entries=self.error_entries,
        )

    def encode(self) -> bytes:
        """The columns, and what can be told from them once and for all, for those who read only a part:

        `block_start` uint64[]: where in the manifest every BLOCK_ENTRIES-th line begins.
        `label_entries`, `label_boxes` uint64[len(names)]: entries and boxes of each label.
        """
        derived = {
            "block_start": self._block_starts(),
            "label_entries": self.entries_by_label().astype(np.uint64),
            "label_boxes": self.boxes_by_label().astype(np.uint64),
        }
        meta = {"kind": "index", "names": list(self.names)}
        return columns.pack(meta, {**self._columns(), **derived})

    def _columns(self) -> dict[str, NDArray[Any]]:
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
        """Raises DamagedObjectError."""
        meta, arrays = columns.unpack(data)
        if meta.get("kind") != "index":
            raise DamagedObjectError("The object is not the index of a dataset.")
        own = {name: array for name, array in arrays.items() if name in cls.__dataclass_fields__}
        own.setdefault("file_name", np.empty(0, np.uint32))
        own.setdefault("codes", np.empty(0, np.uint16))
        return cls(**own, names=tuple(meta["names"]))


class Numbering(dict[Any, int]):
    """`numbering[thing]` numbers things in the order in which they are first asked for."""

    def __missing__(self, thing: Any) -> int:
        number = self[thing] = len(self)
        return number


def label_table(index: Index) -> Mapping[str, tuple[int, int]]:
    """Of each label that occurs, (entries, boxes), in the order in which labels were first seen."""
    entries, boxes = index.entries_by_label(), index.boxes_by_label()
    return {
        name: (int(entries[i]), int(boxes[i])) for i, name in enumerate(index.names) if entries[i]
    }
