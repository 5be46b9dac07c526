"""UpdateDatasetEntries."""

from typing import Any

from twofold.api.context import RequestContext, make_operation_id
from twofold.api.requests import UpdateDatasetEntriesRequest
from twofold.errors import InvalidParameterException, ResourceInUseException
from twofold.records import READY_STATUSES, DatasetStatus, Operation, OperationKind
from twofold.stores import sealed
from twofold.stores.keys import ScratchKeys
from twofold.stores.table import operations


def update_dataset_entries(
    context: RequestContext, request: UpdateDatasetEntriesRequest
) -> dict[str, Any]:
    """Store the changed lines, claim the dataset, and start the update workflow."""
    arn = request.dataset_arn
    dataset = context.get_dataset(arn)
    if dataset.status is DatasetStatus.CREATE_FAILED:
        raise InvalidParameterException(
            f"The dataset {arn} could not be created; delete it and create it again."
        )
    if dataset.status not in READY_STATUSES:
        raise ResourceInUseException(
            f"The dataset {arn} is in use: its status is {dataset.status}."
        )
    context.require_operation_quota()
    operation = Operation(
        id=make_operation_id(),
        kind=OperationKind.UPDATE,
        datasets=(dataset.id,),
        created=context.choose_timestamp(dataset.updated + 1),
        before=dataset.contents,
    )
    sealed.put(context.bucket, ScratchKeys(operation.id).changes, request.changes.ground_truth)
    if not operations.claim(
        context.with_idempotent_response({}), operation, (dataset,), operation.created
    ):
        raise ResourceInUseException(f"Another operation has just started on the dataset {arn}.")
    context.start_or_abandon(operation)
    return {}
