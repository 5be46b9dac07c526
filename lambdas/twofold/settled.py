"""The event that tells of a settled operation; its detail is described by clients/events/operation-settled.schema.json."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

from twofold.arns import Scope
from twofold.records import DatasetId, Distribution, Operation, Record, Status, StatusCode

SOURCE = "twofold"
DETAIL_TYPE = "Twofold Operation Settled"
VERSION = 1


class Settling(StrEnum):
    """What settled: the kinds of operations, and the undoing of a distribution."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DISTRIBUTE = "DISTRIBUTE"
    REVERT = "REVERT"


class Settled(Record):
    """`ended` in epoch milliseconds; `event` is the same however often it is sent."""

    event: str
    operation: str
    what: Settling
    dry_run: bool
    datasets: tuple[DatasetId, ...]
    status: Status
    message: str
    code: StatusCode
    ended: int

    @classmethod
    def of(
        cls, operation: Operation, status: Status, message: str, code: StatusCode, now: int
    ) -> Self:
        return cls(
            event=operation.id,
            operation=operation.id,
            what=Settling(operation.kind.value),
            dry_run=operation.parameters is not None and operation.parameters.dry_run,
            datasets=operation.datasets,
            status=status,
            message=message,
            code=code,
            ended=now,
        )

    @classmethod
    def reverted(cls, done: Distribution, message: str, now: int) -> Self:
        return cls(
            event=f"{done.operation}-reverted",
            operation=done.operation,
            what=Settling.REVERT,
            dry_run=False,
            datasets=done.datasets,
            status=Status.UPDATE_COMPLETE,
            message=message,
            code=StatusCode.SUCCESS,
            ended=now,
        )

    def detail(self, scope: Scope) -> dict[str, Any]:
        return {
            "version": VERSION,
            "eventId": self.event,
            "operationId": self.operation,
            "operation": self.what.value,
            "outcome": "SUCCEEDED" if self.code is StatusCode.SUCCESS else "FAILED",
            "dryRun": self.dry_run,
            "projectName": self.datasets[0].project,
            "datasets": [
                {"type": one.type.value, "arn": scope.dataset_arn(one)} for one in self.datasets
            ],
            "status": self.status.value,
            "statusMessage": self.message,
            "statusMessageCode": self.code.value,
            "settledAt": datetime.fromtimestamp(self.ended / 1000, UTC).isoformat(
                timespec="milliseconds"
            ),
        }
