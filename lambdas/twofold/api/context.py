"""The context of a request: caller, stores, clock, idempotency, rates and quotas."""

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
from twofold.quotas import ServiceQuotas
from twofold.records import Dataset, DatasetId, DatasetStatus, Operation, Project, StatusMessageCode
from twofold.settings import ApiOperation
from twofold.stores.aws_errors import to_service_error
from twofold.stores.executions import Executions
from twofold.stores.objects import Bucket
from twofold.stores.table import Table, calls, operations, projects

DELETION_VISIBLE_MILLISECONDS = 5_000
"""How long DescribeDataset shows a deleted dataset as DELETE_IN_PROGRESS."""

_TAG_OPERATIONS = (
    ApiOperation.TAG_RESOURCE,
    ApiOperation.UNTAG_RESOURCE,
    ApiOperation.LIST_TAGS_FOR_RESOURCE,
)
"""Operations for which Rekognition documents no rate."""


@dataclass(frozen=True, slots=True)
class RequestContext:
    """The dependencies and the caller of a request.

    scope             partition, region and account of the deployment; parses and formats ARNs
    access            whether projects have owners, the administrators, and the rate of a caller
    principal         the authenticated user or role
    caller            the ARN of the caller; for a role, of the session
    api_operation     the operation of the API; an Operation is an asynchronous operation, claimed in the table
    idempotency_key   the same for all attempts of a call; empty for reads and for clients without invocation ids
    now               epoch milliseconds
    """

    table: Table
    bucket: Bucket
    executions: Executions
    quotas: ServiceQuotas
    scope: Scope
    access: Access
    principal: Principal
    caller: str
    api_operation: ApiOperation
    idempotency_key: str
    now: int

    def with_idempotent_response(self, response: Mapping[str, Any]) -> Table:
        """Return the table for the call's transaction, which then also stores the response."""
        return (
            calls.with_idempotent_response(self.table, self.idempotency_key, response, self.now)
            if self.idempotency_key
            else self.table
        )

    def respond_unchanged(self, response: dict[str, Any]) -> dict[str, Any]:
        """Store and return the response of a call without a change.

        Without the stored response, a retry could change something: another call may have changed the resource meanwhile.
        """
        if self.idempotency_key:
            self.with_idempotent_response(response).transact(())
        return response

    def with_response_removal(self) -> Table:
        """Return the table for undoing the change. The transaction also deletes the response: a retry is a new call."""
        return (
            calls.with_response_removal(self.table, self.idempotency_key)
            if self.idempotency_key
            else self.table
        )

    def replay_response(self) -> dict[str, Any] | None:
        """Return the stored response of an earlier attempt of this call, or None."""
        return (
            calls.replay_response(self.table, self.idempotency_key)
            if self.idempotency_key
            else None
        )

    def get_project(self, arn: str) -> Project:
        """Read a project. Raises AccessDeniedException, ResourceNotFoundException."""
        name, created = self.scope.parse_project_arn(arn, self.caller, self.api_operation)
        project = projects.find(self.table, name)
        if not project or project.created != created:
            raise ResourceNotFoundException(f"The project {arn} does not exist.")
        return project

    def parse_dataset_id(self, arn: str) -> DatasetId:
        """Return the identity in an ARN. Raises AccessDeniedException, ResourceNotFoundException."""
        return self.scope.parse_dataset_arn(arn, self.caller, self.api_operation)

    def get_dataset(self, arn: str) -> Dataset:
        """Read a dataset. Raises AccessDeniedException, ResourceNotFoundException."""
        dataset = projects.find_dataset(self.table, self.parse_dataset_id(arn))
        if not dataset or self._is_deletion_over(dataset):
            raise ResourceNotFoundException(f"The dataset {arn} does not exist.")
        return dataset

    def get_resource(self, arn: str) -> Project | Dataset:
        """Read a resource with tags. Raises AccessDeniedException, ResourceNotFoundException."""
        if not self.scope.is_dataset_arn(arn):
            return self.get_project(arn)
        dataset = self.get_dataset(arn)
        if dataset.status is DatasetStatus.DELETE_IN_PROGRESS:
            raise ResourceNotFoundException(f"The dataset {arn} is being deleted.")
        return dataset

    def _is_deletion_over(self, dataset: Dataset) -> bool:
        shown_until = dataset.updated + DELETION_VISIBLE_MILLISECONDS
        return dataset.status is DatasetStatus.DELETE_IN_PROGRESS and self.now >= shown_until

    def choose_timestamp(self, *earliest: int) -> int:
        """Return the latest of `now` and the given times, in epoch milliseconds.

        The clock of another function can be ahead, and a later change must not get an earlier timestamp: the history of a
        project is ordered by time.
        """
        return max(self.now, *earliest)

    def start_workflow(self, operation: Operation) -> None:
        """Start the workflow of a claimed operation. Raises ServiceError if Step Functions rejects the start."""
        telemetry.bind_operation(operation)
        try:
            self.executions.start(operation)
        except (ClientError, BotoCoreError) as error:
            raise to_service_error(error) from error

    def start_or_abandon(self, operation: Operation) -> None:
        """Start the workflow of an operation on existing datasets. On failure, abandon it and raise ServiceError.

        Raises RepeatedCallError if a repetition has replayed the response meanwhile: the claim then stays, and Settle starts
        the workflow. If the operation has ended already, nothing is undone.
        """
        try:
            self.start_workflow(operation)
        except ServiceError:
            message = "The operation could not be started; nothing was changed. Try again."
            operations.abandon(
                self.with_response_removal(),
                operation,
                message,
                StatusMessageCode.SERVICE_ERROR,
                # The end of an operation is not before its creation, which may be ahead of this clock.
                operation.created,
            )
            raise

    def encode_token(self, request: list[Any], position: list[Any]) -> str:
        """Return a NextToken for continuing the request at the position; both are lists of JSON values."""
        return tokens.encode(calls.get_pagination_key(self.table), request, position)

    def decode_token(self, request: list[Any], token: str, *kinds: type) -> list[Any]:
        """Return the position in a NextToken. Raises InvalidPaginationTokenException for a token of another request."""
        return tokens.decode(calls.get_pagination_key(self.table), request, token, *kinds)

    def check_caller_rate(self) -> None:
        """Count the call and raise ProvisionedThroughputExceededException above the caller's rate.

        All sessions of a role count together.
        """
        limit = self.access.caller_rate
        if not limit:
            return
        caller = f"caller#{self.principal.id or self.caller}"
        if calls.count_call(self.table, caller, self.now // 1000) > limit:
            raise ProvisionedThroughputExceededException(
                f"Provisioned Rate exceeded: the limit is {limit} calls per second for each caller."
            )

    def check_call_rate(self) -> None:
        """Count the call and raise ProvisionedThroughputExceededException above the rate of the API operation."""
        limit = self.quotas.calls_per_second
        if limit is None or self.api_operation in _TAG_OPERATIONS:
            return
        if calls.count_call(self.table, self.api_operation, self.now // 1000) > limit:
            raise ProvisionedThroughputExceededException(
                f"Provisioned Rate exceeded: the limit is {limit} calls of {self.api_operation} per second."
            )

    def require_operation_quota(self) -> None:
        """Raise LimitExceededException if the number of asynchronous operations in progress has reached the quota."""
        limit = self.quotas.operations
        if operations.count_active(self.table, limit) == limit:
            raise LimitExceededException(
                f"{limit} operations are in progress, the maximum; try again when an operation has ended."
            )


def make_operation_id() -> str:
    """Return a new, random id."""
    return uuid4().hex


def to_datetime(milliseconds: int) -> datetime:
    """Convert epoch milliseconds to a datetime in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
