"""Taking a manifest in: cut it into ranges, index each, resolve what concerns them all."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from twofold.errors import ConservationError, OperationRefused
from twofold.manifest.acceptance import refusal
from twofold.manifest.identity import ReadLines, runs_of
from twofold.manifest.pieces import Piece, index_batches
from twofold.manifest.reader import batches_of_range, ranges
from twofold.manifest.resolve import DROPPED, KEPT, Resolution, resolve
from twofold.quotas import Limits
from twofold.records import Operation, Source
from twofold.stores import keys, sealed
from twofold.stores.keys import ContentsKeys
from twofold.stores.objects import Bucket, LostObjectError, require, stream, stream_past
from twofold.workflow import rejected
from twofold.workflow.carving import Lines, Side, order_carve
from twofold.workflow.contents import put_index
from twofold.workflow.orders import RANGE_LIST, Carve, Location, RangeOrder, Ranges
from twofold.workflow.room import Load, require_room

RANGE_BYTES = 32 << 20
GAP_BYTES, RUN_BYTES = 64 << 10, 4 << 20
MAX_RANGES = 10_000
_CREATED = "The dataset was successfully created from the manifest file."


def plan(bucket: Bucket, operation: Operation, limits: Limits) -> Ranges:
    """Writes the list of byte ranges to index. Raises OperationRefused for a manifest that cannot be a dataset."""
    source = _source(operation)
    if source.size == 0:
        raise OperationRefused("The manifest file is empty.")
    if source.size > limits.manifest_bytes:
        raise OperationRefused("The manifest file size exceeds the maximum supported size.")
    return order_ranges(bucket, operation, source)


def order_ranges(bucket: Bucket, operation: Operation, source: Source) -> Ranges:
    """Writes the list of byte ranges that cover the source."""
    cuts = ranges(source.size, max(RANGE_BYTES, source.size // MAX_RANGES))
    orders = tuple(
        RangeOrder(number=number, start=start, end=end).sealed(operation)
        for number, (start, end) in enumerate(cuts)
    )
    key = keys.ranges(operation.id)
    bucket.put(key, RANGE_LIST.dump_json(orders, by_alias=True))
    shards = Location(bucket=bucket.name, key=key)
    return Ranges(shards=shards, count=len(orders), source=source)


def index(bucket: Bucket, operation: Operation, shard: RangeOrder) -> int:
    """Indexes the lines that start in the range, leaves the piece in scratch, and answers with the number of lines."""
    shard.require_sealed(operation)
    first = max(shard.start - 1, 0)
    chunks = stream_past(_source(operation), first, shard.end)
    piece = index_batches(batches_of_range(chunks, shard.start, shard.end))
    sealed.put(bucket, _piece_key(operation, shard.number), piece.encode())
    return len(piece)


def resolve_pieces(
    bucket: Bucket, operation: Operation, found: Ranges, limits: Limits, room: int | None = None
) -> Carve:
    """Joins the pieces into the dataset's new index and orders the carve of its lines.

    `room` is how many bytes there are for that.
    Raises OperationRefused with Rekognition's message for a manifest that cannot be a dataset.
    """
    resolution = resolve(_pieces(bucket, operation, found, room), _reading(_source(operation)))
    refuse(resolution, limits)
    (dataset,) = operation.datasets
    place = ContentsKeys(keys.contents(dataset.path, operation.id))
    kept = put_index(bucket, operation, dataset, resolution.index)
    if resolution.rejected:
        bucket.put(place.rejected_reasons, rejected.reasons(resolution))
    return order_carve(
        bucket,
        operation,
        _source(operation),
        Lines(resolution.start, resolution.length, resolution.side),
        {KEPT: kept, DROPPED: Side(place.rejected_lines)},
        digest=f"{resolution.digest:016x}",
        message=rejected.told(_CREATED, resolution),
    )


def _reading(source: Source) -> ReadLines:
    """Reads lines of the source manifest; those that are near to each other together."""

    def read(start: NDArray[np.uint64], length: NDArray[np.uint32]) -> Iterator[bytes]:
        for first, last in runs_of(start, length, GAP_BYTES, RUN_BYTES):
            origin, end = int(start[first]), int(start[last - 1]) + int(length[last - 1])
            text = b"".join(stream(source, origin, end))
            for at, size in zip(
                start[first:last].tolist(), length[first:last].tolist(), strict=True
            ):
                yield text[at - origin : at - origin + size]

    return read


def _source(operation: Operation) -> Source:
    if operation.source is None:
        raise ValueError(f"The operation {operation.id} has no source.")
    return operation.source


def _piece_key(operation: Operation, shard: int) -> str:
    return keys.scratch_shard(operation.id, "index", shard, "piece")


def load_of(piece: Piece) -> Load:
    return Load(len(piece), piece.boxes.size, piece.set_labels.size)


def _pieces(
    bucket: Bucket, operation: Operation, found: Ranges, room: int | None
) -> Iterator[Piece]:
    load = Load(0)
    try:
        places = (_piece_key(operation, number) for number in range(found.count))
        for stored in sealed.get_all(bucket, places):
            piece = Piece.decode(stored)
            load += load_of(piece)
            require_room(load, room)
            yield piece
    except LostObjectError as error:
        require(_source(operation))
        raise ConservationError("A range was not indexed: its worker left no piece.") from error


def refuse(resolution: Resolution, limits: Limits) -> None:
    """Raises OperationRefused with Rekognition's message for lines that cannot be a dataset."""
    reason = refusal(resolution, limits)
    if reason:
        raise OperationRefused(reason)
