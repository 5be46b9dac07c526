"""Move: transfer the lines of a shard. Memory depends on the size of a part, not on the size of the manifest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray
from xxhash import xxh3_64_hexdigest

from twofold.errors import DamagedObjectError
from twofold.manifest.index import columns
from twofold.manifest.transfer.shard_transfer import ShardTransfer, SideTotals
from twofold.manifest.transfer.splice import Inserts, splice_chunks
from twofold.records import Operation, SourceObject
from twofold.stores import sealed
from twofold.stores.keys import ScratchKeys
from twofold.stores.objects import Bucket, Part, stream
from twofold.workflow.messages import (
    MoveTask,
    OutputRecord,
    OutputTask,
    PartRecord,
    ShardRecord,
    SpliceSpec,
)


@dataclass(slots=True)
class _OutputWriter:
    """Collects the lines of a side and uploads full parts.

    S3 rejects small parts. The bytes are therefore cut into parts of equal size, within a line if necessary.
    """

    bucket: Bucket
    task: OutputTask
    pending: bytearray = field(default_factory=bytearray)
    uploaded: list[Part] = field(default_factory=list)
    checksum: str | None = None
    _part_bytes: int = field(init=False)

    def __post_init__(self) -> None:
        self._part_bytes = self.task.bytes // self.task.parts

    def write(self, data: memoryview | bytes) -> None:
        """Append a run of lines. This is the inner loop of a transfer."""
        self.pending += data
        # The last part takes the remainder of the division, so it is written by `finish`.
        while len(self.pending) >= self._part_bytes and len(self.uploaded) < self.task.parts - 1:
            rest = self.pending[self._part_bytes :]
            del self.pending[self._part_bytes :]
            self._upload()
            self.pending = rest

    def finish(self) -> tuple[PartRecord, ...]:
        """Upload the last part; return the parts of the multipart upload, if any."""
        self._upload()
        return tuple(PartRecord(number=part.number, etag=part.etag) for part in self.uploaded)

    def _upload(self) -> None:
        if self.task.upload:
            number = self.task.part + len(self.uploaded)
            part = self.bucket.put_part(self.task.key, self.task.upload, number, self.pending)
            self.uploaded.append(part)
        elif self.task.joined:
            sealed.put(self.bucket, self.task.key, self.pending)
        else:
            self.bucket.put(self.task.key, self.pending)
            self.checksum = xxh3_64_hexdigest(self.pending)
        self.pending = bytearray()


def transfer_shard(
    bucket: Bucket, operation: Operation, source: SourceObject, task: MoveTask
) -> ShardRecord:
    """Write the shard's lines to the objects of all sides; write and return a record of the result.

    Raises DamagedObjectError, SourceChangedError, ObjectUnreachableError. Objects written before the error belong to no
    dataset.
    """
    task.verify_seal(operation)
    lines = _read_shard_plan(bucket, operation, task)
    writers = {output.side: _OutputWriter(bucket, output) for output in task.pieces}
    # A shard may have no lines of the last sides; Publish adds empty records for them.
    transfer = ShardTransfer(lines["start"], lines["length"], lines["side"], sides=max(writers) + 1)
    chunks = (
        _stream_spliced(bucket, source, task.splice, lines)
        if task.splice
        else stream(source, task.start, task.end)
    )
    totals = transfer.run(chunks, lambda side, data: writers[side].write(data))
    parts = {side: writer.finish() for side, writer in writers.items()}
    record = ShardRecord(
        number=task.number,
        sides=tuple(
            _build_output_record(side_totals, parts.get(side, ()), writers.get(side))
            for side, side_totals in enumerate(totals)
        ),
    )
    key = ScratchKeys(operation.id).build_record_key(task.number)
    sealed.put(bucket, key, record.model_dump_json(by_alias=True).encode())
    return record


def _read_shard_plan(
    bucket: Bucket, operation: Operation, task: MoveTask
) -> Mapping[str, NDArray[Any]]:
    """Return the columns of the shard's plan: start, length and side of each line, and the inserts of a spliced source."""
    packed = bucket.get_range(task.plan_key, task.plan_offset, task.plan_size)
    meta, lines = columns.unpack_columns(packed)
    if meta != {"operation": operation.id, "shard": task.number}:
        raise DamagedObjectError(f"The plan in {task.plan_key} is not for shard {task.number}.")
    return lines


def _stream_spliced(
    bucket: Bucket, source: SourceObject, splice: SpliceSpec, lines: Mapping[str, NDArray[Any]]
) -> Iterator[bytes]:
    """Stream the source with the inserted lines."""
    inserts = Inserts(lines["insert_at"], lines["insert_length"])
    texts = inserts.split_texts(bucket.get_range(splice.key, splice.offset, splice.size))
    chunks = stream(source, splice.start, splice.end)
    return splice_chunks(chunks, splice.start, inserts.at.tolist(), texts)


def _build_output_record(
    totals: SideTotals, parts: tuple[PartRecord, ...], writer: _OutputWriter | None
) -> OutputRecord:
    return OutputRecord(
        entries=totals.entries,
        bytes=totals.bytes,
        digest=f"{totals.digest:016x}",
        parts=parts,
        checksum=writer.checksum if writer else None,
    )
