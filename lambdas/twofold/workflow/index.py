"""Index: index the lines of a byte range of a manifest."""

from twofold.manifest.index.range_indexer import index_batches
from twofold.manifest.line.byte_ranges import read_batches
from twofold.records import Operation
from twofold.stores import sealed
from twofold.stores.keys import ScratchKeys
from twofold.stores.objects import Bucket, stream_past
from twofold.workflow.inputs import get_source
from twofold.workflow.messages import RangeTask


def index_range(bucket: Bucket, operation: Operation, task: RangeTask) -> int:
    """Write the index of the lines starting in the range to scratch; return the number of lines."""
    task.verify_seal(operation)
    # The byte before the range shows whether a line starts at its first byte.
    first = max(task.start - 1, 0)
    chunks = stream_past(get_source(operation), first, task.end)
    range_index = index_batches(read_batches(chunks, task.start, task.end))
    key = ScratchKeys(operation.id).build_range_index_key(task.number)
    sealed.put(bucket, key, range_index.encode())
    return len(range_index)
