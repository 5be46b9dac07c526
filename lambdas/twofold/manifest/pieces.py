"""A piece: what one worker found in one byte range of a source manifest.

It covers every line that starts in the range, accepted or not, in order; label names and label sets are numbered locally.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_digest

from twofold.manifest import columns
from twofold.manifest.attributes import examine
from twofold.manifest.document import Rejection, RejectionReason, parse, source_bucket
from twofold.manifest.index import (
    HAS_ERRORS,
    LABELED,
    Numbering,
    file_name_digest,
    gather_label_sets,
    source_digest,
)
from twofold.manifest.reader import Line

ACCEPTED = 0
REASONS = tuple(RejectionReason)
MAX_DETAILS = 1_000
MAX_BUCKETS = 2

_NO_DIGEST, _NO_SOURCE = bytes(8), bytes(16)
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
    builder.read(lines)
    return builder.piece()


class _Builder:
    """Grows the columns of a piece line by line, as machine numbers; hashes as bytes, most significant first."""

    def __init__(self) -> None:
        self._starts, self._lengths, self._label_sets = array("Q"), array("I"), array("I")
        self._digests, self._sources, self._file_names = bytearray(), bytearray(), bytearray()
        self._reasons, self._flags, self._boxes = bytearray(), bytearray(), bytearray()
        self._sets, self._names = Numbering(), Numbering()
        self._sets.number(())
        self._known_sets: dict[tuple[str, ...], int] = {}
        self._details: list[tuple[int, str]] = []
        self._buckets: dict[str, None] = {}
        self._bucket = "\n"

    def read(self, lines: Iterable[Line]) -> None:
        """The loop that everything passes through: what it does not call costs nothing."""
        starts, lengths, digests = self._starts, self._lengths, self._digests
        sources, file_names = self._sources, self._file_names
        flags, known_sets = self._flags, self._known_sets
        for start, line in lines:
            starts.append(start)
            if line is None:
                self._reject(_TOO_LONG, 0, _NO_DIGEST)
                continue
            document = parse(line)
            if isinstance(document, Rejection):
                self._reject(document, len(line), xxh3_64_digest(line))
                continue
            lengths.append(len(line))
            digests += xxh3_64_digest(line)
            source_ref = document["source-ref"]
            sources += source_digest(source_ref)
            file_names += file_name_digest(source_ref)
            if not source_ref.startswith(self._bucket):
                self._meet_bucket(source_ref)
            found = examine(document)
            flags.append(LABELED * found.labeled | (HAS_ERRORS if found.faults else 0))
            labels = tuple(found.labels)
            number = known_sets.get(labels)
            self._label_sets.append(self._set_number(labels) if number is None else number)
            self._boxes.extend(found.labels.values())
            self._reasons.append(ACCEPTED)

    def _reject(self, rejection: Rejection, length: int, digest: bytes) -> None:
        if len(self._details) < MAX_DETAILS:
            self._details.append((len(self._reasons), rejection.detail))
        self._lengths.append(length)
        self._digests += digest
        self._sources += _NO_SOURCE
        self._file_names += _NO_DIGEST
        self._reasons.append(1 + REASONS.index(rejection.reason))
        self._flags.append(0)
        self._label_sets.append(0)

    def _meet_bucket(self, source_ref: str) -> None:
        if len(self._buckets) < MAX_BUCKETS:
            bucket = source_bucket(source_ref)
            self._buckets[bucket] = None
            self._bucket = f"s3://{bucket}/"

    def _set_number(self, labels: tuple[str, ...]) -> int:
        number = self._sets.number(tuple(self._names.number(name) for name in labels))
        self._known_sets[labels] = number
        return number

    def piece(self) -> Piece:
        offsets, labels = gather_label_sets(self._sets.things())
        sources = np.frombuffer(self._sources, ">u8").astype(np.uint64)
        return Piece(
            start=np.frombuffer(self._starts, np.uint64),
            length=np.frombuffer(self._lengths, np.uint32),
            source=sources[1::2].copy(),
            source_high=sources[::2].copy(),
            file_name=np.frombuffer(self._file_names, ">u4")[1::2].astype(np.uint32),
            digest=np.frombuffer(self._digests, ">u8").astype(np.uint64),
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
