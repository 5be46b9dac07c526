"""Publish: check the conservation of lines, complete the objects, update the datasets, and render the report."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from xxhash import xxh3_64_hexdigest

from twofold import telemetry
from twofold.errors import ConservationError, DamagedObjectError
from twofold.manifest.digests import DIGEST_MODULUS
from twofold.metrics import Outcome
from twofold.operation_event import OperationEvent
from twofold.records import Contents, DatasetId, Distribution, Operation, StatusMessageCode
from twofold.report import build_dataset_report, find_warnings, render_page
from twofold.settings import Function
from twofold.stores import sealed
from twofold.stores.keys import ContentsKeys, ReportKeys, ScratchKeys
from twofold.stores.objects import Bucket, LostObjectError, Part, require_unchanged
from twofold.stores.table import Table, operations
from twofold.workflow.messages import (
    Assembly,
    JoinSpec,
    OutputRecord,
    OutputSpec,
    ShardRecord,
    TransferPlan,
)

_EMPTY_RECORD = OutputRecord(entries=0, bytes=0, digest="0")


def publish(
    table: Table, bucket: Bucket, operation: Operation, plan: TransferPlan, now: int
) -> OperationEvent | None:
    """Complete the objects of a transfer, then update the pointers of the datasets in a single transaction.

    Returns the event to send, or None if the operation has ended already, for example by Abandon after a timeout; the execution
    then ends without a further change. Raises ConservationError if records are missing or
    `check_conservation` fails, before any object is completed, or if a completed object is not as planned; no pointer has
    changed then.
    """
    # The end of an operation is not before its creation, by a clock that may be ahead.
    now = max(now, operation.created)
    assembly = Assembly.model_validate_json(sealed.get(bucket, plan.assembly))
    shard_records = _read_shard_records(bucket, operation, plan, assembly)
    # Axes: side, shard. A shard without lines for the last sides has no records for them.
    sides = [
        [
            record.sides[side] if side < len(record.sides) else _EMPTY_RECORD
            for record in shard_records
        ]
        for side in range(len(assembly.sides))
    ]
    contents = check_conservation(assembly, sides)
    for side, (spec, records) in enumerate(zip(assembly.sides, sides, strict=True)):
        _complete_output(bucket, operation, side, spec, records)
    report, distribution = None, None
    if assembly.report:
        report = _put_report(bucket, operation, assembly.report, contents)
        distribution = _build_distribution(operation, report, contents, now)
    message = assembly.message
    if not operations.publish(table, operation, contents, message, now, distribution):
        return None
    telemetry.record_operation_end(operation, Outcome.COMPLETE, now, statusMessage=message)
    if report:
        _try_to_put_page(bucket, operation, report)
    return OperationEvent.from_operation(
        operation, operation.kind.complete_status, message, StatusMessageCode.SUCCESS, now
    )


def _read_shard_records(
    bucket: Bucket, operation: Operation, plan: TransferPlan, assembly: Assembly
) -> list[ShardRecord]:
    """Return the records of all shards in order. Raises ConservationError if a record is missing or has a wrong number."""
    scratch = ScratchKeys(operation.id)
    keys = (scratch.build_record_key(number) for number in range(assembly.shards))
    try:
        records = [ShardRecord.model_validate_json(text) for text in sealed.get_all(bucket, keys)]
    except LostObjectError as error:
        # A source that changed or cannot be read any more is the more useful cause.
        require_unchanged(plan.source)
        raise ConservationError("A shard was not moved: its worker left no record.") from error
    for number, record in enumerate(records):
        if record.number != number:
            raise ConservationError(f"The record of shard {number} has the number {record.number}.")
    return records


def check_conservation(
    assembly: Assembly, sides: Sequence[Sequence[OutputRecord]]
) -> dict[DatasetId, Contents]:
    """Return the new contents of each dataset with digests; `sides` are the records of all shards by side.

    Raises ConservationError unless the number of entries and bytes of each side is as planned, and the digests of all datasets
    add up to the digest of the source lines. So no line is lost, repeated or changed. The sides are not compared by digest,
    since the index has no hash of each line: an exchange of two lines of equal length between two datasets would pass. The
    side of a line comes from the shard plan alone, which has checksums.
    """
    contents = {}
    total_digest = 0
    for spec, records in zip(assembly.sides, sides, strict=True):
        entries = sum(record.entries for record in records)
        size = sum(record.bytes for record in records)
        if (entries, size) != (spec.entries, spec.bytes):
            raise ConservationError(
                f"{spec.key}: {entries} entries in {size} bytes were written, not {spec.entries} in {spec.bytes}."
            )
        if spec.dataset and spec.contents:
            digest = sum(int(record.digest, 16) for record in records) % DIGEST_MODULUS
            total_digest += digest
            contents[spec.dataset] = spec.contents.model_copy(update={"digest": f"{digest:016x}"})
    if total_digest % DIGEST_MODULUS != int(assembly.digest, 16):
        raise ConservationError("The lines that were written are not the lines that were read.")
    return contents


def _complete_output(
    bucket: Bucket,
    operation: Operation,
    side: int,
    spec: OutputSpec,
    records: Sequence[OutputRecord],
) -> None:
    """Complete the object of a side; raises ConservationError if the size is not as planned.

    An object written by a single worker is small and overwritten by each attempt, so it is read back and compared. A multipart
    object is only measured: it has exactly the parts that the records name by ETag. An object of the planned size, under a key
    of this operation alone, has been completed by an earlier attempt.
    """
    checksums = [record.checksum for record in records if record.checksum]
    if checksums:
        # One worker has written the whole object.
        _verify_object(bucket, spec, checksums[0])
        return
    if not spec.bytes or bucket.find_size(spec.key) == spec.bytes:
        return
    joined = [_join_shards(bucket, operation, side, spec, join) for join in spec.joins]
    if spec.upload:
        parts = [Part(part.number, part.etag) for record in records for part in record.parts]
        parts += [part for part in joined if part]
        bucket.complete_upload(spec.key, spec.upload, parts)
    size = bucket.find_size(spec.key)
    if size != spec.bytes:
        raise ConservationError(f"{spec.key} has {size or 0} bytes, not {spec.bytes}.")


def _verify_object(bucket: Bucket, spec: OutputSpec, checksum: str) -> None:
    """Read an object written by a single worker, and compare the checksum."""
    try:
        body = bucket.get(spec.key)
    except LostObjectError as error:
        raise ConservationError(f"{spec.key} is lost.") from error
    if xxh3_64_hexdigest(body) != checksum:
        raise DamagedObjectError(f"{spec.key} does not match the checksum of its worker.")


def _join_shards(
    bucket: Bucket, operation: Operation, side: int, spec: OutputSpec, join: JoinSpec
) -> Part | None:
    """Join small scratch objects: into a part of the upload (returned), or into the whole object (None)."""
    scratch = ScratchKeys(operation.id)
    keys = (scratch.build_output_key(shard, side) for shard in join.shards)
    try:
        body = b"".join(sealed.get_all(bucket, keys))
    except LostObjectError as error:
        raise ConservationError(f"A part of {spec.key} is lost.") from error
    if spec.upload:
        return bucket.put_part(spec.key, spec.upload, join.part, body)
    bucket.put(spec.key, body)
    return None


def _put_report(
    bucket: Bucket, operation: Operation, draft_key: str, contents: Mapping[DatasetId, Contents]
) -> dict[str, Any]:
    """Complete the draft by Select with the new contents; write and return the report."""
    report: dict[str, Any] = json.loads(sealed.get(bucket, draft_key))
    if contents:
        report["datasets"] = {
            dataset.type.lower(): build_dataset_report(
                bucket.build_uri(ContentsKeys(new.folder).manifest),
                entries=new.entries,
                size=new.bytes,
                digest=new.digest,
            )
            for dataset, new in contents.items()
        }
    report["warnings"] = find_warnings(report)
    key = ReportKeys(operation.datasets[0].project, operation.id).report
    bucket.put(key, json.dumps(report, indent=1, ensure_ascii=False).encode())
    return report


def _try_to_put_page(bucket: Bucket, operation: Operation, report: dict[str, Any]) -> None:
    """Render and write the report's page. Runs after the transaction: an error does not fail the operation."""
    key = ReportKeys(operation.datasets[0].project, operation.id).page
    try:
        bucket.put(key, render_page(report).encode())
    except Exception as error:
        telemetry.record_failure(Function.PUBLISH, error)


def _build_distribution(
    operation: Operation, report: dict[str, Any], contents: Mapping[DatasetId, Contents], now: int
) -> Distribution | None:
    """Return the entry for the project's history; None if the operation is not a distribution."""
    if operation.before is None or operation.parameters is None:
        return None
    certificate = report["certificate"]
    return Distribution(
        operation=operation.id,
        datasets=operation.datasets,
        begun=operation.created,
        ended=now,
        caller=operation.caller,
        parameters=operation.parameters,
        entries=certificate["entries"],
        test_entries=certificate["testEntriesReached"],
        deviation=certificate["deviation"],
        lower_bound=certificate["lowerBound"],
        optimal=certificate["optimal"],
        proof=certificate["proof"],
        before=operation.before,
        test_before=operation.test_before,
        after=tuple(contents[dataset] for dataset in operation.datasets) if contents else (),
    )
