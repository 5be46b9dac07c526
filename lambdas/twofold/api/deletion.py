"""DeleteDataset, DeleteProject."""

from typing import Any

from twofold.api.context import RequestContext
from twofold.api.requests import DeleteDatasetRequest, DeleteProjectRequest
from twofold.errors import ResourceInUseException
from twofold.stores.table import projects


def delete_dataset(context: RequestContext, request: DeleteDatasetRequest) -> dict[str, Any]:
    """Delete a dataset. The project can have a new dataset of the type at once.

    DescribeDataset shows DELETE_IN_PROGRESS for a few seconds. The contents stay for the retention time, and as long as a copy
    shares them.
    """
    dataset = context.get_dataset(request.dataset_arn)
    if dataset.status not in projects.DELETABLE_STATUSES:
        raise ResourceInUseException(
            f"The dataset {request.dataset_arn} is in use: its status is {dataset.status}."
        )
    if not projects.delete_dataset(context.with_idempotent_response({}), dataset, context.now):
        raise ResourceInUseException(
            f"The dataset {request.dataset_arn} is in use: another call has just changed it. Try again."
        )
    return {}


def delete_project(context: RequestContext, request: DeleteProjectRequest) -> dict[str, Any]:
    """Delete a project without datasets. The name is free at once."""
    project = context.get_project(request.project_arn)
    response = {"Status": "DELETING"}
    projects.delete_project(context.with_idempotent_response(response), project)
    return response
