"""Datasets to measure memory on: what Index and Group leave of so many entries, drawn at random instead of read."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bench.datasets import ZIPF_EXPONENT
from bench.folder import Folder
from twofold.manifest import columns
from twofold.manifest.identity import reading
from twofold.manifest.index import LABELED, source_hash
from twofold.manifest.label_sets import offsets_of
from twofold.manifest.pieces import Piece
from twofold.manifest.resolve import resolve
from twofold.records import (
    Contents,
    DatasetId,
    DatasetType,
    Operation,
    OperationKind,
    Source,
    SplitParameters,
)
from twofold.stores import keys, sealed
from twofold.stores.keys import ContentsKeys
from twofold.workflow.contents import put_index
from twofold.workflow.ingest import RANGE_BYTES, order_ranges
from twofold.workflow.orders import Ranges

LINE_BYTES = 600
LABELS = 250
MOST_LABELS = 8
"""Of an entry whose label set no other has; usual ones have one to four."""
SHARED_SETS = 3_000
"""Distinct usual label sets of a range, about as many as bench/manifests.py gives a range of 32 MiB."""
CHANGES, REPLACING = 4_000, 2_000
GROUP_ENTRIES = 5
"""Entries of a group: many small groups take the most."""
_PER_RANGE = RANGE_BYTES // LINE_BYTES
TRAIN = DatasetId(project="held", type=DatasetType.TRAIN, created=1)
TEST = DatasetId(project="held", type=DatasetType.TEST, created=1)


def ingest_of(folder: Folder, entries: int, distinct: bool) -> tuple[Operation, Ranges]:
    """An ingest whose ranges have been indexed."""
    size = entries * LINE_BYTES
    source = Source(bucket=folder.name, key="source", size=size, etag="any")
    operation = Operation(
        id="ingest", kind=OperationKind.CREATE, datasets=(TRAIN,), created=1, source=source
    )
    found = order_ranges(folder, operation, source)
    for number, piece in enumerate(pieces(entries, found.count, distinct)):
        key = keys.scratch_shard(operation.id, "index", number, "piece")
        sealed.put(folder, key, piece.encode())
    return operation, found


def pieces(entries: int, count: int, distinct: bool) -> Iterator[Piece]:
    """What `count` ranges hold; with `distinct`, no two entries have the same label set."""
    random = np.random.default_rng(entries)
    bounds = np.linspace(0, entries, count + 1).astype(np.int64).tolist()
    for first, last in pairwise(bounds):
        yield _piece(random, first, last - first, distinct)


def _piece(random: np.random.Generator, first: int, count: int, distinct: bool) -> Piece:
    number = np.arange(first, first + count, dtype=np.uint64)
    offsets, labels, label_set = _label_sets(random, count, distinct)
    sizes = np.diff(offsets)[label_set]
    return Piece(
        start=number * np.uint64(LINE_BYTES),
        length=np.full(count, LINE_BYTES - 1, np.uint32),
        source=_sources(random, number),
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
        names=tuple(f"label-{one}" for one in range(LABELS)),
        details=(),
        buckets=(("images", 0),),
    )


def _label_sets(
    random: np.random.Generator, count: int, distinct: bool
) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.uint32]]:
    """Offsets and labels of the label sets of a range, and which set each of its entries has."""
    if distinct:
        # The chance that two of them have the same eight labels in the same order is one in a million.
        labels = random.integers(0, LABELS, (count, MOST_LABELS), np.uint32)
        return (
            offsets_of(np.full(count, MOST_LABELS)),
            labels.ravel(),
            np.arange(count, dtype=np.uint32),
        )
    weights = 1 / np.arange(1, LABELS + 1) ** ZIPF_EXPONENT
    sizes = random.integers(1, 5, SHARED_SETS)
    labels = random.choice(LABELS, int(sizes.sum()), p=weights / weights.sum()).astype(np.uint32)
    skewed = random.random(count) ** 3 * SHARED_SETS
    return offsets_of(sizes), labels, skewed.astype(np.uint32)


def _sources(random: np.random.Generator, number: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Random, but of the first REPLACING entries the hash of `source_ref`, so that changes find them."""
    sources = random.integers(0, 1 << 64, number.size, np.uint64)
    for row in np.flatnonzero(number < REPLACING).tolist():
        sources[row] = source_hash(source_ref(int(number[row])))[0]
    return sources


def source_ref(number: int) -> str:
    return f"s3://images/{number}.jpg"


def resolved(folder: Folder, entries: int, distinct: bool) -> Contents:
    """The dataset's contents; of the manifest only the lines that changes are for, the rest is a hole."""
    operation, found = ingest_of(folder, entries, distinct)
    resolution = resolve(pieces(entries, found.count, distinct), reading(b""))
    side = put_index(folder, operation, TRAIN, resolution.index)
    if side.contents is None:
        raise ValueError("The side of a dataset has contents.")
    contents = side.contents.model_copy(update={"digest": f"{resolution.digest:016x}"})
    with folder.made(ContentsKeys(contents.folder).manifest).open("wb") as file:
        for number in range(min(REPLACING, entries)):
            line = f'{{"source-ref":"{source_ref(number)}"'.encode()
            file.write(line.ljust(LINE_BYTES - 2) + b"}\n")
        file.truncate(contents.bytes)
    return contents


def distribution_of(folder: Folder, before: Contents, *, groups: bool) -> Operation:
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


def _put_groups(folder: Folder, operation: Operation, before: Contents) -> None:
    """What Group leaves."""
    found = order_ranges(folder, operation, folder.pin(ContentsKeys(before.folder).manifest))
    random = np.random.default_rng(1)
    entries = before.entries
    groups = random.integers(0, max(1, entries // GROUP_ENTRIES), entries).astype(np.uint64)
    for number, part in enumerate(np.array_split(groups, found.count)):
        key = keys.scratch_shard(operation.id, "group", number, "piece")
        sealed.put(folder, key, columns.pack({"lost": 0, "reasons": []}, {"group": part}))


def update_of(folder: Folder, before: Contents) -> Operation:
    """An update of CHANGES lines, REPLACING of which replace entries."""
    operation = Operation(
        id="update", kind=OperationKind.UPDATE, datasets=(TRAIN,), created=1, before=before
    )
    lines = (f'{{"source-ref":"{source_ref(number)}"}}\n' for number in range(CHANGES))
    sealed.put(folder, keys.changes(operation.id), "".join(lines).encode())
    return operation
