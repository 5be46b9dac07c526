"""Build the index of a byte range. The fast reader reads most lines, the rules read the rest."""

from array import array
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise

import numpy as np
from xxhash import xxh3_64_digest

from twofold.label_sets import find_distinct_sets, merge_repeated_labels, prepend_empty_set
from twofold.manifest.index.dataset_index import HAS_ERRORS, LABELED
from twofold.manifest.index.error_codes import build_code_column, compute_code_mask
from twofold.manifest.index.numbering import Numbering
from twofold.manifest.index.range_index import (
    ACCEPTED,
    MAX_BUCKETS,
    MAX_DETAILS,
    REASONS,
    RangeIndex,
)
from twofold.manifest.index.source_hashes import (
    compute_key_identity,
    extract_file_name,
    hash_source_bytes,
    hash_source_ref,
    normalize_source_ref,
)
from twofold.manifest.line.attributes import examine_document
from twofold.manifest.line.byte_ranges import LineBatch, OffsetLine, split_first_batch
from twofold.manifest.line.document import parse_bucket, parse_line
from twofold.manifest.line.errors import Rejection, RejectionReason
from twofold.manifest.line.fast_decoders import FastEntry
from twofold.manifest.line.fast_reader import FastReader
from twofold.manifest.line.findings import is_label_name

SAMPLE_LINES = 8
"""The fast reader learns from the first lines before it reads the others."""

MAX_SIMPLE_CHARACTERS = 255
"""A source-ref of at most this length has no key over 1024 bytes."""

_TOO_LONG = Rejection(RejectionReason.LINE_TOO_LONG, "The line has more than 100,000 characters.")


def index_batches(batches: Iterable[LineBatch], identities: bytearray | None = None) -> RangeIndex:
    """Validate and index the lines of a range. Appends the identity of the key of each line's image to `identities` if
    given."""
    indexer = RangeIndexer(identities)
    for batch in split_first_batch(batches, SAMPLE_LINES):
        indexer.add_batch(batch)
    return indexer.build()


def index_lines(lines: Iterable[OffsetLine]) -> RangeIndex:
    """Validate and index lines in memory."""
    offset_lines = list(lines)
    starts = [start for start, _ in offset_lines]
    return index_batches([LineBatch(starts, [line for _, line in offset_lines])])


class RangeIndexer:
    """Grows the columns of a range batch by batch, as arrays of numbers; hashes as bytes, most significant first.

    `_label_counts` has the number of labels of each line, repeated labels included; `_labels` the label
    numbers; `_boxes` the number of boxes of each label.
    """

    def __init__(self, identities: bytearray | None) -> None:
        self._identities = identities
        self._starts, self._lengths = array("Q"), array("I")
        self._digests, self._sources, self._file_names = bytearray(), bytearray(), bytearray()
        self._reasons, self._flags, self._boxes = bytearray(), bytearray(), bytearray()
        self._label_counts, self._labels = array("I"), array("I")
        self._names = Numbering()
        self._fast_reader = FastReader()
        self._details: list[tuple[int, str]] = []
        self._code_masks: dict[int, int] = {}
        self._variants: list[int] = []
        self._buckets: dict[str, int] = {}
        # No source-ref has this prefix, so the rules read lines until a bucket is known.
        self._bucket_prefix = "\n"

    def add_batch(self, batch: LineBatch) -> None:
        # A line over MAX_LINE_BYTES has length 0; the rules reject it.
        lines = [line or b"" for line in batch.lines]
        self._starts.extend(batch.starts)
        self._lengths.extend(map(len, lines))
        self._digests += b"".join(map(xxh3_64_digest, lines))
        entries = self._filter_entries(self._fast_reader.read_lines(lines))
        # Between two lines for the rules, add a run of entries at once.
        rule_rows = [row for row, entry in enumerate(entries) if not entry]
        for previous, row in pairwise([-1, *rule_rows, len(lines)]):
            self._add_entries(entries[previous + 1 : row])
            if row < len(lines):
                self._add_line(batch.lines[row])

    def _filter_entries(self, entries: list[FastEntry | None]) -> list[FastEntry | None]:
        """Replace entries with another bucket, a key that may be too long, or an invalid label name by None."""
        prefix = self._bucket_prefix
        simple_entries = [
            entry
            if entry
            and entry.source_ref.startswith(prefix)
            and len(prefix) < len(entry.source_ref) <= MAX_SIMPLE_CHARACTERS
            else None
            for entry in entries
        ]
        names = {name for entry in simple_entries if entry for name in entry.classes}
        # A known name is valid. None, for a box whose class the class map lacks, is not.
        invalid_names = {name for name in names - self._names.keys() if not is_label_name(name)}
        if not invalid_names:
            return simple_entries
        return [
            None if entry and not invalid_names.isdisjoint(entry.classes) else entry
            for entry in simple_entries
        ]

    def _add_entries(self, entries: Sequence[FastEntry | None]) -> None:
        """Add consecutive entries of the fast reader; none is None."""
        if not entries:
            return
        # One tuple for each field of FastEntry.
        source_refs, classes, boxes_per_class, _ = zip(*entries, strict=True)
        counts = list(map(len, classes))
        self._label_counts.extend(counts)
        self._labels.extend(map(self._names.__getitem__, chain.from_iterable(classes)))
        # One value for each label: a box counts 1, an image-level label 0.
        self._boxes += np.repeat(np.array(boxes_per_class, np.uint8), counts).tobytes()
        self._flags += np.array([LABELED if count else 0 for count in counts], np.uint8).tobytes()
        self._reasons += bytes([ACCEPTED]) * len(entries)
        self._add_hashes(source_refs)

    def _add_hashes(self, source_refs: Sequence[str]) -> None:
        encoded = [source_ref.encode() for source_ref in source_refs]
        if self._identities is not None:
            self._identities += b"".join(map(compute_key_identity, source_refs))
        self._sources += b"".join(map(hash_source_bytes, encoded))
        self._file_names += b"".join(map(xxh3_64_digest, map(extract_file_name, encoded)))

    def _add_line(self, line: bytes | None) -> None:
        """Add one line by the rules."""
        if line is None:
            return self._add_rejection(_TOO_LONG)
        document = parse_line(line)
        if isinstance(document, Rejection):
            return self._add_rejection(document)
        source_ref: str = document["source-ref"]
        if not source_ref.startswith(self._bucket_prefix):
            self._add_bucket(source_ref)
            normalized = normalize_source_ref(source_ref)
            # The prefix is lower case, so only here a source-ref may begin with `S3`.
            if source_ref != normalized:
                low, _ = hash_source_ref(normalized)
                self._variants += (len(self._reasons), low)
        findings = examine_document(document)
        self._label_counts.append(len(findings.labels))
        self._labels.extend(map(self._names.__getitem__, findings.labels))
        self._boxes.extend(findings.labels.values())
        self._flags.append(LABELED * findings.labeled | HAS_ERRORS * bool(findings.errors))
        if findings.errors:
            self._code_masks[len(self._reasons)] = compute_code_mask(findings.errors)
        self._reasons.append(ACCEPTED)
        self._add_hashes([source_ref])
        # The fast reader refused this line; it may accept similar lines from now on.
        if not findings.errors:
            self._fast_reader.learn(line, document)
        return None

    def _add_rejection(self, rejection: Rejection) -> None:
        if len(self._details) < MAX_DETAILS:
            self._details.append((len(self._reasons), rejection.detail))
        self._label_counts.append(0)
        self._flags.append(0)
        self._reasons.append(1 + REASONS.index(rejection.reason))
        # Every line has a row; the hash of a rejected line has no meaning.
        self._add_hashes([""])

    def _add_bucket(self, source_ref: str) -> None:
        if len(self._buckets) < MAX_BUCKETS:
            bucket = parse_bucket(source_ref)
            self._buckets.setdefault(bucket, len(self._reasons))
            self._bucket_prefix = f"s3://{bucket}/"

    def build(self) -> RangeIndex:
        sets, boxes = merge_repeated_labels(
            np.frombuffer(self._label_counts, np.uint32),
            np.frombuffer(self._labels, np.uint32),
            np.frombuffer(self._boxes, np.uint8),
        )
        # Set 0 of every range is the empty set, even if no line has it.
        label_set, distinct_sets = find_distinct_sets(prepend_empty_set(sets))
        # A source hash is two big-endian words, high and low; the index keeps the low word.
        sources = np.frombuffer(self._sources, ">u8").astype(np.uint64)
        return RangeIndex(
            start=np.frombuffer(self._starts, np.uint64),
            length=np.frombuffer(self._lengths, np.uint32),
            source=sources[1::2].copy(),
            file_name=np.frombuffer(self._file_names, ">u4")[1::2].astype(np.uint32),
            digest=np.frombuffer(self._digests, ">u8").astype(np.uint64),
            reason=np.frombuffer(self._reasons, np.uint8),
            label_set=label_set[1:],
            flags=np.frombuffer(self._flags, np.uint8),
            codes=build_code_column(self._code_masks, len(self._reasons)),
            boxes=boxes,
            variant=np.array(self._variants, np.uint64).reshape(-1, 2),
            set_offsets=distinct_sets.offsets.astype(np.uint32),
            set_labels=distinct_sets.labels,
            names=tuple(self._names),
            details=tuple(self._details),
            buckets=tuple(self._buckets.items()),
        )
