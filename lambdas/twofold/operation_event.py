"""The EventBridge event of a finished operation; clients/events/operation-settled.schema.json describes the detail."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

from pydantic import Field

from twofold.arns import Scope
from twofold.records import (
    DatasetId,
    DatasetStatus,
    Distribution,
    Operation,
    Record,
    StatusMessageCode,
)

SOURCE = "twofold"
DETAIL_TYPE = "Twofold Operation Settled"
VERSION = 1


class EventKind(StrEnum):
    """Operations with an event: the asynchronous operations and the revert of a distribution."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DISTRIBUTE = "DISTRIBUTE"
    REVERT = "REVERT"


class OperationEvent(Record):
    """The data of an event. `event` is the id, the same in every delivery; `ended` is in epoch milliseconds.

    `keep_test`: whether a distribution kept the entries of the test dataset.
    """

    event: str
    operation: str
    kind: EventKind = Field(validation_alias="What", serialization_alias="What")
    dry_run: bool
    keep_test: bool = Field(default=False, exclude_if=lambda value: not value)
    datasets: tuple[DatasetId, ...]
    status: DatasetStatus
    message: str
    code: StatusMessageCode
    ended: int

    @classmethod
    def from_operation(
        cls,
        operation: Operation,
        status: DatasetStatus,
        message: str,
        code: StatusMessageCode,
        now: int,
    ) -> Self:
        """Make the event of an operation that ended at `now`, in epoch milliseconds."""
        return cls(
            event=operation.id,
            operation=operation.id,
            kind=EventKind(operation.kind.value),
            dry_run=operation.parameters is not None and operation.parameters.dry_run,
            keep_test=operation.test_before is not None,
            datasets=operation.datasets,
            status=status,
            message=message,
            code=code,
            ended=now,
        )

    @classmethod
    def from_revert(cls, distribution: Distribution, message: str, now: int) -> Self:
        """Make the event of a distribution that was reverted at `now`, in epoch milliseconds."""
        return cls(
            event=f"{distribution.operation}-reverted",
            operation=distribution.operation,
            kind=EventKind.REVERT,
            dry_run=False,
            keep_test=distribution.test_before is not None,
            datasets=distribution.datasets,
            status=DatasetStatus.UPDATE_COMPLETE,
            message=message,
            code=StatusMessageCode.SUCCESS,
            ended=now,
        )

    def build_detail(self, scope: Scope) -> dict[str, Any]:
        """Return the `detail` of the EventBridge event."""
        return {
            "version": VERSION,
            "eventId": self.event,
            "operationId": self.operation,
            "operation": self.kind.value,
            "outcome": "SUCCEEDED" if self.code is StatusMessageCode.SUCCESS else "FAILED",
            "dryRun": self.dry_run,
            **({"keepTest": True} if self.keep_test else {}),
            "projectName": self.datasets[0].project,
            "datasets": [
                {"type": dataset.type.value, "arn": scope.format_dataset_arn(dataset)}
                for dataset in self.datasets
            ],
            "status": self.status.value,
            "statusMessage": self.message,
            "statusMessageCode": self.code.value,
            "settledAt": datetime.fromtimestamp(self.ended / 1000, UTC).isoformat(
                timespec="milliseconds"
            ),
        }
