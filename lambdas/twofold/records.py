"""Projects, datasets, operations and distributions: the items of the table and the messages of workflows.

The classes are plain values, without input or output. Field names are part of stored items and messages.
"""

from enum import StrEnum
from fractions import Fraction
from typing import Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_pascal

from twofold.settings import Workflow


class Record(BaseModel):
    """Base of stored and transmitted values: frozen, with JSON members in PascalCase; an unknown member is an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_pascal, populate_by_name=True
    )


def _is_none(value: object) -> bool:
    """Whether an optional member is omitted in JSON, so that items and messages without it stay as in earlier releases."""
    return value is None


class DatasetType(StrEnum):
    TRAIN = "TRAIN"
    TEST = "TEST"


class DatasetStatus(StrEnum):
    """Rekognition's DatasetStatus."""

    CREATE_IN_PROGRESS = "CREATE_IN_PROGRESS"
    CREATE_COMPLETE = "CREATE_COMPLETE"
    CREATE_FAILED = "CREATE_FAILED"
    UPDATE_IN_PROGRESS = "UPDATE_IN_PROGRESS"
    UPDATE_COMPLETE = "UPDATE_COMPLETE"
    UPDATE_FAILED = "UPDATE_FAILED"
    DELETE_IN_PROGRESS = "DELETE_IN_PROGRESS"

    @property
    def is_in_progress(self) -> bool:
        """Whether an operation is creating or updating the dataset."""
        return self in (DatasetStatus.CREATE_IN_PROGRESS, DatasetStatus.UPDATE_IN_PROGRESS)


READY_STATUSES = (
    DatasetStatus.CREATE_COMPLETE,
    DatasetStatus.UPDATE_COMPLETE,
    DatasetStatus.UPDATE_FAILED,
)
"""Statuses in which an operation can start on a dataset."""


class StatusMessageCode(StrEnum):
    """Rekognition's DatasetStatusMessageCode."""

    SUCCESS = "SUCCESS"
    SERVICE_ERROR = "SERVICE_ERROR"
    CLIENT_ERROR = "CLIENT_ERROR"


class OperationKind(StrEnum):
    """The asynchronous operations."""

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
    def in_progress_status(self) -> DatasetStatus:
        return (
            DatasetStatus.CREATE_IN_PROGRESS
            if self.is_creation
            else DatasetStatus.UPDATE_IN_PROGRESS
        )

    @property
    def complete_status(self) -> DatasetStatus:
        return DatasetStatus.CREATE_COMPLETE if self.is_creation else DatasetStatus.UPDATE_COMPLETE

    @property
    def failed_status(self) -> DatasetStatus:
        return DatasetStatus.CREATE_FAILED if self.is_creation else DatasetStatus.UPDATE_FAILED

    @property
    def is_creation(self) -> bool:
        return self is OperationKind.CREATE


class DatasetId(Record):
    """The identity of a dataset, unique over time: project, type and creation time in epoch milliseconds."""

    project: str
    type: DatasetType
    created: int

    @property
    def path(self) -> str:
        return f"{self.project}/{self.type.lower()}-{self.created}"


class Contents(Record):
    """The pointer to a dataset's contents, which are immutable, in a folder of the bucket. An empty dataset has none.

    "Contents of" a dataset in the description of a field means this pointer.

    digest           sum of the line hashes (xxh3-64) modulo 2**64, in hexadecimal
    index_checksum   checksum of the header of the index; empty if unknown
    """

    folder: str
    entries: int = Field(ge=0)
    bytes: int = Field(ge=0)
    digest: str
    index_checksum: str = Field(default="", validation_alias="Index", serialization_alias="Index")
    labeled_entries: int = Field(ge=0)
    total_labels: int = Field(ge=0)
    error_entries: int = Field(ge=0)


class SourceObject(Record):
    """The object whose lines a transfer reads, pinned by ETag and, in a user's versioned bucket, by version id.

    The bytes of `following`, if set, continue those of the object: offsets from `size` on are in `following`.
    """

    bucket: str
    key: str
    size: int = Field(ge=0)
    etag: str
    version: str | None = None
    following: "SourceObject | None" = Field(default=None, exclude_if=_is_none)

    @property
    def total_size(self) -> int:
        """The size in bytes with all following objects."""
        return self.size + (self.following.total_size if self.following else 0)


class SplitParameters(Record):
    """Parameters of a distribution; a dry run reports the split and moves no entry.

    `test_fraction` is an exact rational such as `1/5`; `objective` is a value of the split's `Objective`.
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
    """A claimed operation.

    id           also the name of the operation's execution in Step Functions
    datasets     the created or updated dataset; for a distribution, the training and the test dataset
    created      epoch milliseconds
    before       contents of the updated dataset, or of the training dataset, when the operation claimed it
    test_before  contents of the test dataset at the claim, if it had entries, which needs KeepTest
    train_after_last  with `test_before`: contents of the training dataset after its last distribution not reverted. The dataset
                 begins with these entries; later entries are new
    source       of an ingest only; parameters and caller (an ARN) of a distribution only
    """

    id: str
    kind: OperationKind
    datasets: tuple[DatasetId, ...]
    created: int
    source: SourceObject | None = None
    before: Contents | None = None
    test_before: Contents | None = Field(default=None, exclude_if=_is_none)
    train_after_last: Contents | None = Field(
        default=None,
        validation_alias="Placed",
        serialization_alias="Placed",
        exclude_if=_is_none,
    )
    parameters: SplitParameters | None = None
    caller: str = ""

    def serialize(self) -> str:
        """Return the operation as JSON, the input of the workflow."""
        return self.model_dump_json(by_alias=True, exclude_none=True)

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """Read the JSON of `serialize`. Raises pydantic.ValidationError."""
        return cls.model_validate_json(text)


class Distribution(Record):
    """An entry of a project's history: a completed distribution or dry run, with the data for a revert.

    begun, ended             epoch milliseconds
    before, test_before      contents of the training and the test dataset before the distribution; an empty one has none
    after                    contents of the training and the test dataset after it; empty for a dry run
    deviation, lower_bound   exact rationals as text
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
    test_before: Contents | None = Field(default=None, exclude_if=_is_none)
    after: tuple[Contents, ...] = ()


class Project(Record):
    """A project. `train` and `test` are the creation times of the training and the test dataset.

    `owner` is the unique id of the creating principal, `owner_arn` the principal's ARN at that time. Projects
    of early releases have neither.
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

    def list_datasets(self) -> tuple[DatasetId, ...]:
        """Return the project's datasets, oldest first."""
        slots = ((DatasetType.TRAIN, self.train), (DatasetType.TEST, self.test))
        filled = [(created, dataset_type) for dataset_type, created in slots if created is not None]
        return tuple(
            DatasetId(project=self.name, type=dataset_type, created=created)
            for created, dataset_type in sorted(filled)
        )


class Dataset(Record):
    """A dataset. `operation` is the id of the latest operation on the dataset; `updated` is in epoch milliseconds."""

    id: DatasetId
    status: DatasetStatus
    status_message: str
    status_message_code: StatusMessageCode
    updated: int
    operation: str | None = None
    contents: Contents | None = None
    tags: dict[str, str] = Field(default_factory=dict)
