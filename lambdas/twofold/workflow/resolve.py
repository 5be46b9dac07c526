"""Resolve: join the indexes of all byte ranges into the index of the dataset, and plan the transfer of all lines."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from twofold.errors import ConservationError, OperationRefused
from twofold.manifest.index.acceptance import find_refusal
from twofold.manifest.index.hash_collisions import ReadLines, iterate_runs
from twofold.manifest.index.range_index import RangeIndex
from twofold.manifest.index.resolve import KEPT, REJECTED, Resolution, join_ranges
from twofold.quotas import ServiceQuotas
from twofold.records import Operation, SourceObject
from twofold.stores import sealed
from twofold.stores.keys import ContentsKeys, ScratchKeys, build_contents_folder
from twofold.stores.objects import Bucket, LostObjectError, require_unchanged, stream
from twofold.workflow import rejected
from twofold.workflow.contents import write_index
from twofold.workflow.inputs import get_source
from twofold.workflow.memory import MemoryEstimate, require_memory
from twofold.workflow.messages import SourceRanges, TransferPlan
from twofold.workflow.plan_transfer import Output, SourceLines, plan_transfer

GAP_BYTES, RUN_BYTES = 64 << 10, 4 << 20
"""One request reads lines with a gap of up to GAP_BYTES between them, up to RUN_BYTES."""
_CREATED_MESSAGE = "The dataset was successfully created from the manifest file."


def resolve_ranges(
    bucket: Bucket,
    operation: Operation,
    ranges: SourceRanges,
    quotas: ServiceQuotas,
    available_bytes: int | None = None,
) -> TransferPlan:
    """Write the dataset's index and the reasons of rejected lines; plan the transfer of all lines.

    `available_bytes` is the function's memory for the index. Raises OperationRefused if the memory is insufficient, or, with
    Rekognition's message, if the manifest does not make a dataset.
    """
    source = get_source(operation)
    range_indexes = _read_range_indexes(bucket, operation, ranges, available_bytes)
    resolution = join_ranges(range_indexes, make_source_reader(source))
    require_acceptable(resolution, quotas)
    (dataset,) = operation.datasets
    keys = ContentsKeys(build_contents_folder(dataset.path, operation.id))
    manifest = write_index(bucket, operation, dataset, resolution.index)
    if resolution.rejected:
        bucket.put(keys.rejected_reasons, rejected.format_reasons(resolution))
    return plan_transfer(
        bucket,
        operation,
        source,
        SourceLines(resolution.start, resolution.length, resolution.side),
        {KEPT: manifest, REJECTED: Output(keys.rejected_lines)},
        digest=f"{resolution.digest:016x}",
        message=rejected.append_rejected(_CREATED_MESSAGE, resolution),
    )


def require_acceptable(resolution: Resolution, quotas: ServiceQuotas) -> None:
    """Raises OperationRefused with Rekognition's message if the lines do not make a dataset."""
    reason = find_refusal(resolution, quotas)
    if reason:
        raise OperationRefused(reason)


def make_source_reader(source: SourceObject) -> ReadLines:
    """Return a function to read lines of the source by start and length; a request reads several neighbouring lines."""

    def read(start: NDArray[np.uint64], length: NDArray[np.uint32]) -> Iterator[bytes]:
        for first, last in iterate_runs(start, length, GAP_BYTES, RUN_BYTES):
            origin, end = int(start[first]), int(start[last - 1]) + int(length[last - 1])
            text = b"".join(stream(source, origin, end))
            for offset, size in zip(
                start[first:last].tolist(), length[first:last].tolist(), strict=True
            ):
                yield text[offset - origin : offset - origin + size]

    return read


def estimate_range(range_index: RangeIndex) -> MemoryEstimate:
    """Return the additional memory of a byte range in the dataset's index."""
    return MemoryEstimate(len(range_index), range_index.boxes.size, range_index.set_labels.size)


def _read_range_indexes(
    bucket: Bucket, operation: Operation, ranges: SourceRanges, available_bytes: int | None
) -> Iterator[RangeIndex]:
    """Yield the indexes in order. Raises OperationRefused as soon as the memory is insufficient."""
    scratch = ScratchKeys(operation.id)
    estimate = MemoryEstimate(0)
    try:
        keys = (scratch.build_range_index_key(number) for number in range(ranges.count))
        for encoded in sealed.get_all(bucket, keys):
            range_index = RangeIndex.decode(encoded)
            estimate += estimate_range(range_index)
            require_memory(estimate, available_bytes)
            yield range_index
    except LostObjectError as error:
        # A source that changed or cannot be read any more is the more useful cause.
        require_unchanged(get_source(operation))
        raise ConservationError("A range was not indexed: its worker left no index.") from error
