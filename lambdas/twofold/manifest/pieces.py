"""A piece: what one worker found in one byte range of a source manifest.

It covers every line that starts in the range, accepted or not, in order; label names and label sets are numbered locally.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from twofold.manifest import columns
from twofold.manifest.index import (
    HAS_ERRORS,
    LABELED,
    Numbering,
    file_name_hash,
    gather_label_sets,
    source_hash,
)
from twofold.manifest.lines import Entry, Rejection, RejectionReason, read_entry, source_bucket
from twofold.manifest.reader import Line

ACCEPTED = 0
REASONS = tuple(RejectionReason)
MAX_DETAILS = 1_000
MAX_BUCKETS = 2

_TOO_LONG = Rejection(RejectionReason.LINE_TOO_LONG, "The line has more than 100,000 characters.")


@dataclass(frozen=True, slots=True)
class Piece:
    """Columns of L lines.

    `start` uint64[L]: offset in the source. `length` uint32[L]: bytes without the terminator, 0 for a line that is too long to
    be read. `source`, `source_high` uint64[L]: halves of the hash of the source-ref, `file_name` uint32[L]: its file_name_hash.
    `digest` uint64[L]: hash of the line. `reason` uint8[L]: ACCEPTED, or 1 + the position in REASONS. `label_set`, `flags`,
    `boxes` and the label sets are as in the index; they mean nothing for a rejected line (set 0, the empty one). `details`:
    (line of this piece, sentence) of the first MAX_DETAILS rejected lines. `buckets`: up to MAX_BUCKETS buckets that the
    images are in.
    """

    start: NDArray[np.uint64]
    length: NDArray[np.uint32]
    source: NDArray[np.uint64]
    source_high: NDArray[np.uint64]
    file_name: NDArray[np.uint32]
    digest: NDArray[np.uint64]
    reason: NDArray[np.uint8]
    label_set: NDArray[np.uint32]
    flags: NDArray[np.uint8]
    boxes: NDArray[np.uint8]
    set_offsets: NDArray[np.uint32]
    set_labels: NDArray[np.uint32]
    names: tuple[str, ...]
    details: tuple[tuple[int, str], ...]
    buckets: tuple[str, ...]

    def __len__(self) -> int:
        return self.start.size

    def encode(self) -> bytes:
        meta = {"names": self.names, "details": self.details, "buckets": self.buckets}
        arrays = {name: getattr(self, name) for name in _COLUMNS}
        return columns.pack(meta, arrays)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises DamagedObjectError."""
        meta, arrays = columns.unpack(data)
        return cls(
            **arrays,
            names=tuple(meta["names"]),
            details=tuple((line, detail) for line, detail in meta["details"]),
            buckets=tuple(meta["buckets"]),
        )


_COLUMNS = tuple(
    name for name in Piece.__dataclass_fields__ if name not in ("names", "details", "buckets")
)


def index_lines(lines: Iterable[Line]) -> Piece:
    """Validates and indexes the lines of one range."""
    builder = _Builder()
    for start, line in lines:
        found = _TOO_LONG if line is None else read_entry(line)
        if isinstance(found, Entry):
            builder.accept(found)
        else:
            builder.reject(found)
        builder.place(start, line or b"", in_file=line is not None)
    return builder.piece()


class _Builder:
    """Grows the columns of a piece line by line, as machine numbers."""

    def __init__(self) -> None:
        self._places: tuple[array[int], array[int], array[int]] = array("Q"), array("I"), array("Q")
        self._sources: tuple[array[int], array[int]] = array("Q"), array("Q")
        self._file_names = array("I")
        self._reasons, self._flags, self._boxes = bytearray(), bytearray(), bytearray()
        self._label_sets = array("I")
        self._sets, self._names = Numbering(), Numbering()
        self._sets.number(())
        self._known_sets: dict[tuple[str, ...], int] = {}
        self._details: list[tuple[int, str]] = []
        self._buckets: dict[str, None] = {}

    def accept(self, entry: Entry) -> None:
        low, high = source_hash(entry.source_ref)
        self._sources[0].append(low)
        self._sources[1].append(high)
        self._file_names.append(file_name_hash(entry.source_ref))
        self._reasons.append(ACCEPTED)
        self._flags.append(LABELED * entry.labeled | HAS_ERRORS * entry.has_errors)
        self._label_sets.append(self._set_number(entry.labels))
        self._boxes.extend(entry.boxes)
        if len(self._buckets) < MAX_BUCKETS:
            self._buckets[source_bucket(entry.source_ref)] = None

    def reject(self, rejection: Rejection) -> None:
        if len(self._details) < MAX_DETAILS:
            self._details.append((len(self._reasons), rejection.detail))
        self._sources[0].append(0)
        self._sources[1].append(0)
        self._file_names.append(0)
        self._reasons.append(1 + REASONS.index(rejection.reason))
        self._flags.append(0)
        self._label_sets.append(0)

    def place(self, start: int, line: bytes, *, in_file: bool) -> None:
        starts, lengths, digests = self._places
        starts.append(start)
        lengths.append(len(line))
        digests.append(xxh3_64_intdigest(line) if in_file else 0)

    def _set_number(self, labels: tuple[str, ...]) -> int:
        known = self._known_sets.get(labels)
        if known is None:
            known = self._sets.number(tuple(self._names.number(name) for name in labels))
            self._known_sets[labels] = known
        return known

    def piece(self) -> Piece:
        starts, lengths, digests = self._places
        offsets, labels = gather_label_sets(self._sets.things())
        return Piece(
            start=np.frombuffer(starts, np.uint64),
            length=np.frombuffer(lengths, np.uint32),
            source=np.frombuffer(self._sources[0], np.uint64),
            source_high=np.frombuffer(self._sources[1], np.uint64),
            file_name=np.frombuffer(self._file_names, np.uint32),
            digest=np.frombuffer(digests, np.uint64),
            reason=np.frombuffer(self._reasons, np.uint8),
            label_set=np.frombuffer(self._label_sets, np.uint32),
            flags=np.frombuffer(self._flags, np.uint8),
            boxes=np.frombuffer(self._boxes, np.uint8),
            set_offsets=offsets,
            set_labels=labels,
            names=tuple(self._names.things()),
            details=tuple(self._details),
            buckets=tuple(self._buckets),
        )
