"""Move: one worker carves one shard, in memory that depends on the size of a part and not on the manifest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray
from xxhash import xxh3_64_hexdigest

from twofold.errors import DamagedObjectError
from twofold.manifest import columns
from twofold.manifest.carve import Carving, Tally
from twofold.manifest.splice import Inserts, splice
from twofold.records import Operation, Source
from twofold.stores import sealed
from twofold.stores.objects import Bucket, Part, stream
from twofold.workflow.carving import record_key
from twofold.workflow.orders import (
    PartRecord,
    PieceOrder,
    ShardOrder,
    ShardRecord,
    SideRecord,
    SpliceOrder,
)


@dataclass(slots=True)
class _Sink:
    """Gathers the bytes of one piece and sends a part on as soon as it is full: S3 refuses a part that is too small, so
    the parts are cut exactly, in the middle of a line if need be."""

    bucket: Bucket
    order: PieceOrder
    pending: bytearray = field(default_factory=bytearray)
    sent: list[Part] = field(default_factory=list)
    checksum: str | None = None
    _full: int = field(init=False)

    def __post_init__(self) -> None:
        self._full = self.order.bytes // self.order.parts

    def write(self, data: memoryview | bytes) -> None:
        """Called for every run of lines, so it does little more than append."""
        self.pending += data
        while len(self.pending) >= self._full and len(self.sent) < self.order.parts - 1:
            rest = self.pending[self._full :]
            del self.pending[self._full :]
            self._send()
            self.pending = rest

    def finish(self) -> tuple[PartRecord, ...]:
        self._send()
        return tuple(PartRecord(number=part.number, etag=part.etag) for part in self.sent)

    def _send(self) -> None:
        if self.order.upload:
            number = self.order.part + len(self.sent)
            self.sent.append(
                self.bucket.put_part(self.order.key, self.order.upload, number, self.pending)
            )
        elif self.order.joined:
            sealed.put(self.bucket, self.order.key, self.pending)
        else:
            self.bucket.put(self.order.key, self.pending)
            self.checksum = xxh3_64_hexdigest(self.pending)
        self.pending = bytearray()


def move(bucket: Bucket, operation: Operation, source: Source, shard: ShardOrder) -> ShardRecord:
    """Carves the shard's lines out of the source, writes its pieces, and leaves (and answers with) a record of what it wrote.

    Raises DamagedObjectError, SourceChangedError, ObjectUnreachableError; what was written by then is nobody's contents.
    """
    shard.require_sealed(operation)
    stored = bucket.get_range(shard.plan_key, shard.plan_offset, shard.plan_size)
    meta, lines = columns.unpack(stored)
    if meta != {"operation": operation.id, "shard": shard.number}:
        raise DamagedObjectError(
            f"The plan at {shard.plan_key} is not that of shard {shard.number}."
        )
    sinks = {piece.side: _Sink(bucket, piece) for piece in shard.pieces}
    carving = Carving(lines["start"], lines["length"], lines["side"], sides=max(sinks) + 1)
    chunks = (
        _spliced(bucket, source, shard.splice, lines)
        if shard.splice
        else stream(source, shard.start, shard.end)
    )
    tallies = carving.run(chunks, lambda side, data: sinks[side].write(data))
    parts = {side: sink.finish() for side, sink in sinks.items()}
    record = ShardRecord(
        number=shard.number,
        sides=tuple(
            _recorded(tally, parts.get(side, ()), sinks.get(side))
            for side, tally in enumerate(tallies)
        ),
    )
    sealed.put(
        bucket,
        record_key(operation, shard.number),
        record.model_dump_json(by_alias=True).encode(),
    )
    return record


def _recorded(tally: Tally, parts: tuple[PartRecord, ...], sink: _Sink | None) -> SideRecord:
    return SideRecord(
        entries=tally.entries,
        bytes=tally.bytes,
        digest=f"{tally.digest:016x}",
        parts=parts,
        checksum=sink.checksum if sink else None,
    )


def _spliced(
    bucket: Bucket, source: Source, order: SpliceOrder, lines: Mapping[str, NDArray[Any]]
) -> Iterator[bytes]:
    inserts = Inserts(lines["insert_at"], lines["insert_length"])
    texts = inserts.texts(bucket.get_range(order.key, order.offset, order.size))
    return splice(stream(source, order.start, order.end), order.start, inserts.at.tolist(), texts)
