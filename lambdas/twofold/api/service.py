"""What an operation of the API works with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from twofold import telemetry
from twofold.access import Access, Principal
from twofold.api import tokens
from twofold.arns import Scope
from twofold.errors import (
    LimitExceededException,
    ProvisionedThroughputExceededException,
    ResourceNotFoundException,
    ServiceError,
)
from twofold.quotas import Limits
from twofold.records import Dataset, DatasetId, Operation, Project, Status, StatusCode
from twofold.settings import Operation as ApiOperation
from twofold.stores.executions import Executions
from twofold.stores.failures import service_error
from twofold.stores.objects import Bucket
from twofold.stores.table import Table, answers, operations, projects, rates, secrets

DELETION_SHOWN_MILLISECONDS = 5_000
"""How long a deleted dataset is described as DELETE_IN_PROGRESS before it is not found."""


_TAGGING = (
    ApiOperation.TAG_RESOURCE,
    ApiOperation.UNTAG_RESOURCE,
    ApiOperation.LIST_TAGS_FOR_RESOURCE,
)
"""Rekognition documents no rate for these."""


@dataclass(frozen=True, slots=True)
class Service:
    """One call's surroundings. `now` is in epoch milliseconds; `caller` is an ARN, of a session if the principal is a role.

    `call` is what repetitions of the call have in common; empty where the client cannot repeat one, or nothing is changed.
    """

    table: Table
    bucket: Bucket
    executions: Executions
    limits: Limits
    scope: Scope
    access: Access
    principal: Principal
    caller: str
    operation: ApiOperation
    call: str
    now: int

    def answering(self, answer: Mapping[str, Any]) -> Table:
        """The table for the transaction by which the call makes its change: it keeps the answer to it."""
        return answers.keeping(self.table, self.call, answer, self.now) if self.call else self.table

    def answer_unchanged(self, answer: dict[str, Any]) -> dict[str, Any]:
        """For a call that finds nothing to change: its repetition must not find that others have made it a change."""
        if self.call:
            self.answering(answer).transact(())
        return answer

    def taking_back(self) -> Table:
        """The table for the transaction that undoes this call's change; the call may then be made again."""
        return answers.taking_back(self.table, self.call) if self.call else self.table

    def answered_before(self) -> dict[str, Any] | None:
        """The answer that an earlier attempt of this call has had, or was on its way to have."""
        return answers.given_again(self.table, self.call) if self.call else None

    def project(self, arn: str) -> Project:
        """Raises AccessDeniedException, ResourceNotFoundException."""
        name, created = self.scope.project_of(arn, self.caller, self.operation)
        project = projects.find(self.table, name)
        if not project or project.created != created:
            raise ResourceNotFoundException(f"There is no project {arn}.")
        return project

    def dataset_id(self, arn: str) -> DatasetId:
        """Raises AccessDeniedException, ResourceNotFoundException."""
        return self.scope.dataset_of(arn, self.caller, self.operation)

    def dataset(self, arn: str) -> Dataset:
        """Raises AccessDeniedException, ResourceNotFoundException."""
        dataset = projects.find_dataset(self.table, self.dataset_id(arn))
        if not dataset or self._deleted(dataset):
            raise ResourceNotFoundException(f"There is no dataset {arn}.")
        return dataset

    def resource(self, arn: str) -> Project | Dataset:
        """What can have tags. Raises AccessDeniedException, ResourceNotFoundException."""
        if not self.scope.names_dataset(arn):
            return self.project(arn)
        dataset = self.dataset(arn)
        if dataset.status is Status.DELETE_IN_PROGRESS:
            raise ResourceNotFoundException(f"The dataset {arn} is being deleted.")
        return dataset

    def _deleted(self, dataset: Dataset) -> bool:
        shown_until = dataset.updated + DELETION_SHOWN_MILLISECONDS
        return dataset.status is Status.DELETE_IN_PROGRESS and self.now >= shown_until

    def moment_from(self, *earliest: int) -> int:
        """Now, or the last of these moments where the clock of another function was ahead; in epoch milliseconds.

        What follows something else must not seem to be older: distributions are ordered by when they began.
        """
        return max(self.now, *earliest)

    def start(self, operation: Operation) -> None:
        """Starts the workflow of a claimed operation; raises a ServiceError if that is not possible."""
        telemetry.concerns(operation)
        try:
            self.executions.start(operation)
        except (ClientError, BotoCoreError) as error:
            raise service_error(error) from error

    def start_claimed(self, operation: Operation) -> None:
        """As `start`, for an operation on datasets that exist: they are released again if it cannot be started."""
        try:
            self.start(operation)
        except ServiceError:
            message = "The operation could not be started; nothing was changed. Try again."
            operations.abandon(
                self.taking_back(), operation, message, StatusCode.SERVICE_ERROR, operation.created
            )
            raise

    def token(self, request: list[Any], position: list[Any]) -> str:
        """A NextToken that continues the request at the position; both are JSON values."""
        return tokens.encode(secrets.pagination_key(self.table), request, position)

    def position(self, request: list[Any], token: str, *kinds: type) -> list[Any]:
        """Raises InvalidPaginationTokenException unless the token is one of `token`'s for this request."""
        return tokens.decode(secrets.pagination_key(self.table), request, token, *kinds)

    def count_caller(self) -> None:
        """Raises ProvisionedThroughputExceededException where the deployment limits callers and this one has had its calls
        of this second. All sessions of a role are one caller."""
        limit = self.access.caller_rate
        if not limit:
            return
        caller = f"caller#{self.principal.id or self.caller}"
        if rates.count_call(self.table, caller, self.now // 1000) > limit:
            raise ProvisionedThroughputExceededException(
                f"Provisioned Rate exceeded: {limit} calls a second are allowed for each caller."
            )

    def count_call(self) -> None:
        """Raises ProvisionedThroughputExceededException where calls are limited and there have been enough this second."""
        limit = self.limits.calls_per_second
        if limit is None or self.operation in _TAGGING:
            return
        if rates.count_call(self.table, self.operation, self.now // 1000) > limit:
            raise ProvisionedThroughputExceededException(
                f"Provisioned Rate exceeded: {limit} calls of {self.operation} are allowed a second."
            )

    def require_free_operation(self) -> None:
        """Raises LimitExceededException if as many operations are under way as there may be."""
        limit = self.limits.operations
        if operations.count_active(self.table, limit) == limit:
            raise LimitExceededException(
                f"{limit} operations are under way; begin another when one has ended."
            )


def new_operation_id() -> str:
    return uuid4().hex


def moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
