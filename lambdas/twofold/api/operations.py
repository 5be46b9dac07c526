"""Which function answers which operation.

The two lists that read contents need NumPy; they load it when they are first asked for, so that no other caller waits for it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from twofold.api import datasets, deletion, distribute, history, models, projects, tagging, update
from twofold.api.contract import ListDatasetEntriesRequest, ListDatasetLabelsRequest
from twofold.api.service import Service
from twofold.settings import Operation

Answer = Callable[[Service, Any], dict[str, Any]]


def _list_dataset_entries(service: Service, request: ListDatasetEntriesRequest) -> dict[str, Any]:
    from twofold.api.entries import list_dataset_entries

    return list_dataset_entries(service, request)


def _list_dataset_labels(service: Service, request: ListDatasetLabelsRequest) -> dict[str, Any]:
    from twofold.api.labels import list_dataset_labels

    return list_dataset_labels(service, request)


OPERATIONS: Mapping[Operation, Answer] = {
    Operation.CREATE_PROJECT: projects.create_project,
    Operation.DESCRIBE_PROJECTS: projects.describe_projects,
    Operation.DELETE_PROJECT: deletion.delete_project,
    Operation.DESCRIBE_PROJECT_VERSIONS: models.describe_project_versions,
    Operation.LIST_PROJECT_POLICIES: models.list_project_policies,
    Operation.CREATE_DATASET: datasets.create_dataset,
    Operation.DESCRIBE_DATASET: datasets.describe_dataset,
    Operation.DELETE_DATASET: deletion.delete_dataset,
    Operation.DISTRIBUTE_DATASET_ENTRIES: distribute.distribute_dataset_entries,
    Operation.REVERT_DATASET_DISTRIBUTION: history.revert_dataset_distribution,
    Operation.LIST_DATASET_DISTRIBUTIONS: history.list_dataset_distributions,
    Operation.LIST_DATASET_ENTRIES: _list_dataset_entries,
    Operation.LIST_DATASET_LABELS: _list_dataset_labels,
    Operation.UPDATE_DATASET_ENTRIES: update.update_dataset_entries,
    Operation.TAG_RESOURCE: tagging.tag_resource,
    Operation.UNTAG_RESOURCE: tagging.untag_resource,
    Operation.LIST_TAGS_FOR_RESOURCE: tagging.list_tags_for_resource,
}
