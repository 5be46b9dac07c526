"""The groups of a training dataset's lines, which its index does not hold: found range by range, joined for Select."""

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from twofold.errors import ConservationError, DamagedObjectError, OperationRefused
from twofold.manifest import columns
from twofold.manifest.carve import DIGEST_MODULUS
from twofold.manifest.group_keys import GroupTable, join_groups
from twofold.manifest.groups import GroupBy, Grouping, complaint
from twofold.manifest.reader import lines_of_range
from twofold.records import Contents, Operation, Source
from twofold.stores import keys, sealed
from twofold.stores.objects import Bucket, LostObjectError, stream_past
from twofold.workflow.contents import pinned_contents
from twofold.workflow.ingest import order_ranges
from twofold.workflow.orders import RANGE_LIST, RangeOrder, Ranges


def plan(bucket: Bucket, operation: Operation) -> Ranges:
    """Writes the list of byte ranges of the training manifest."""
    return order_ranges(bucket, operation, pinned_contents(bucket, _before(operation)))


def group(bucket: Bucket, operation: Operation, source: Source, shard: RangeOrder) -> int:
    """Leaves the group of each line that starts in the range in scratch, and answers with the number of lines."""
    shard.require_sealed(operation)
    chunks = stream_past(source, max(shard.start - 1, 0), shard.end)
    grouping = Grouping(GroupBy.of(_expression(operation)))
    grouping.read(lines_of_range(chunks, shard.start, shard.end))
    meta = {"lost": grouping.lost, "reasons": grouping.reasons, "digest": grouping.digest}
    piece = columns.pack(meta, grouping.keys.table().columns())
    sealed.put(bucket, _piece_key(operation, shard.number), piece)
    return len(grouping)


def groups(bucket: Bucket, operation: Operation) -> NDArray[np.uint64]:
    """The group of each entry of the training dataset, as a word that no other group has.

    Raises OperationRefused, naming the first lines, if some have none; DamagedObjectError for a list of ranges that is not as
    planned, and for lines that are not those that were written.
    """
    places = [_piece_key(operation, order.number) for order in _ordered(bucket, operation)]
    found: list[GroupTable] = []
    lost, reasons, lines, digest = 0, [], 0, 0
    try:
        for piece in sealed.get_all(bucket, places):
            meta, arrays = columns.unpack(piece)
            lost += meta["lost"]
            digest += meta["digest"]
            reasons += [(lines + line, reason) for line, reason in meta["reasons"]]
            table = GroupTable.of_columns(arrays)
            lines += table.number.size
            found.append(table)
    except LostObjectError as error:
        raise ConservationError("A range was not grouped: its worker left no piece.") from error
    before = _before(operation)
    if lines != before.entries:
        raise ConservationError(f"{lines} lines have groups, of {before.entries}.")
    if digest % DIGEST_MODULUS != int(before.digest, 16):
        raise DamagedObjectError("The training manifest is not as it was written.")
    if lost:
        raise OperationRefused(complaint(_expression(operation), lost, reasons))
    return join_groups(found)


def _ordered(bucket: Bucket, operation: Operation) -> tuple[RangeOrder, ...]:
    """A seal is of one item: that none is missing, double or in another's place is for their numbers to tell."""
    try:
        orders = RANGE_LIST.validate_json(bucket.get(keys.ranges(operation.id)))
    except ValidationError as error:
        raise DamagedObjectError("The list of ranges cannot be read.") from error
    for number, order in enumerate(orders):
        order.require_sealed(operation)
        if order.number != number:
            raise DamagedObjectError(f"The list of ranges has number {order.number} for {number}.")
    return orders


def _before(operation: Operation) -> Contents:
    if operation.before is None:
        raise ValueError(f"The operation {operation.id} has nothing to group.")
    return operation.before


def _expression(operation: Operation) -> str:
    if operation.parameters is None or operation.parameters.group_by is None:
        raise ValueError(f"The operation {operation.id} has no groups.")
    return operation.parameters.group_by


def _piece_key(operation: Operation, shard: int) -> str:
    return keys.scratch_shard(operation.id, "group", shard, "piece")
