"""UpdateDatasetEntries."""

from typing import Any

from twofold.api.contract import UpdateDatasetEntriesRequest
from twofold.api.service import Service, new_operation_id
from twofold.errors import InvalidParameterException, ResourceInUseException
from twofold.records import SETTLED, Operation, OperationKind, Status
from twofold.stores import keys, sealed
from twofold.stores.table import operations


def update_dataset_entries(
    service: Service, request: UpdateDatasetEntriesRequest
) -> dict[str, Any]:
    """Keeps the changes, claims the dataset, and starts the workflow that takes them in."""
    arn = request.dataset_arn
    dataset = service.dataset(arn)
    if dataset.status is Status.CREATE_FAILED:
        raise InvalidParameterException(
            f"The dataset {arn} could not be created; delete it and create it again."
        )
    if dataset.status not in SETTLED:
        raise ResourceInUseException(
            f"The dataset {arn} is in use: its status is {dataset.status}."
        )
    service.require_free_operation()
    operation = Operation(
        id=new_operation_id(),
        kind=OperationKind.UPDATE,
        datasets=(dataset.id,),
        created=service.moment_from(dataset.updated + 1),
        before=dataset.contents,
    )
    sealed.put(service.bucket, keys.changes(operation.id), request.changes.ground_truth)
    if not operations.claim(service.answering({}), operation, (dataset,), operation.created):
        raise ResourceInUseException(f"Another operation has just begun on the dataset {arn}.")
    service.start_claimed(operation)
    return {}
