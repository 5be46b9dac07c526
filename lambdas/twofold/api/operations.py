"""Which function answers which operation."""

from collections.abc import Callable, Mapping
from typing import Any

from twofold.api import datasets, deletion, distribute, entries, labels, projects, tagging, update
from twofold.api.service import Service
from twofold.settings import Operation

Answer = Callable[[Service, Any], dict[str, Any]]

OPERATIONS: Mapping[Operation, Answer] = {
    Operation.CREATE_PROJECT: projects.create_project,
    Operation.DESCRIBE_PROJECTS: projects.describe_projects,
    Operation.DELETE_PROJECT: deletion.delete_project,
    Operation.CREATE_DATASET: datasets.create_dataset,
    Operation.DESCRIBE_DATASET: datasets.describe_dataset,
    Operation.DELETE_DATASET: deletion.delete_dataset,
    Operation.DISTRIBUTE_DATASET_ENTRIES: distribute.distribute_dataset_entries,
    Operation.LIST_DATASET_ENTRIES: entries.list_dataset_entries,
    Operation.LIST_DATASET_LABELS: labels.list_dataset_labels,
    Operation.UPDATE_DATASET_ENTRIES: update.update_dataset_entries,
    Operation.TAG_RESOURCE: tagging.tag_resource,
    Operation.UNTAG_RESOURCE: tagging.untag_resource,
    Operation.LIST_TAGS_FOR_RESOURCE: tagging.list_tags_for_resource,
}
