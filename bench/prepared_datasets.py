"""Input of the memory measurements: random range indexes and group keys, as Index and Group would write them."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bench.datasets import ZIPF_EXPONENT
from bench.folder_bucket import FolderBucket
from twofold.label_sets import compute_offsets
from twofold.manifest.grouping.group_table import GroupTable
from twofold.manifest.index import columns
from twofold.manifest.index.dataset_index import LABELED
from twofold.manifest.index.hash_collisions import make_line_reader
from twofold.manifest.index.range_index import RangeIndex
from twofold.manifest.index.resolve import join_ranges
from twofold.manifest.index.source_hashes import hash_source_ref
from twofold.records import (
    Contents,
    DatasetId,
    DatasetType,
    Operation,
    OperationKind,
    SourceObject,
    SplitParameters,
)
from twofold.stores import sealed
from twofold.stores.keys import ContentsKeys, ScratchKeys
from twofold.workflow.contents import write_index
from twofold.workflow.messages import SourceRanges
from twofold.workflow.plan import RANGE_BYTES, write_ranges

LINE_BYTES = 600
LABELS = 250
MOST_LABELS = 8
"""Labels of an entry with a label set of its own; other label sets have one to four."""
SHARED_SETS = 3_000
"""Distinct shared label sets of a range, about as many as bench/manifests.py writes in 32 MiB."""
CHANGES, REPLACING = 4_000, 2_000
GROUP_ENTRIES = 5
"""Entries of a group. Many small groups take the most memory."""
_PER_RANGE = RANGE_BYTES // LINE_BYTES
TRAIN = DatasetId(project="held", type=DatasetType.TRAIN, created=1)
TEST = DatasetId(project="held", type=DatasetType.TEST, created=1)


def prepare_ingest(
    folder: FolderBucket, entries: int, distinct: bool
) -> tuple[Operation, SourceRanges]:
    """An ingest after the Index state."""
    size = entries * LINE_BYTES
    source = SourceObject(bucket=folder.name, key="source", size=size, etag="any")
    operation = Operation(
        id="ingest", kind=OperationKind.CREATE, datasets=(TRAIN,), created=1, source=source
    )
    ranges = write_ranges(folder, operation, source)
    for number, piece in enumerate(generate_range_indexes(entries, ranges.count, distinct)):
        key = ScratchKeys(operation.id).build_range_index_key(number)
        sealed.put(folder, key, piece.encode())
    return operation, ranges


def generate_range_indexes(entries: int, count: int, distinct: bool) -> Iterator[RangeIndex]:
    """Yield the indexes of `count` ranges. With `distinct`, every entry has a label set of its own."""
    random = np.random.default_rng(entries)
    bounds = np.linspace(0, entries, count + 1).astype(np.int64).tolist()
    for first, last in pairwise(bounds):
        yield _generate_range_index(random, first, last - first, distinct)


def _generate_range_index(
    random: np.random.Generator, first: int, count: int, distinct: bool
) -> RangeIndex:
    number = np.arange(first, first + count, dtype=np.uint64)
    offsets, labels, label_set = _generate_label_sets(random, count, distinct)
    sizes = np.diff(offsets)[label_set]
    return RangeIndex(
        start=number * np.uint64(LINE_BYTES),
        length=np.full(count, LINE_BYTES - 1, np.uint32),
        source=_generate_sources(random, number),
        file_name=(number * np.uint64(2_654_435_761)).astype(np.uint32),
        digest=random.integers(0, 1 << 64, count, np.uint64),
        reason=np.zeros(count, np.uint8),
        label_set=label_set,
        flags=np.full(count, LABELED, np.uint8),
        codes=np.empty(0, np.uint16),
        boxes=random.integers(1, 4, int(sizes.sum()), np.uint8),
        variant=np.empty((0, 2), np.uint64),
        set_offsets=offsets.astype(np.uint32),
        set_labels=labels,
        names=tuple(f"label-{number}" for number in range(LABELS)),
        details=(),
        buckets=(("images", 0),),
    )


def _generate_label_sets(
    random: np.random.Generator, count: int, distinct: bool
) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.uint32]]:
    """Return (offsets, labels) of the label sets of a range, and the label set of each entry."""
    if distinct:
        # Two sets have the same eight labels in the same order with a probability of one in a million.
        labels = random.integers(0, LABELS, (count, MOST_LABELS), np.uint32)
        return (
            compute_offsets(np.full(count, MOST_LABELS)),
            labels.ravel(),
            np.arange(count, dtype=np.uint32),
        )
    weights = 1 / np.arange(1, LABELS + 1) ** ZIPF_EXPONENT
    sizes = random.integers(1, 5, SHARED_SETS)
    labels = random.choice(LABELS, int(sizes.sum()), p=weights / weights.sum()).astype(np.uint32)
    skewed = random.random(count) ** 3 * SHARED_SETS
    return compute_offsets(sizes), labels, skewed.astype(np.uint32)


def _generate_sources(
    random: np.random.Generator, number: NDArray[np.uint64]
) -> NDArray[np.uint64]:
    """Random hashes, but for the first REPLACING entries the hashes of source-refs that an update replaces."""
    sources = random.integers(0, 1 << 64, number.size, np.uint64)
    for row in np.flatnonzero(number < REPLACING).tolist():
        sources[row] = hash_source_ref(make_source_ref(int(number[row])))[0]
    return sources


def make_source_ref(number: int) -> str:
    return f"s3://images/{number}.jpg"


def prepare_contents(folder: FolderBucket, entries: int, distinct: bool) -> Contents:
    """The contents of a dataset. The manifest is sparse: only the lines that an update replaces are written."""
    operation, ranges = prepare_ingest(folder, entries, distinct)
    resolution = join_ranges(
        generate_range_indexes(entries, ranges.count, distinct), make_line_reader(b"")
    )
    output = write_index(folder, operation, TRAIN, resolution.index)
    if output.contents is None:
        raise ValueError("The side of a dataset has contents.")
    contents = output.contents.model_copy(update={"digest": f"{resolution.digest:016x}"})
    with folder.make_parent(ContentsKeys(contents.folder).manifest).open("wb") as file:
        for number in range(min(REPLACING, entries)):
            line = f'{{"source-ref":"{make_source_ref(number)}"'.encode()
            file.write(line.ljust(LINE_BYTES - 2) + b"}\n")
        file.truncate(contents.bytes)
    return contents


def prepare_distribution(folder: FolderBucket, before: Contents, *, groups: bool) -> Operation:
    operation = Operation(
        id="distribution",
        kind=OperationKind.DISTRIBUTE,
        datasets=(TRAIN, TEST),
        created=1,
        before=before,
        parameters=SplitParameters(group_by="place" if groups else None),
    )
    if groups:
        _put_groups(folder, operation, before)
    return operation


def _put_groups(folder: FolderBucket, operation: Operation, before: Contents) -> None:
    """Put the tables of the Group state, with random groups, hashes and identities."""
    ranges = write_ranges(folder, operation, folder.pin(ContentsKeys(before.folder).manifest))
    random = np.random.default_rng(1)
    entries = before.entries
    group_count = max(1, entries // GROUP_ENTRIES)
    hashes = random.integers(0, 1 << 64, group_count, np.uint64)
    identities = random.integers(0, 1 << 64, (group_count, 2), np.uint64)
    group_of_entry = random.integers(0, group_count, entries)
    for number, part in enumerate(np.array_split(group_of_entry, ranges.count)):
        groups, numbers = np.unique(part, return_inverse=True)
        table = GroupTable(numbers.astype(np.uint32), hashes[groups], identities[groups])
        # Select compares the sum over all ranges.
        digest = 0 if number else int(before.digest, 16)
        packed = columns.pack_columns(
            {"lost": 0, "reasons": [], "digest": digest}, table.to_columns()
        )
        sealed.put(folder, ScratchKeys(operation.id).build_groups_key(number), packed)


def prepare_update(folder: FolderBucket, before: Contents) -> Operation:
    """An update of CHANGES lines; REPLACING of them replace entries."""
    operation = Operation(
        id="update", kind=OperationKind.UPDATE, datasets=(TRAIN,), created=1, before=before
    )
    lines = (f'{{"source-ref":"{make_source_ref(number)}"}}\n' for number in range(CHANGES))
    sealed.put(folder, ScratchKeys(operation.id).changes, "".join(lines).encode())
    return operation
