"""The function of each operation.

The two lists of contents import NumPy on the first call: a cold start for any other operation does not wait for NumPy.
"""

from collections.abc import Callable, Mapping
from typing import Any

from twofold.api import (
    datasets,
    deletion,
    distribute,
    history,
    projects,
    tagging,
    trained_models,
    update,
)
from twofold.api.context import RequestContext
from twofold.api.requests import ListDatasetEntriesRequest, ListDatasetLabelsRequest
from twofold.settings import ApiOperation

OperationHandler = Callable[[RequestContext, Any], dict[str, Any]]


def _list_dataset_entries(
    context: RequestContext, request: ListDatasetEntriesRequest
) -> dict[str, Any]:
    from twofold.api.entries import list_dataset_entries

    return list_dataset_entries(context, request)


def _list_dataset_labels(
    context: RequestContext, request: ListDatasetLabelsRequest
) -> dict[str, Any]:
    from twofold.api.labels import list_dataset_labels

    return list_dataset_labels(context, request)


OPERATIONS: Mapping[ApiOperation, OperationHandler] = {
    ApiOperation.CREATE_PROJECT: projects.create_project,
    ApiOperation.DESCRIBE_PROJECTS: projects.describe_projects,
    ApiOperation.DELETE_PROJECT: deletion.delete_project,
    ApiOperation.DESCRIBE_PROJECT_VERSIONS: trained_models.describe_project_versions,
    ApiOperation.LIST_PROJECT_POLICIES: trained_models.list_project_policies,
    ApiOperation.CREATE_DATASET: datasets.create_dataset,
    ApiOperation.DESCRIBE_DATASET: datasets.describe_dataset,
    ApiOperation.DELETE_DATASET: deletion.delete_dataset,
    ApiOperation.DISTRIBUTE_DATASET_ENTRIES: distribute.distribute_dataset_entries,
    ApiOperation.REVERT_DATASET_DISTRIBUTION: history.revert_dataset_distribution,
    ApiOperation.LIST_DATASET_DISTRIBUTIONS: history.list_dataset_distributions,
    ApiOperation.LIST_DATASET_ENTRIES: _list_dataset_entries,
    ApiOperation.LIST_DATASET_LABELS: _list_dataset_labels,
    ApiOperation.UPDATE_DATASET_ENTRIES: update.update_dataset_entries,
    ApiOperation.TAG_RESOURCE: tagging.tag_resource,
    ApiOperation.UNTAG_RESOURCE: tagging.untag_resource,
    ApiOperation.LIST_TAGS_FOR_RESOURCE: tagging.list_tags_for_resource,
}
