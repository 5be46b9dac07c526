"""DeleteDataset, DeleteProject."""

from typing import Any

from twofold.api.contract import DeleteDatasetRequest, DeleteProjectRequest
from twofold.api.service import Service
from twofold.errors import ResourceInUseException
from twofold.stores.table import deletion


def delete_dataset(service: Service, request: DeleteDatasetRequest) -> dict[str, Any]:
    """The slot is free at once; the dataset is shown as DELETE_IN_PROGRESS for a moment and then gone.

    Its contents stay for the retention time, and as long as a copy shares them.
    """
    dataset = service.dataset(request.dataset_arn)
    if dataset.status not in deletion.DELETABLE:
        raise ResourceInUseException(
            f"The dataset {request.dataset_arn} is in use: its status is {dataset.status}."
        )
    if not deletion.delete_dataset(service.answering({}), dataset, service.now):
        raise ResourceInUseException(
            f"The dataset {request.dataset_arn} is in use: an operation has just begun or ended on it."
        )
    return {}


def delete_project(service: Service, request: DeleteProjectRequest) -> dict[str, Any]:
    """The project is gone, and its name free, as soon as this returns."""
    project = service.project(request.project_arn)
    answer = {"Status": "DELETING"}
    deletion.delete_project(service.answering(answer), project)
    return answer
