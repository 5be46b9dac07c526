"""Merge: what an update brings, matched with what the dataset has, and the order for the carve that joins them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import orjson
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from twofold.errors import DamagedObjectError, OperationRefused
from twofold.manifest.acceptance import MULTIPLE_BUCKETS, several_buckets
from twofold.manifest.carve import DIGEST_MODULUS
from twofold.manifest.identity import canonical, reading, spellings
from twofold.manifest.index import Index, source_hash
from twofold.manifest.lines import source_bucket, strip_annotations
from twofold.manifest.merge import APPENDED, Merged, candidates, merge
from twofold.manifest.pieces import index_lines
from twofold.manifest.reader import Line, lines_of_range
from twofold.manifest.resolve import KEPT, Resolution, resolve
from twofold.quotas import Limits
from twofold.records import Contents, Operation, Source
from twofold.stores import keys, sealed
from twofold.stores.contents import StoredContents
from twofold.stores.keys import ContentsKeys
from twofold.stores.objects import Bucket
from twofold.workflow import rejected
from twofold.workflow.carving import Lines, Spliced, order_carve
from twofold.workflow.contents import get_index, put_index
from twofold.workflow.orders import Carve
from twofold.workflow.room import Load, require_room

_BLANKS = b" \t\r\n"
_BLANK_BEGINNING = re.compile(rb"(?:\xef\xbb\xbf)?(?:[ \t\r]*\n)*")

BATCH_LINES = 4096
"""Lines of the dataset that are compared at a time: 400 MB of them at the very most."""


@dataclass(frozen=True)
class Changes:
    """The lines of an update without annotations, each with a newline, and what was found in them."""

    text: bytes
    resolution: Resolution

    @cached_property
    def lines(self) -> list[bytes]:
        """Those that are entries, in the order of the index."""
        kept = self.resolution.side == KEPT
        starts, lengths = self.resolution.start[kept], self.resolution.length[kept]
        places = zip(starts.tolist(), lengths.tolist(), strict=True)
        return [self.text[start : start + length] for start, length in places]

    def dropped(self) -> bytes:
        kept = self.resolution.side == KEPT
        starts, lengths = self.resolution.start[~kept], self.resolution.length[~kept]
        places = zip(starts.tolist(), lengths.tolist(), strict=True)
        return b"".join(self.text[start : start + length] + b"\n" for start, length in places)


@dataclass(frozen=True, slots=True)
class Matches:
    """`replaced` int64[]: of each change the entry it replaces, or APPENDED. `digest`: sum of their lines' hashes."""

    replaced: NDArray[np.int64]
    digest: int


def merge_changes(
    bucket: Bucket, operation: Operation, limits: Limits, room: int | None = None
) -> Carve:
    """Writes the new index and orders the carve of the dataset's manifest with the changed lines spliced in.

    `room` is how many bytes there are for that. Raises OperationRefused with Rekognition's message for changes that cannot
    be made.
    """
    (dataset,) = operation.datasets
    before = operation.before
    require_room(Load(before.entries if before else 0), room)
    changes = read_changes(sealed.get(bucket, keys.changes(operation.id)))
    rejected.refuse_too_many(changes.resolution)
    stored = StoredContents.open(bucket, before.folder, before.index) if before else None
    _require_one_bucket(changes, stored)
    matches, merged = _merged(bucket, before, stored, changes, room)
    _require_room(merged.index, limits)
    place = ContentsKeys(keys.contents(dataset.path, operation.id))
    kept = put_index(bucket, operation, dataset, merged.index)
    if changes.resolution.rejected:
        bucket.put(place.rejected_lines, changes.dropped())
        bucket.put(place.rejected_reasons, rejected.reasons(changes.resolution))
    spliced = _put_inserts(bucket, operation, changes, merged)
    start, length = merged.inserts.into(merged.start, merged.length)
    return order_carve(
        bucket,
        operation,
        _source(bucket, before, spliced),
        Lines(start, length, np.zeros(start.size, np.uint8)),
        {KEPT: kept},
        digest=f"{_digest_after(before, changes, matches):016x}",
        message=_message(changes, matches),
        spliced=spliced,
    )


def _merged(
    bucket: Bucket,
    before: Contents | None,
    stored: StoredContents | None,
    changes: Changes,
    room: int | None,
) -> tuple[Matches, Merged]:
    """The old index is let go here, before the new one is written."""
    old = get_index(bucket, before) if before else Index.empty()
    require_room(Load.of(old), room)
    matches = _match(stored, old, changes)
    return matches, merge(old, changes.resolution.index, matches.replaced)


def read_changes(payload: bytes) -> Changes:
    """As a manifest is read; what listing added to a line is taken out of it first."""
    text = bytearray()
    payload, first_line = _without_blank_ends(payload)

    def stripped() -> Iterator[Line]:
        for _, line in lines_of_range([payload], 0, len(payload)):
            start, plain = len(text), strip_annotations(line) if line is not None else None
            text.extend(plain or b"")
            text.extend(b"\n")
            yield start, plain

    piece = index_lines(stripped())

    return Changes(bytes(text), replace(resolve([piece], reading(text)), first_line=first_line))


def _without_blank_ends(payload: bytes) -> tuple[bytes, int]:
    """The text without blank lines at its beginning and end, and the number of its first line; all of a blank text."""
    start = _BLANK_BEGINNING.match(payload).end()  # type: ignore[union-attr]
    end = len(payload.rstrip(_BLANKS))
    if start >= end:
        return payload, 1
    last = payload.find(b"\n", end)
    return payload[start : last + 1 or None], 1 + payload.count(b"\n", 0, start)


def _require_one_bucket(changes: Changes, stored: StoredContents | None) -> None:
    buckets = changes.resolution.buckets
    if len(buckets) > 1:
        raise OperationRefused(several_buckets(changes.resolution))
    if stored and buckets:
        (first,) = stored.lines(np.zeros(1, np.int64))
        (bucket, line), held = buckets[0], source_bucket(_source_ref(first))
        if bucket != held:
            raise OperationRefused(
                f"{MULTIPLE_BUCKETS} The dataset's images are in the bucket {held}, "
                f"that of line {line + changes.resolution.first_line} of the changes in {bucket}."
            )


def _require_room(index: Index, limits: Limits) -> None:
    if len(index) > limits.manifest_lines:
        raise OperationRefused("The manifest file has too many rows.")
    if index.manifest_bytes > limits.manifest_bytes:
        raise OperationRefused("The manifest file size exceeds the maximum supported size.")
    if len(index.names) > limits.labels:
        raise OperationRefused("The manifest file has too many labels.")


def _match(stored: StoredContents | None, old: Index, changes: Changes) -> Matches:
    """Equal hashes are only a hint: the lines themselves say whether they are of the same image."""
    replaced = np.full(len(changes.lines), APPENDED, np.int64)
    if stored is None:
        return Matches(replaced, 0)
    numbers = {_source_ref(line): number for number, line in enumerate(changes.lines)}
    digest = 0
    respelled = [source_hash(each)[0] for name in numbers for each in spellings(name)]
    hashes = np.append(changes.resolution.index.source, np.array(respelled, np.uint64))
    for entry, line in _lines(stored, candidates(old, hashes)):
        number = numbers.get(_source_ref(line))
        if number is not None:
            replaced[number] = entry
            digest += xxh3_64_intdigest(line)
    return Matches(replaced, digest % DIGEST_MODULUS)


def _lines(stored: StoredContents, entries: NDArray[np.int64]) -> Iterable[tuple[int, bytes]]:
    for first in range(0, entries.size, BATCH_LINES):
        batch = entries[first : first + BATCH_LINES]
        yield from zip(batch.tolist(), stored.lines(batch), strict=True)


def _source_ref(line: bytes) -> str:
    """In its canonical form."""
    return canonical(orjson.loads(line)["source-ref"])


def _put_inserts(bucket: Bucket, operation: Operation, changes: Changes, merged: Merged) -> Spliced:
    key = keys.scratch(operation.id, "merge", "inserts")
    lines = changes.lines
    bucket.put(key, b"".join(lines[number] + b"\n" for number in merged.order.tolist()))
    return Spliced(key, merged.inserts)


def _source(bucket: Bucket, before: Contents | None, spliced: Spliced) -> Source:
    """An empty dataset has no manifest; of what stands in for it nothing is read."""
    if before is None:
        return bucket.pin(spliced.key)
    source = bucket.pin(ContentsKeys(before.folder).manifest)
    if source.size != before.bytes:
        raise DamagedObjectError(
            f"{source.key} has {source.size} bytes; the dataset's manifest had {before.bytes}."
        )
    return source


def _digest_after(before: Contents | None, changes: Changes, matches: Matches) -> int:
    held = int(before.digest, 16) if before else 0
    return (held - matches.digest + changes.resolution.digest) % DIGEST_MODULUS


def _message(changes: Changes, matches: Matches) -> str:
    added = int(np.count_nonzero(matches.replaced == APPENDED))
    replaced = matches.replaced.size - added
    message = f"The dataset was successfully updated: {_entries(replaced)} replaced, {_entries(added)} added."
    return rejected.told(message, changes.resolution)


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"
