"""What the service remembers, and what its workflows pass on: values without behaviour towards the outside."""

from enum import StrEnum
from fractions import Fraction
from typing import Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_pascal

from twofold.settings import Workflow


class Record(BaseModel):
    """Frozen; its JSON members are in PascalCase, and one that is not known is refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_pascal, populate_by_name=True
    )


class DatasetType(StrEnum):
    TRAIN = "TRAIN"
    TEST = "TEST"


class Status(StrEnum):
    """Rekognition's DatasetStatus."""

    CREATE_IN_PROGRESS = "CREATE_IN_PROGRESS"
    CREATE_COMPLETE = "CREATE_COMPLETE"
    CREATE_FAILED = "CREATE_FAILED"
    UPDATE_IN_PROGRESS = "UPDATE_IN_PROGRESS"
    UPDATE_COMPLETE = "UPDATE_COMPLETE"
    UPDATE_FAILED = "UPDATE_FAILED"
    DELETE_IN_PROGRESS = "DELETE_IN_PROGRESS"

    @property
    def in_progress(self) -> bool:
        """Is there an operation at work?"""
        return self in (Status.CREATE_IN_PROGRESS, Status.UPDATE_IN_PROGRESS)


SETTLED = (
    Status.CREATE_COMPLETE,
    Status.UPDATE_COMPLETE,
    Status.UPDATE_FAILED,
)
"""Statuses in which a dataset has contents that an operation can begin with."""


class StatusCode(StrEnum):
    """Rekognition's DatasetStatusMessageCode."""

    SUCCESS = "SUCCESS"
    SERVICE_ERROR = "SERVICE_ERROR"
    CLIENT_ERROR = "CLIENT_ERROR"


class OperationKind(StrEnum):
    """Asynchronous operations; each ends in a status of its own."""

    CREATE = "CREATE"
    DISTRIBUTE = "DISTRIBUTE"
    UPDATE = "UPDATE"

    @property
    def workflow(self) -> Workflow:
        match self:
            case OperationKind.CREATE:
                return Workflow.INGEST
            case OperationKind.DISTRIBUTE:
                return Workflow.DISTRIBUTE
            case OperationKind.UPDATE:
                return Workflow.UPDATE

    @property
    def in_progress(self) -> Status:
        return Status.CREATE_IN_PROGRESS if self.creates else Status.UPDATE_IN_PROGRESS

    @property
    def complete(self) -> Status:
        return Status.CREATE_COMPLETE if self.creates else Status.UPDATE_COMPLETE

    @property
    def failed(self) -> Status:
        return Status.CREATE_FAILED if self.creates else Status.UPDATE_FAILED

    @property
    def creates(self) -> bool:
        return self is OperationKind.CREATE


class DatasetId(Record):
    """`created` is in epoch milliseconds and, with project and type, names the dataset for ever."""

    project: str
    type: DatasetType
    created: int

    @property
    def path(self) -> str:
        return f"{self.project}/{self.type.lower()}-{self.created}"


class Contents(Record):
    """One version of a dataset's contents, in a folder of the bucket; an empty dataset has none.

    `digest` is the sum of the line hashes (xxh3-64) modulo 2**64, in hexadecimal; `index` the checksum of the index's header.
    """

    folder: str
    entries: int = Field(ge=0)
    bytes: int = Field(ge=0)
    digest: str
    index: str = ""
    labeled_entries: int = Field(ge=0)
    total_labels: int = Field(ge=0)
    error_entries: int = Field(ge=0)


class Source(Record):
    """The manifest object that an ingest reads, pinned to one version of it."""

    bucket: str
    key: str
    size: int = Field(ge=0)
    etag: str
    version: str | None = None


class SplitParameters(Record):
    """What a distribution was asked for: the fraction is an exact rational such as `1/5`; a dry run moves nothing.

    `objective` is an `Objective` of the split.
    """

    test_fraction: str = "1/5"
    seed: int = Field(default=0, ge=0, lt=1 << 63)
    group_by: str | None = None
    min_images_per_label: int = Field(default=1, ge=1)
    objective: str = "labels"
    dry_run: bool = False

    @property
    def fraction(self) -> Fraction:
        return Fraction(self.test_fraction)


class Operation(Record):
    """A claimed operation; its id is the name of its execution.

    `datasets`: the one that is created or updated, or the training and the test dataset. `source` for an ingest; `before`,
    the contents at the claim of the dataset that is updated or of the training dataset; `parameters` and
    `caller`, an ARN, for a distribution. `created` is in epoch milliseconds.
    """

    id: str
    kind: OperationKind
    datasets: tuple[DatasetId, ...]
    created: int
    source: Source | None = None
    before: Contents | None = None
    parameters: SplitParameters | None = None
    caller: str = ""

    def event(self) -> str:
        """As it travels through a workflow."""
        return self.model_dump_json(by_alias=True, exclude_none=True)

    @classmethod
    def of(cls, event: str | bytes) -> Self:
        return cls.model_validate_json(event)


class Distribution(Record):
    """A distribution that was made, or tried dry, as its project remembers it: enough to undo it.

    `begun` and `ended` are in epoch milliseconds; `before` are the training dataset's contents, `after` what both datasets
    got, training first, or nothing in a dry run. `deviation` and `lower_bound` are exact rationals as text.
    """

    operation: str
    datasets: tuple[DatasetId, ...]
    begun: int
    ended: int
    caller: str
    parameters: SplitParameters
    entries: int
    test_entries: int
    deviation: str
    lower_bound: str
    optimal: bool
    proof: str
    before: Contents
    after: tuple[Contents, ...] = ()


class Project(Record):
    """`train` and `test` are the creation times of the datasets in the project's two slots.

    `owner` is the unique id of the principal that created it, `owner_arn` its ARN at that time; older projects have neither.
    """

    name: str
    created: int
    feature: str = "CUSTOM_LABELS"
    auto_update: str | None = None
    tags: dict[str, str] = Field(default_factory=dict)
    train: int | None = None
    test: int | None = None
    owner: str | None = None
    owner_arn: str | None = None

    def datasets(self) -> tuple[DatasetId, ...]:
        """Oldest first."""
        slots = ((DatasetType.TRAIN, self.train), (DatasetType.TEST, self.test))
        filled = [(created, kind) for kind, created in slots if created is not None]
        return tuple(
            DatasetId(project=self.name, type=kind, created=created)
            for created, kind in sorted(filled)
        )


class Dataset(Record):
    """`operation` is the id of the last operation that claimed it; `updated` in epoch milliseconds."""

    id: DatasetId
    status: Status
    status_message: str
    status_message_code: StatusCode
    updated: int
    operation: str | None = None
    contents: Contents | None = None
    tags: dict[str, str] = Field(default_factory=dict)
