"""A piece: what one worker found in one byte range of a source manifest.

It covers every line that starts in the range, accepted or not, in order; label names and label sets are numbered locally.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_digest

from twofold.manifest import columns
from twofold.manifest.attributes import examine
from twofold.manifest.document import Rejection, RejectionReason, parse, source_bucket
from twofold.manifest.findings import is_label
from twofold.manifest.forms import Known, Labels
from twofold.manifest.index import (
    HAS_ERRORS,
    LABELED,
    Numbering,
    file_name,
    source_digest,
)
from twofold.manifest.label_sets import gather_label_sets
from twofold.manifest.reader import Batch, Line
from twofold.manifest.shapes import Shapes

ACCEPTED = 0
REASONS = tuple(RejectionReason)
MAX_DETAILS = 1_000
MAX_BUCKETS = 2
MAX_MET = 1 << 16
OPENING_LINES = 8
SIMPLE_CHARACTERS = 255
"""A source-ref that is no longer has no key over 1024 bytes."""

_NO_DIGEST, _NO_SOURCE = bytes(8), bytes(16)
_TOO_LONG = Rejection(RejectionReason.LINE_TOO_LONG, "The line has more than 100,000 characters.")


Content = tuple[int, bytes, int]
"""Of a line without a fault: the number of its label set, the boxes of each of its labels, and its flags."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Columns of L lines.

    `start` uint64[L]: offset in the source. `length` uint32[L]: bytes without the terminator, 0 for a line that is too long to
    be read. `source`, `source_high` uint64[L]: halves of the hash of the source-ref, `file_name` uint32[L]: its file_name_hash.
    `digest` uint64[L]: hash of the line. `reason` uint8[L]: ACCEPTED, or 1 + the position in REASONS. `label_set`, `flags`,
    `boxes` and the label sets are as in the index; they and the hashes of the source-ref mean nothing for a rejected line.
    `details`: (line of this piece, sentence) of the first MAX_DETAILS rejected lines. `buckets`: up to MAX_BUCKETS buckets that
    the images are in.
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


def index_batches(batches: Iterable[Batch]) -> Piece:
    """Validates and indexes the lines of one range."""
    builder = _Builder()
    for batch in _opened(batches):
        builder.read(batch)
    return builder.piece()


def _opened(batches: Iterable[Batch]) -> Iterator[Batch]:
    """The first lines on their own: from them it is learned what the others look like."""
    batches = iter(batches)
    for starts, lines in islice(batches, 1):
        yield Batch(starts[:OPENING_LINES], lines[:OPENING_LINES])
        if len(lines) > OPENING_LINES:
            yield Batch(starts[OPENING_LINES:], lines[OPENING_LINES:])
    yield from batches


def index_lines(lines: Iterable[Line]) -> Piece:
    """The same of lines that are all at hand."""
    starts, texts = zip(*lines, strict=True) if (lines := list(lines)) else ((), ())
    return index_batches([Batch(starts, texts)])


class _Builder:
    """Grows the columns of a piece batch by batch, as machine numbers; hashes as bytes, most significant first."""

    def __init__(self) -> None:
        self._starts, self._lengths, self._label_sets = array("Q"), array("I"), array("I")
        self._digests, self._sources, self._file_names = bytearray(), bytearray(), bytearray()
        self._reasons, self._flags, self._boxes = bytearray(), bytearray(), bytearray()
        self._names, self._sets = Numbering(), Numbering({(): 0})
        self._shapes = Shapes()
        self._met: dict[Labels, Content] = {}
        self._details: list[tuple[int, str]] = []
        self._buckets: dict[str, None] = {}
        self._bucket = "\n"

    def read(self, batch: Batch) -> None:
        lines = [line or b"" for line in batch.lines]
        self._starts.extend(batch.starts)
        self._lengths.extend(map(len, lines))
        self._digests += b"".join(map(xxh3_64_digest, lines))
        self._reasons += bytes([ACCEPTED]) * len(lines)
        known = self._shapes.read(lines)
        source_refs = [ref.encode() for ref in self._source_refs(batch.lines, known)]
        self._sources += b"".join(map(source_digest, source_refs))
        self._file_names += b"".join(map(xxh3_64_digest, map(file_name, source_refs)))

    def _source_refs(
        self, lines: Sequence[bytes | None], found: Sequence[Known | None]
    ) -> Iterator[str]:
        """Of each line, when its labels are in. Everything passes through this loop: what it does not call costs nothing."""
        label_sets, boxes, flags = self._label_sets, self._boxes, self._flags
        met, prefix = self._met, self._bucket
        for line, known in zip(lines, found, strict=True):
            if known:
                source_ref, labels, _ = known
                size = len(source_ref)
                if len(prefix) < size <= SIMPLE_CHARACTERS and source_ref.startswith(prefix):
                    content = met.get(labels) or self._meet(labels)
                    if content:
                        label_sets.append(content[0])
                        boxes += content[1]
                        flags.append(content[2])
                        yield source_ref
                        continue
            yield self._read(line)
            prefix = self._bucket

    def _meet(self, labels: Labels) -> Content | None:
        """None where a label is none."""
        counts: dict[Any, int] = {}
        if type(labels[0]) is tuple:
            counts = dict.fromkeys(labels[0], 0)
        else:
            for label in labels:
                counts[label] = counts.get(label, 0) + 1
        if not all(map(self._names.__contains__, counts)) and not all(map(is_label, counts)):
            return None
        if len(self._met) == MAX_MET:
            self._met.clear()
        flags = LABELED if counts else 0
        content = self._met[labels] = self._number_of(counts), bytes(counts.values()), flags
        return content

    def _number_of(self, labels: Iterable[str]) -> int:
        names = self._names
        numbers = tuple([names[label] for label in labels])
        return self._sets.setdefault(numbers, len(self._sets))

    def _read(self, line: bytes | None) -> str:
        """By the rules; the source-ref, or nothing for a line that is rejected."""
        if line is None:
            return self._reject(_TOO_LONG)
        document = parse(line)
        if isinstance(document, Rejection):
            return self._reject(document)
        source_ref: str = document["source-ref"]
        if not source_ref.startswith(self._bucket):
            self._meet_bucket(source_ref)
        found = examine(document)
        self._flags.append(LABELED * found.labeled | HAS_ERRORS * bool(found.faults))
        self._label_sets.append(self._number_of(found.labels))
        self._boxes.extend(found.labels.values())
        if not found.faults:
            self._shapes.learn(line, document)
        return source_ref

    def _reject(self, rejection: Rejection) -> str:
        row = len(self._label_sets)
        if len(self._details) < MAX_DETAILS:
            self._details.append((row, rejection.detail))
        self._reasons[row] = 1 + REASONS.index(rejection.reason)
        self._flags.append(0)
        self._label_sets.append(0)
        return ""

    def _meet_bucket(self, source_ref: str) -> None:
        if len(self._buckets) < MAX_BUCKETS:
            bucket = source_bucket(source_ref)
            self._buckets[bucket] = None
            self._bucket = f"s3://{bucket}/"

    def piece(self) -> Piece:
        offsets, labels = gather_label_sets(list(self._sets))
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
            set_offsets=offsets.astype(np.uint32),
            set_labels=labels,
            names=tuple(self._names),
            details=tuple(self._details),
            buckets=tuple(self._buckets),
        )
