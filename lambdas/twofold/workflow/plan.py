"""Plan: split the manifest of an ingest, or the manifests of a distribution in groups, into byte ranges for Index or Group."""

from twofold.errors import OperationRefused
from twofold.manifest.line.byte_ranges import split_into_ranges
from twofold.quotas import ServiceQuotas
from twofold.records import Operation, OperationKind, SourceObject
from twofold.stores.keys import ScratchKeys
from twofold.stores.objects import Bucket
from twofold.workflow.contents import pin_manifests
from twofold.workflow.inputs import get_source, list_contents
from twofold.workflow.messages import RANGE_TASKS, Location, RangeTask, SourceRanges

RANGE_BYTES = 32 << 20
MAX_RANGES = 10_000
"""Items that the Distributed Map processes; a larger manifest has larger ranges."""


def plan_ranges(bucket: Bucket, operation: Operation, quotas: ServiceQuotas) -> SourceRanges:
    """Write the byte ranges of the operation's manifest.

    Raises OperationRefused with Rekognition's message if the manifest of an ingest is empty or too large.
    """
    if operation.kind is OperationKind.DISTRIBUTE:
        return write_ranges(bucket, operation, pin_manifests(bucket, list_contents(operation)))
    source = get_source(operation)
    if source.size == 0:
        raise OperationRefused("The manifest file is empty.")
    if source.size > quotas.manifest_bytes:
        raise OperationRefused("The manifest file size exceeds the maximum supported size.")
    return write_ranges(bucket, operation, source)


def write_ranges(bucket: Bucket, operation: Operation, source: SourceObject) -> SourceRanges:
    """Write the list of byte ranges of the source."""
    size = source.total_size
    ranges = split_into_ranges(size, max(RANGE_BYTES, size // MAX_RANGES))
    tasks = tuple(
        RangeTask(number=number, start=start, end=end).with_seal(operation)
        for number, (start, end) in enumerate(ranges)
    )
    key = ScratchKeys(operation.id).ranges
    bucket.put(key, RANGE_TASKS.dump_json(tasks, by_alias=True))
    location = Location(bucket=bucket.name, key=key)
    return SourceRanges(tasks=location, count=len(tasks), source=source)
