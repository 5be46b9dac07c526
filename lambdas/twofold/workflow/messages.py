"""The messages of the workflows: inputs and outputs of states, and the objects in S3 by which states exchange data.

A state's input and output have the same size for every dataset. Only the lists in S3 grow with the dataset.

The state machines keep older names of members: `Shards` (tasks), `Shard` (a task), `Plan` (the output of the planner before: of
Plan for Group, of Select, Resolve or Merge for Move).
"""

from typing import Self

from pydantic import Field, TypeAdapter
from xxhash import xxh3_64_hexdigest

from twofold.errors import DamagedObjectError
from twofold.records import Contents, DatasetId, Operation, Record, SourceObject


class Location(Record):
    """An object in S3."""

    bucket: str
    key: str


class SourceRanges(Record):
    """Output of Plan. `tasks` locates the list of byte ranges of the source (RangeTask) for Index or Group."""

    tasks: Location = Field(validation_alias="Shards", serialization_alias="Shards")
    count: int
    source: SourceObject


class SealedMessage(Record):
    """An item of a list for Step Functions. The seal is a checksum over the operation's id and all fields except the seal."""

    seal: str = ""

    def with_seal(self, operation: Operation) -> Self:
        return self.model_copy(update={"seal": self._compute_seal(operation)})

    def verify_seal(self, operation: Operation) -> None:
        """Raises DamagedObjectError if the message was altered or belongs to another operation."""
        if self.seal != self._compute_seal(operation):
            raise DamagedObjectError("A message was altered, or belongs to another operation.")

    def _compute_seal(self, operation: Operation) -> str:
        text = self.model_copy(update={"seal": ""}).model_dump_json()
        return xxh3_64_hexdigest(f"{operation.id} {text}".encode())


class RangeTask(SealedMessage):
    """A byte range [start, end) of the source, for Index or Group."""

    number: int
    start: int
    end: int


class TransferPlan(Record):
    """Output of Select, Resolve and Merge. `tasks` locates the list of shards (MoveTask) for Move; `assembly` is the key of
    an Assembly for Publish.

    A dry run has no list of tasks, and the state machine does not read `tasks`, which then names the assembly.
    """

    tasks: Location = Field(validation_alias="Shards", serialization_alias="Shards")
    assembly: str
    source: SourceObject


class OutputTask(Record):
    """The output of Move for the lines of one side of a shard.

    With `upload`, the target is `parts` parts of a multipart upload, beginning with number `part`. With `joined`, the target is
    a scratch object, to be joined by Publish. Otherwise the target is the whole object of the side.
    """

    side: int
    bytes: int
    key: str
    upload: str | None = None
    part: int = 1
    parts: int = 1
    joined: bool = False


class SpliceSpec(Record):
    """The lines to insert into a shard: `size` bytes from `offset` on in the object `key`.

    The target is the bytes [start, end) of the source.
    """

    key: str
    offset: int
    size: int
    start: int
    end: int


class MoveTask(SealedMessage):
    """A shard for Move: the lines in the bytes [start, end) of the source, and an output for each side.

    `plan_key`, `plan_offset` and `plan_size` locate the lines' starts, lengths and sides. With `splice`, `start` and `end` are
    offsets in the spliced source (see `manifest.transfer.splice`). `pieces` has the output of each side with lines; the seal
    covers the names of fields, so this one keeps its name.
    """

    number: int
    plan_key: str
    plan_offset: int
    plan_size: int
    start: int
    end: int
    pieces: tuple[OutputTask, ...]
    splice: SpliceSpec | None = None


class JoinSpec(Record):
    """Shards with scratch objects, joined by Publish into part number `part` of an upload, or into the whole object."""

    part: int
    shards: tuple[int, ...]


class OutputSpec(Record):
    """An object to be completed by Publish: number of entries, size, and parts.

    `contents` are the new contents of the dataset, without digest. The object with rejected lines belongs to no dataset.
    """

    key: str
    entries: int
    bytes: int
    upload: str | None = None
    joins: tuple[JoinSpec, ...] = ()
    dataset: DatasetId | None = None
    contents: Contents | None = None


class Assembly(Record):
    """The work of Publish: an OutputSpec per side.

    digest    required sum of the digests of the datasets' new contents
    message   the StatusMessage of the datasets
    report    key of the draft report
    """

    shards: int
    sides: tuple[OutputSpec, ...]
    digest: str
    message: str
    report: str | None = None


class PartRecord(Record):
    """A written part of a multipart upload."""

    number: int
    etag: str


class OutputRecord(Record):
    """Result of Move for one side of a shard. `checksum` (xxh3-64) is given if the lines are the whole object."""

    entries: int
    bytes: int
    digest: str
    parts: tuple[PartRecord, ...] = ()
    checksum: str | None = None


class ShardRecord(Record):
    """Record of Move after a shard, with an OutputRecord per side."""

    number: int
    sides: tuple[OutputRecord, ...]


class Failure(Record):
    """An error caught by a state machine."""

    error: str = Field(default="")
    cause: str = Field(default="")


class PlanInput(Record):
    operation: Operation


class IndexInput(Record):
    operation: Operation
    ranges: SourceRanges = Field(validation_alias="Plan", serialization_alias="Plan")
    task: RangeTask = Field(validation_alias="Shard", serialization_alias="Shard")


class GroupInput(Record):
    operation: Operation
    ranges: SourceRanges = Field(validation_alias="Plan", serialization_alias="Plan")
    task: RangeTask = Field(validation_alias="Shard", serialization_alias="Shard")


class ResolveInput(Record):
    operation: Operation
    ranges: SourceRanges = Field(validation_alias="Plan", serialization_alias="Plan")


class SelectInput(Record):
    operation: Operation


class MergeInput(Record):
    operation: Operation


class MoveInput(Record):
    operation: Operation
    plan: TransferPlan
    task: MoveTask = Field(validation_alias="Shard", serialization_alias="Shard")


class PublishInput(Record):
    operation: Operation
    plan: TransferPlan


class AbandonInput(Record):
    operation: Operation
    failure: Failure


RANGE_TASKS = TypeAdapter(tuple[RangeTask, ...])
MOVE_TASKS = TypeAdapter(tuple[MoveTask, ...])
