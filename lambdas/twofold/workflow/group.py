"""Group: find the groups of the lines in a byte range of the source. Select joins the groups of all ranges."""

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from twofold.errors import ConservationError, DamagedObjectError, OperationRefused
from twofold.manifest.digests import DIGEST_MODULUS
from twofold.manifest.grouping.group_by import GroupBy, LineGrouper, describe_ungrouped
from twofold.manifest.grouping.group_table import GroupTable, join_groups
from twofold.manifest.index import columns
from twofold.manifest.line.byte_ranges import read_lines
from twofold.records import Operation, SourceObject
from twofold.stores import sealed
from twofold.stores.keys import ScratchKeys
from twofold.stores.objects import Bucket, LostObjectError, stream_past
from twofold.workflow.inputs import get_group_by, list_contents
from twofold.workflow.messages import RANGE_TASKS, RangeTask
from twofold.workflow.source_entries import make_line_describer, sum_digests


def group_range(bucket: Bucket, operation: Operation, source: SourceObject, task: RangeTask) -> int:
    """Write the group of each line starting in the range to scratch; return the number of lines."""
    task.verify_seal(operation)
    chunks = stream_past(source, max(task.start - 1, 0), task.end)
    grouper = LineGrouper(GroupBy.parse(get_group_by(operation)))
    grouper.read_lines(read_lines(chunks, task.start, task.end))
    meta = {"lost": grouper.ungrouped, "reasons": grouper.reasons, "digest": grouper.digest}
    packed = columns.pack_columns(meta, grouper.keys.build().to_columns())
    sealed.put(bucket, ScratchKeys(operation.id).build_groups_key(task.number), packed)
    return len(grouper)


def read_groups(bucket: Bucket, operation: Operation) -> NDArray[np.uint64]:
    """Return the group of each entry in the order of the source: uint64[n], equal values for equal groups.

    Raises OperationRefused with the first lines if some entries have no group; DamagedObjectError if the list of
    ranges was altered or the lines differ from the dataset; ConservationError if the groups of a range are missing.
    """
    scratch = ScratchKeys(operation.id)
    tasks = _read_range_tasks(bucket, operation)
    keys = [scratch.build_groups_key(task.number) for task in tasks]
    tables: list[GroupTable] = []
    ungrouped, reasons, lines, digest = 0, [], 0, 0
    try:
        for packed in sealed.get_all(bucket, keys):
            meta, arrays = columns.unpack_columns(packed)
            ungrouped += meta["lost"]
            digest += meta["digest"]
            # Line numbers of a range count from its first line.
            reasons += [(lines + line, reason) for line, reason in meta["reasons"]]
            table = GroupTable.from_columns(arrays)
            lines += table.number.size
            tables.append(table)
    except LostObjectError as error:
        raise ConservationError("A range was not grouped: its worker left no groups.") from error
    contents = list_contents(operation)
    entries = sum(version.entries for version in contents)
    if lines != entries:
        raise ConservationError(f"{lines} lines have groups; the distribution has {entries}.")
    if digest % DIGEST_MODULUS != sum_digests(contents):
        raise DamagedObjectError("The lines of the source do not match their digest.")
    if ungrouped:
        raise OperationRefused(
            describe_ungrouped(
                get_group_by(operation), ungrouped, reasons, make_line_describer(contents)
            )
        )
    return join_groups(tables)


def _read_range_tasks(bucket: Bucket, operation: Operation) -> tuple[RangeTask, ...]:
    """Read the list of ranges. A seal covers a single item; missing, repeated or exchanged items have wrong numbers."""
    try:
        tasks = RANGE_TASKS.validate_json(bucket.get(ScratchKeys(operation.id).ranges))
    except ValidationError as error:
        raise DamagedObjectError("The list of ranges cannot be read.") from error
    for number, task in enumerate(tasks):
        task.verify_seal(operation)
        if task.number != number:
            raise DamagedObjectError(
                f"The list of ranges has number {task.number} at position {number}."
            )
    return tasks
