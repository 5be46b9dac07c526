"""Which function answers which operation."""

from collections.abc import Callable, Mapping
from typing import Any

from twofold.api import datasets, distribute, entries, projects
from twofold.api.service import Service
from twofold.settings import Operation

Answer = Callable[[Service, Any], dict[str, Any]]

OPERATIONS: Mapping[Operation, Answer] = {
    Operation.CREATE_PROJECT: projects.create_project,
    Operation.DESCRIBE_PROJECTS: projects.describe_projects,
    Operation.CREATE_DATASET: datasets.create_dataset,
    Operation.DESCRIBE_DATASET: datasets.describe_dataset,
    Operation.LIST_DATASET_ENTRIES: entries.list_dataset_entries,
    Operation.DISTRIBUTE_DATASET_ENTRIES: distribute.distribute_dataset_entries,
}
