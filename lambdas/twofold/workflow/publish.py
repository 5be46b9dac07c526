"""Publish: prove that nothing was lost, complete the objects, flip the pointers in one transaction, and render the page."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from xxhash import xxh3_64_hexdigest

from twofold import telemetry
from twofold.errors import ConservationError, DamagedObjectError
from twofold.manifest.carve import DIGEST_MODULUS
from twofold.metrics import Outcome
from twofold.records import Contents, DatasetId, Distribution, Operation, StatusCode
from twofold.report import dataset_report, page, warnings
from twofold.settings import Function
from twofold.settled import Settled
from twofold.stores import keys, sealed
from twofold.stores.keys import ContentsKeys
from twofold.stores.objects import Bucket, LostObjectError, Part, require
from twofold.stores.table import Table, operations
from twofold.workflow.carving import piece_key, record_key
from twofold.workflow.orders import Assembly, Carve, JoinOrder, ShardRecord, SideOrder, SideRecord


def publish(
    table: Table, bucket: Bucket, operation: Operation, carve: Carve, now: int
) -> Settled | None:
    """What settled, if it was this that settled it.

    Raises ConservationError, before anything is changed, unless every planned line has been written once.
    """
    now = max(now, operation.created)
    assembly = Assembly.model_validate_json(sealed.get(bucket, carve.assembly))
    records = _records(bucket, operation, carve, assembly)
    sides = [
        [record.sides[number] if number < len(record.sides) else _NOTHING for record in records]
        for number in range(len(assembly.sides))
    ]
    contents = dict(_proven(assembly, sides))
    for number, side in enumerate(assembly.sides):
        _complete(bucket, operation, number, side, sides[number])
    remembered, report = None, None
    if assembly.report:
        report = _put_report(bucket, operation, assembly.report, contents)
        remembered = _remembered(operation, report, contents, now)
    message = assembly.message
    if not operations.publish(table, operation, contents, message, now, remembered):
        return None
    telemetry.ended(operation, Outcome.COMPLETE, now, statusMessage=message)
    if report:
        _try_to_put_page(bucket, operation, report)
    return Settled.of(operation, operation.kind.complete, message, StatusCode.SUCCESS, now)


_NOTHING = SideRecord(entries=0, bytes=0, digest="0")


def _records(
    bucket: Bucket, operation: Operation, carve: Carve, assembly: Assembly
) -> list[ShardRecord]:
    wanted = (record_key(operation, number) for number in range(assembly.shards))
    try:
        records = [ShardRecord.model_validate_json(text) for text in sealed.get_all(bucket, wanted)]
    except LostObjectError as error:
        require(carve.source)
        raise ConservationError("A shard was not moved: its worker left no record.") from error
    for number, record in enumerate(records):
        if record.number != number:
            raise ConservationError(f"The record of shard {number} is that of {record.number}.")
    return records


def _proven(
    assembly: Assembly, sides: Sequence[Sequence[SideRecord]]
) -> Iterator[tuple[DatasetId, Contents]]:
    """The contents that the datasets get: entries and bytes as planned, digests that add up to what was there before."""
    total = 0
    for order, records in zip(assembly.sides, sides, strict=True):
        entries = sum(record.entries for record in records)
        size = sum(record.bytes for record in records)
        if (entries, size) != (order.entries, order.bytes):
            raise ConservationError(
                f"{order.key}: {entries} entries in {size} bytes were written, not {order.entries} in {order.bytes}."
            )
        if order.dataset and order.contents:
            digest = sum(int(record.digest, 16) for record in records) % DIGEST_MODULUS
            total += digest
            yield order.dataset, order.contents.model_copy(update={"digest": f"{digest:016x}"})
    if total % DIGEST_MODULUS != int(assembly.digest, 16):
        raise ConservationError("The lines that were written are not the lines that were read.")


def _complete(
    bucket: Bucket,
    operation: Operation,
    number: int,
    side: SideOrder,
    records: Sequence[SideRecord],
) -> None:
    """Makes the object, unless an earlier attempt has; raises ConservationError if it does not come out in its size."""
    whole = [record.checksum for record in records if record.checksum]
    if whole:
        _require_written(bucket, side, whole[0])
    if whole or not side.bytes or bucket.size(side.key) == side.bytes:
        return
    joined = [_join(bucket, operation, number, side, join) for join in side.joins]
    if side.upload:
        parts = [Part(part.number, part.etag) for record in records for part in record.parts]
        bucket.complete_upload(side.key, side.upload, [*parts, *(part for part in joined if part)])
    size = bucket.size(side.key)
    if size != side.bytes:
        raise ConservationError(f"{side.key} has {size or 0} bytes, not {side.bytes}.")


def _require_written(bucket: Bucket, side: SideOrder, checksum: str) -> None:
    """Of an object that one worker wrote at once, and that is read here for the first time."""
    try:
        body = bucket.get(side.key)
    except LostObjectError as error:
        raise ConservationError(f"{side.key} is lost.") from error
    if xxh3_64_hexdigest(body) != checksum:
        raise DamagedObjectError(f"{side.key} is not as it was written.")


def _join(
    bucket: Bucket, operation: Operation, number: int, side: SideOrder, join: JoinOrder
) -> Part | None:
    """Pieces that are too small for a part, as one part or as the whole object."""
    pieces = (piece_key(operation, shard, number) for shard in join.shards)
    try:
        body = b"".join(sealed.get_all(bucket, pieces))
    except LostObjectError as error:
        raise ConservationError(f"A piece of {side.key} is lost.") from error
    if side.upload:
        return bucket.put_part(side.key, side.upload, join.part, body)
    bucket.put(side.key, body)
    return None


def _put_report(
    bucket: Bucket, operation: Operation, draft: str, contents: dict[DatasetId, Contents]
) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(sealed.get(bucket, draft))
    if contents:
        report["datasets"] = {
            dataset.type.lower(): dataset_report(
                bucket.address(ContentsKeys(new.folder).manifest),
                entries=new.entries,
                size=new.bytes,
                digest=new.digest,
            )
            for dataset, new in contents.items()
        }
    report["warnings"] = warnings(report)
    place = keys.ReportKeys(operation.datasets[0].project, operation.id)
    bucket.put(place.report, json.dumps(report, indent=1, ensure_ascii=False).encode())
    return report


def _try_to_put_page(bucket: Bucket, operation: Operation, report: dict[str, Any]) -> None:
    """Comes after the pointers are flipped: a fault in the page must not fail the split."""
    place = keys.ReportKeys(operation.datasets[0].project, operation.id)
    try:
        bucket.put(place.page, page(report).encode())
    except Exception as error:
        telemetry.failure(Function.PUBLISH, error)


def _remembered(
    operation: Operation, report: dict[str, Any], contents: dict[DatasetId, Contents], now: int
) -> Distribution | None:
    """What the project's history says of a distribution."""
    if operation.before is None or operation.parameters is None:
        return None
    proof = report["certificate"]
    return Distribution(
        operation=operation.id,
        datasets=operation.datasets,
        begun=operation.created,
        ended=now,
        caller=operation.caller,
        parameters=operation.parameters,
        entries=proof["entries"],
        test_entries=proof["testEntriesReached"],
        deviation=proof["deviation"],
        lower_bound=proof["lowerBound"],
        optimal=proof["optimal"],
        proof=proof["proof"],
        before=operation.before,
        after=tuple(contents[dataset] for dataset in operation.datasets if contents),
    )
