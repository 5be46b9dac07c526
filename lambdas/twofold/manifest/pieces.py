"""A piece: what one worker found in one byte range of a source manifest.

It covers every line that starts in the range, accepted or not, in order; label names and label sets are numbered locally.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_digest

from twofold.manifest import columns
from twofold.manifest.attributes import examine
from twofold.manifest.document import Rejection, RejectionReason, parse, source_bucket
from twofold.manifest.faulty import code_column, code_mask
from twofold.manifest.findings import is_label
from twofold.manifest.forms import Known
from twofold.manifest.identity import canonical, source_identity
from twofold.manifest.index import (
    HAS_ERRORS,
    LABELED,
    Numbering,
    file_name,
    source_digest,
    source_hash,
)
from twofold.manifest.label_sets import counted_rows, distinct_rows, with_empty_row
from twofold.manifest.reader import Batch, Line, split_opening
from twofold.manifest.shapes import Shapes

ACCEPTED = 0
REASONS = tuple(RejectionReason)
MAX_DETAILS = 1_000
MAX_BUCKETS = 2
OPENING_LINES = 8
"""From them it is learned what the others look like."""
SIMPLE_CHARACTERS = 255
"""A source-ref that is no longer has no key over 1024 bytes."""

_TOO_LONG = Rejection(RejectionReason.LINE_TOO_LONG, "The line has more than 100,000 characters.")


@dataclass(frozen=True, slots=True)
class Piece:
    """Columns of L lines.

    `start` uint64[L]: offset in the source. `length` uint32[L]: bytes without the terminator, 0 for a line that is too long to
    be read. `source` uint64[L]: hash of the source-ref, `file_name` uint32[L]: its file_name_hash.
    `digest` uint64[L]: hash of the line. `reason` uint8[L]: ACCEPTED, or 1 + the position in REASONS. `label_set`, `flags`,
    `codes`, `boxes` and the label sets are as in the index; they and the hashes of the source-ref mean nothing for a rejected
    line. `details`: (line of this piece, sentence) of the first MAX_DETAILS rejected lines. `buckets`: up to MAX_BUCKETS
    buckets that the images are in, each with the first line of this piece that names it. `variant` uint64[V, 2]: lines whose
    source-ref is not in its canonical form, and the hash of that.
    """

    start: NDArray[np.uint64]
    length: NDArray[np.uint32]
    source: NDArray[np.uint64]
    file_name: NDArray[np.uint32]
    digest: NDArray[np.uint64]
    reason: NDArray[np.uint8]
    label_set: NDArray[np.uint32]
    flags: NDArray[np.uint8]
    codes: NDArray[np.uint16]
    boxes: NDArray[np.uint8]
    variant: NDArray[np.uint64]
    set_offsets: NDArray[np.uint32]
    set_labels: NDArray[np.uint32]
    names: tuple[str, ...]
    details: tuple[tuple[int, str], ...]
    buckets: tuple[tuple[str, int], ...]

    def __len__(self) -> int:
        return self.start.size

    def encode(self) -> bytes:
        meta = {"names": self.names, "details": self.details, "buckets": self.buckets}
        arrays = {name: getattr(self, name).ravel() for name in _COLUMNS}
        return columns.pack(meta, arrays)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises DamagedObjectError."""
        meta, arrays = columns.unpack(data)
        return cls(
            **{**arrays, "variant": arrays["variant"].reshape(-1, 2)},
            names=tuple(meta["names"]),
            details=tuple((line, detail) for line, detail in meta["details"]),
            buckets=tuple((bucket, line) for bucket, line in meta["buckets"]),
        )


_COLUMNS = tuple(
    name for name in Piece.__dataclass_fields__ if name not in ("names", "details", "buckets")
)


def index_batches(batches: Iterable[Batch], identities: bytearray | None = None) -> Piece:
    """Validates and indexes the lines of one range, and appends the identity of each line's image to `identities`."""
    builder = _Builder(identities)
    for batch in split_opening(batches, OPENING_LINES):
        builder.read(batch)
    return builder.piece()


def index_lines(lines: Iterable[Line]) -> Piece:
    """The same of lines that are all at hand."""
    found = list(lines)
    return index_batches([Batch([start for start, _ in found], [line for _, line in found])])


class _Builder:
    """Grows the columns of a piece batch by batch, as machine numbers; hashes as bytes, most significant first.

    `_sizes` has how many labels a line has, repeated ones included; `_labels` their numbers; `_boxes` how many boxes each is.
    """

    def __init__(self, identities: bytearray | None) -> None:
        self._identities = identities
        self._starts, self._lengths = array("Q"), array("I")
        self._digests, self._sources, self._file_names = bytearray(), bytearray(), bytearray()
        self._reasons, self._flags, self._boxes = bytearray(), bytearray(), bytearray()
        self._sizes, self._labels = array("I"), array("I")
        self._names = Numbering()
        self._shapes = Shapes()
        self._details: list[tuple[int, str]] = []
        self._faulty: dict[int, int] = {}
        self._variants: list[int] = []
        self._buckets: dict[str, int] = {}
        self._bucket = "\n"

    def read(self, batch: Batch) -> None:
        lines = [line or b"" for line in batch.lines]
        self._starts.extend(batch.starts)
        self._lengths.extend(map(len, lines))
        self._digests += b"".join(map(xxh3_64_digest, lines))
        found = self._acceptable(self._shapes.read(lines))
        left = [row for row, known in enumerate(found) if not known]
        for before, row in pairwise([-1, *left, len(lines)]):
            self._take(found[before + 1 : row])
            if row < len(lines):
                self._read(batch.lines[row])

    def _acceptable(self, found: list[Known | None]) -> list[Known | None]:
        """Without those that name another bucket, a key that may be too long, or a label that is none."""
        prefix = self._bucket
        known = [
            one
            if one and one[0].startswith(prefix) and len(prefix) < len(one[0]) <= SIMPLE_CHARACTERS
            else None
            for one in found
        ]
        names = {name for one in known if one for name in one[1]} - self._names.keys()
        wrong = {name for name in names if not is_label(name)}
        if not wrong:
            return known
        return [None if one and not wrong.isdisjoint(one[1]) else one for one in known]

    def _take(self, found: Sequence[Known | None]) -> None:
        """Consecutive lines that a shape has read."""
        if not found:
            return
        source_refs, labels, boxes, _ = zip(*found, strict=True)
        sizes = list(map(len, labels))
        self._sizes.extend(sizes)
        self._labels.extend(map(self._names.__getitem__, chain.from_iterable(labels)))
        self._boxes += np.repeat(np.array(boxes, np.uint8), sizes).tobytes()
        self._flags += np.array([LABELED if size else 0 for size in sizes], np.uint8).tobytes()
        self._reasons += bytes([ACCEPTED]) * len(found)
        self._hash(source_refs)

    def _hash(self, source_refs: Sequence[str]) -> None:
        encoded = [source_ref.encode() for source_ref in source_refs]
        if self._identities is not None:
            self._identities += b"".join(map(source_identity, source_refs))
        self._sources += b"".join(map(source_digest, encoded))
        self._file_names += b"".join(map(xxh3_64_digest, map(file_name, encoded)))

    def _read(self, line: bytes | None) -> None:
        """One line, by the rules."""
        if line is None:
            return self._reject(_TOO_LONG)
        document = parse(line)
        if isinstance(document, Rejection):
            return self._reject(document)
        source_ref: str = document["source-ref"]
        if not source_ref.startswith(self._bucket):
            self._meet_bucket(source_ref)
            if source_ref != canonical(source_ref):
                low, _ = source_hash(canonical(source_ref))
                self._variants += (len(self._reasons), low)
        found = examine(document)
        self._sizes.append(len(found.labels))
        self._labels.extend(map(self._names.__getitem__, found.labels))
        self._boxes.extend(found.labels.values())
        self._flags.append(LABELED * found.labeled | HAS_ERRORS * bool(found.faults))
        if found.faults:
            self._faulty[len(self._reasons)] = code_mask(found.faults)
        self._reasons.append(ACCEPTED)
        self._hash([source_ref])
        if not found.faults:
            self._shapes.learn(line, document)
        return None

    def _reject(self, rejection: Rejection) -> None:
        if len(self._details) < MAX_DETAILS:
            self._details.append((len(self._reasons), rejection.detail))
        self._sizes.append(0)
        self._flags.append(0)
        self._reasons.append(1 + REASONS.index(rejection.reason))
        self._hash([""])

    def _meet_bucket(self, source_ref: str) -> None:
        if len(self._buckets) < MAX_BUCKETS:
            bucket = source_bucket(source_ref)
            self._buckets.setdefault(bucket, len(self._reasons))
            self._bucket = f"s3://{bucket}/"

    def piece(self) -> Piece:
        rows, boxes = counted_rows(
            np.frombuffer(self._sizes, np.uint32),
            np.frombuffer(self._labels, np.uint32),
            np.frombuffer(self._boxes, np.uint8),
        )
        label_set, (offsets, labels) = distinct_rows(with_empty_row(rows))
        sources = np.frombuffer(self._sources, ">u8").astype(np.uint64)
        return Piece(
            start=np.frombuffer(self._starts, np.uint64),
            length=np.frombuffer(self._lengths, np.uint32),
            source=sources[1::2].copy(),
            file_name=np.frombuffer(self._file_names, ">u4")[1::2].astype(np.uint32),
            digest=np.frombuffer(self._digests, ">u8").astype(np.uint64),
            reason=np.frombuffer(self._reasons, np.uint8),
            label_set=label_set[1:],
            flags=np.frombuffer(self._flags, np.uint8),
            codes=code_column(self._faulty, len(self._reasons)),
            boxes=boxes,
            variant=np.array(self._variants, np.uint64).reshape(-1, 2),
            set_offsets=offsets.astype(np.uint32),
            set_labels=labels,
            names=tuple(self._names),
            details=tuple(self._details),
            buckets=tuple(self._buckets.items()),
        )
