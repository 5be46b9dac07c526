"""DistributeDatasetEntries."""

from collections.abc import Mapping
from typing import Any

from twofold.api.contract import DistributeDatasetEntriesRequest
from twofold.api.parameters import split_parameters
from twofold.api.service import Service, new_operation_id
from twofold.errors import (
    InvalidParameterException,
    ResourceNotReadyException,
)
from twofold.records import (
    SETTLED,
    Dataset,
    DatasetType,
    Operation,
    OperationKind,
)
from twofold.stores.table import operations, projects


def distribute_dataset_entries(
    service: Service, request: DistributeDatasetEntriesRequest
) -> dict[str, Any]:
    """Claims both datasets, in either order, and starts the workflow that moves the entries."""
    train, test = _pair(service, [dataset.arn for dataset in request.datasets])
    parameters = split_parameters(request, _tags_of_project(service, train))
    _require_distributable(service, train, test)
    operation = Operation(
        id=new_operation_id(),
        kind=OperationKind.DISTRIBUTE,
        datasets=(train.id, test.id),
        created=service.moment_from(train.updated + 1, test.updated + 1),
        before=train.contents,
        parameters=parameters,
        caller=service.caller,
    )
    if not operations.claim(service.answering({}), operation, (train, test), operation.created):
        raise ResourceNotReadyException(
            f"Another operation has just begun on {_arn(service, train)} or {_arn(service, test)}."
        )
    service.start_claimed(operation)
    return {}


def _pair(service: Service, arns: list[str]) -> tuple[Dataset, Dataset]:
    """(train, test). Raises InvalidParameterException, ResourceNotFoundException, AccessDeniedException."""
    first, second = (service.dataset_id(arn) for arn in arns)
    if first == second:
        raise InvalidParameterException(f"Datasets names {arns[0]} twice.")
    if first.type == second.type:
        raise InvalidParameterException(
            f"Both datasets are {first.type} datasets; give a training and a test dataset."
        )
    if first.project != second.project:
        raise InvalidParameterException(
            f"The datasets belong to different projects: '{first.project}' and '{second.project}'."
        )
    datasets = [service.dataset(arn) for arn in arns]
    if first.type is DatasetType.TEST:
        datasets.reverse()
    return datasets[0], datasets[1]


def _tags_of_project(service: Service, dataset: Dataset) -> Mapping[str, str]:
    project = projects.find(service.table, dataset.id.project)
    return project.tags if project else {}


def _require_distributable(service: Service, train: Dataset, test: Dataset) -> None:
    for dataset in (train, test):
        if dataset.status not in SETTLED:
            raise ResourceNotReadyException(
                f"The dataset {_arn(service, dataset)} is not ready: its status is {dataset.status}."
            )
    if test.contents and test.contents.entries:
        raise InvalidParameterException(
            f"The test dataset {_arn(service, test)} is not empty: it has {test.contents.entries} entries."
        )
    if not train.contents or not train.contents.entries:
        raise InvalidParameterException(
            f"The training dataset {_arn(service, train)} is empty: there is nothing to distribute."
        )


def _arn(service: Service, dataset: Dataset) -> str:
    return service.scope.dataset_arn(dataset.id)
