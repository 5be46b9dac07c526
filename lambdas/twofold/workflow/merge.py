"""Merge: match the lines of an update with the entries of the dataset, and plan the transfer to join both."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from twofold.errors import OperationRefused
from twofold.manifest.digests import DIGEST_MODULUS
from twofold.manifest.index.acceptance import MULTIPLE_BUCKETS, describe_buckets
from twofold.manifest.index.dataset_index import DatasetIndex
from twofold.manifest.index.resolve import KEPT
from twofold.manifest.index.source_hashes import (
    hash_source_ref,
    list_spellings,
    normalize_source_ref,
)
from twofold.manifest.line.document import parse_bucket
from twofold.manifest.transfer.merge import APPENDED, MergeResult, find_candidates, merge_indexes
from twofold.quotas import ServiceQuotas
from twofold.records import Contents, Operation
from twofold.stores import sealed
from twofold.stores.contents import StoredContents
from twofold.stores.keys import ContentsKeys, ScratchKeys, build_contents_folder
from twofold.stores.objects import Bucket
from twofold.workflow import rejected
from twofold.workflow.changes import Changes, read_changes
from twofold.workflow.contents import pin_manifest, read_index, write_index
from twofold.workflow.memory import MemoryEstimate, require_memory
from twofold.workflow.messages import TransferPlan
from twofold.workflow.plan_transfer import InsertedLines, SourceLines, plan_transfer

BATCH_LINES = 4096
"""The dataset's lines are compared in batches of this size: at most 400 MB."""


@dataclass(frozen=True, slots=True)
class Matches:
    """The entries replaced by an update.

    replaced   int64[changes]: the entry replaced by each change, or APPENDED
    digest     sum of the hashes of the replaced lines
    """

    replaced: NDArray[np.int64]
    digest: int


def merge_changes(
    bucket: Bucket, operation: Operation, quotas: ServiceQuotas, available_bytes: int | None = None
) -> TransferPlan:
    """Write the new index; plan the transfer of the dataset's manifest with the changed lines spliced in.

    `available_bytes` is the function's memory for the indexes. Raises OperationRefused if the memory is insufficient, or, with
    Rekognition's message, if the changes cannot be made.
    """
    (dataset,) = operation.datasets
    before = operation.before
    require_memory(MemoryEstimate(before.entries if before else 0), available_bytes)
    changes = read_changes(sealed.get(bucket, ScratchKeys(operation.id).changes))
    rejected.require_few_rejections(changes.resolution)
    stored = StoredContents.open(bucket, before.folder, before.index_checksum) if before else None
    _require_one_bucket(changes, stored)
    matches, merged = _match_and_merge(bucket, before, stored, changes, available_bytes)
    _require_quotas(merged.index, quotas)
    keys = ContentsKeys(build_contents_folder(dataset.path, operation.id))
    manifest = write_index(bucket, operation, dataset, merged.index)
    if changes.resolution.rejected:
        bucket.put(keys.rejected_lines, changes.format_rejected_lines())
        bucket.put(keys.rejected_reasons, rejected.format_reasons(changes.resolution))
    inserted = _put_inserts(bucket, operation, changes, merged)
    # An empty dataset has no manifest. The object of the inserts replaces it as the source, and none of its bytes are read.
    source = pin_manifest(bucket, before) if before else bucket.pin(inserted.key)
    start, length = merged.inserts.insert_lines(merged.start, merged.length)
    return plan_transfer(
        bucket,
        operation,
        source,
        SourceLines(start, length, np.zeros(start.size, np.uint8)),
        {KEPT: manifest},
        digest=f"{_compute_new_digest(before, changes, matches):016x}",
        message=_build_message(changes, matches),
        inserted=inserted,
    )


def _match_and_merge(
    bucket: Bucket,
    before: Contents | None,
    stored: StoredContents | None,
    changes: Changes,
    available_bytes: int | None,
) -> tuple[Matches, MergeResult]:
    """Return the replaced entries and the new index. The old index is freed on return, before the new index is written."""
    old = read_index(bucket, before) if before else DatasetIndex.make_empty()
    require_memory(MemoryEstimate.from_index(old), available_bytes)
    matches = _match_entries(stored, old, changes)
    return matches, merge_indexes(old, changes.resolution.index, matches.replaced)


def _require_one_bucket(changes: Changes, stored: StoredContents | None) -> None:
    """Raises OperationRefused if the images of the changes and of the dataset are in several buckets."""
    buckets = changes.resolution.buckets
    if len(buckets) > 1:
        raise OperationRefused(describe_buckets(changes.resolution))
    if stored and buckets:
        (first_entry,) = stored.read_lines(np.zeros(1, np.int64))
        (bucket, line), dataset_bucket = buckets[0], parse_bucket(_read_source_ref(first_entry))
        if bucket != dataset_bucket:
            raise OperationRefused(
                f"{MULTIPLE_BUCKETS} The dataset's images are in the bucket {dataset_bucket}, "
                f"that of line {line + changes.resolution.first_line} of the changes in {bucket}."
            )


def _require_quotas(index: DatasetIndex, quotas: ServiceQuotas) -> None:
    if len(index) > quotas.manifest_lines:
        raise OperationRefused("The manifest file has too many rows.")
    if index.manifest_bytes > quotas.manifest_bytes:
        raise OperationRefused("The manifest file size exceeds the maximum supported size.")
    if len(index.names) > quotas.labels:
        raise OperationRefused("The manifest file has too many labels.")


def _match_entries(stored: StoredContents | None, old: DatasetIndex, changes: Changes) -> Matches:
    """Find the entries with the same source-ref as a change.

    Equal hashes only select candidates; the lines of the candidates decide.
    """
    replaced = np.full(len(changes.lines), APPENDED, np.int64)
    if stored is None:
        return Matches(replaced, 0)
    numbers = {_read_source_ref(line): number for number, line in enumerate(changes.lines)}
    # An entry may spell the same source-ref in another way, with another hash.
    spelling_hashes = [
        hash_source_ref(spelling)[0]
        for source_ref in numbers
        for spelling in list_spellings(source_ref)
    ]
    hashes = np.append(changes.resolution.index.source, np.array(spelling_hashes, np.uint64))
    digest = 0
    for entry, line in _read_entries(stored, find_candidates(old, hashes)):
        number = numbers.get(_read_source_ref(line))
        if number is not None:
            replaced[number] = entry
            digest += xxh3_64_intdigest(line)
    return Matches(replaced, digest % DIGEST_MODULUS)


def _read_entries(
    stored: StoredContents, entries: NDArray[np.int64]
) -> Iterable[tuple[int, bytes]]:
    """Yield (number, line) of entries, reading BATCH_LINES at a time."""
    for first in range(0, entries.size, BATCH_LINES):
        batch = entries[first : first + BATCH_LINES]
        yield from zip(batch.tolist(), stored.read_lines(batch), strict=True)


def _read_source_ref(line: bytes) -> str:
    """Return the source-ref of an entry in canonical form."""
    return normalize_source_ref(orjson.loads(line)["source-ref"])


def _put_inserts(
    bucket: Bucket, operation: Operation, changes: Changes, merged: MergeResult
) -> InsertedLines:
    key = ScratchKeys(operation.id).inserts
    lines = changes.lines
    bucket.put(key, b"".join(lines[number] + b"\n" for number in merged.order.tolist()))
    return InsertedLines(key, merged.inserts)


def _compute_new_digest(before: Contents | None, changes: Changes, matches: Matches) -> int:
    old_digest = int(before.digest, 16) if before else 0
    return (old_digest - matches.digest + changes.resolution.digest) % DIGEST_MODULUS


def _build_message(changes: Changes, matches: Matches) -> str:
    added = int(np.count_nonzero(matches.replaced == APPENDED))
    replaced = matches.replaced.size - added
    message = (
        "The dataset was successfully updated: "
        f"{_format_entries(replaced)} replaced, {_format_entries(added)} added."
    )
    return rejected.append_rejected(message, changes.resolution)


def _format_entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"
