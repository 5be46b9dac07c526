"""What the states of a workflow tell each other. Nothing here grows with the dataset but the lists that lie in S3."""

from typing import Self

from pydantic import Field, TypeAdapter
from xxhash import xxh3_64_hexdigest

from twofold.errors import DamagedObjectError
from twofold.records import Contents, DatasetId, Operation, Record, Source


class Location(Record):
    bucket: str
    key: str


class Ranges(Record):
    """Plan's answer: the list of byte ranges (RangeOrder) of the source for Index or Group."""

    shards: Location
    count: int
    source: Source


class Order(Record):
    """An item of a list that Step Functions reads. Its seal, a checksum, says that it is as it was given, by this operation."""

    seal: str = ""

    def sealed(self, operation: Operation) -> Self:
        return self.model_copy(update={"seal": self._seal(operation)})

    def require_sealed(self, operation: Operation) -> None:
        """Raises DamagedObjectError."""
        if self.seal != self._seal(operation):
            raise DamagedObjectError("An order is not as it was given, or is another operation's.")

    def _seal(self, operation: Operation) -> str:
        text = self.model_copy(update={"seal": ""}).model_dump_json()
        return xxh3_64_hexdigest(f"{operation.id} {text}".encode())


class RangeOrder(Order):
    """One byte range [start, end) of the source to index."""

    number: int
    start: int
    end: int


class Carve(Record):
    """The answer of Select, Resolve and Merge: the list of shards (ShardOrder) for Move, and where Publish's Assembly lies."""

    shards: Location
    assembly: str
    source: Source


class PieceOrder(Record):
    """What a worker does with the lines of one side: `parts` parts of an upload from number `part` on, or one object, which
    Publish joins with others if it is `joined`."""

    side: int
    bytes: int
    key: str
    upload: str | None = None
    part: int = 1
    parts: int = 1
    joined: bool = False


class SpliceOrder(Record):
    """The lines that come into a shard: where they lie, and the bytes [start, end) of the source that they come into."""

    key: str
    offset: int
    size: int
    start: int
    end: int


class ShardOrder(Order):
    """One run of lines to carve: where its part of the plan lies, its bytes [start, end) in the source, its pieces.

    With `splice`, `start` and `end` are those of the spliced source (see `manifest.splice`).
    """

    number: int
    plan_key: str
    plan_offset: int
    plan_size: int
    start: int
    end: int
    pieces: tuple[PieceOrder, ...]
    splice: SpliceOrder | None = None


class JoinOrder(Record):
    """Pieces, by shard, that Publish joins into part `part` of a side's upload, or into its object."""

    part: int
    shards: tuple[int, ...]


class SideOrder(Record):
    """One object to be: its entries and bytes, and how it comes together. `contents` is what it will be to a dataset, but for
    the digest; a side without one, the rejected lines, belongs to no dataset."""

    key: str
    entries: int
    bytes: int
    upload: str | None = None
    joins: tuple[JoinOrder, ...] = ()
    dataset: DatasetId | None = None
    contents: Contents | None = None


class Assembly(Record):
    """All that Publish needs. `digest`: what the digests of the sides that belong to datasets must add up to."""

    shards: int
    sides: tuple[SideOrder, ...]
    digest: str
    message: str
    report: str | None = None


class PartRecord(Record):
    number: int
    etag: str


class SideRecord(Record):
    """What a worker wrote to one side. `checksum`: of its bytes (xxh3-64), where they are the whole object."""

    entries: int
    bytes: int
    digest: str
    parts: tuple[PartRecord, ...] = ()
    checksum: str | None = None


class ShardRecord(Record):
    """What a Move worker leaves behind."""

    number: int
    sides: tuple[SideRecord, ...]


class Failure(Record):
    """What a state machine catches."""

    error: str = Field(default="")
    cause: str = Field(default="")


class PlanInput(Record):
    operation: Operation


class IndexInput(Record):
    operation: Operation
    plan: Ranges
    shard: RangeOrder


class GroupInput(Record):
    operation: Operation
    plan: Ranges
    shard: RangeOrder


class ResolveInput(Record):
    operation: Operation
    plan: Ranges


class SelectInput(Record):
    operation: Operation


class MergeInput(Record):
    operation: Operation


class MoveInput(Record):
    operation: Operation
    plan: Carve
    shard: ShardOrder


class PublishInput(Record):
    operation: Operation
    plan: Carve


class AbandonInput(Record):
    operation: Operation
    failure: Failure


RANGE_LIST = TypeAdapter(tuple[RangeOrder, ...])
SHARD_LIST = TypeAdapter(tuple[ShardOrder, ...])
