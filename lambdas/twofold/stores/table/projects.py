"""Projects and the datasets in their slots."""

from collections.abc import Iterable, Mapping
from typing import Any

from twofold.errors import ResourceInUseException
from twofold.records import Dataset, DatasetId, Project
from twofold.settings import PARTITION_KEY, SORT_KEY, TIME_TO_LIVE, Partition
from twofold.stores.table.connection import ConditionFailedError, Table, Write
from twofold.stores.table.items import Item

CATALOGUE = Partition.CATALOGUE.value
_PROJECT = "project"


def create(table: Table, project: Project) -> None:
    """Raises ResourceInUseException if the name is taken."""
    entry = {
        PARTITION_KEY: CATALOGUE,
        SORT_KEY: position(project.created, project.name),
        "Name": project.name,
    }
    try:
        table.transact([table.put(_item(project)), table.put(entry)])
    except ConditionFailedError as error:
        raise ResourceInUseException(f"A project named '{project.name}' exists already.") from error


def removal(table: Table, project: Project) -> list[Write]:
    """Writes for a transaction that removes a project that has no datasets, and its place in the catalogue."""
    return [
        table.delete(
            partition(project.name),
            _PROJECT,
            condition="#Created = :created AND attribute_not_exists(#Train) AND attribute_not_exists(#Test)",
            values={":created": project.created},
        ),
        table.delete(CATALOGUE, position(project.created, project.name)),
    ]


def position(created: int, name: str) -> str:
    """Where a project stands in the catalogue: by creation time, then by name."""
    return f"{created:013d}#{name}"


def find(table: Table, name: str) -> Project | None:
    item = table.get(partition(name), _PROJECT)
    return _project(item) if item else None


def find_many(table: Table, names: Iterable[str]) -> list[Project]:
    """The projects that exist, in the order of the names."""
    wanted = [(partition(name), _PROJECT) for name in names]
    found = table.get_many(wanted)
    return [_project(found[key]) for key in wanted if key in found]


def catalogue(table: Table, *, after: str, limit: int) -> list[tuple[str, str]]:
    """Up to `limit` (position, name) of projects by creation time, after a position."""
    items = table.query(CATALOGUE, after=after, limit=limit)
    return [(item[SORT_KEY], item["Name"]) for item in items]


def find_dataset(table: Table, dataset: DatasetId) -> Dataset | None:
    item = table.get(*dataset_key(dataset))
    return _dataset(item) if item else None


def find_datasets(table: Table, datasets: Iterable[DatasetId]) -> dict[DatasetId, Dataset]:
    items = table.get_many([dataset_key(dataset) for dataset in datasets]).values()
    return {dataset.id: dataset for dataset in map(_dataset, items)}


def fill_slot(table: Table, dataset: DatasetId, project: Project | None = None) -> Write:
    """A write for a transaction that puts the dataset into its project's empty slot; with `project`, of this very one."""
    slot = _slot(dataset)
    same = " AND #Created = :project" if project else ""
    return table.update(
        partition(dataset.project),
        _PROJECT,
        change=f"SET {slot} = :created",
        condition=f"attribute_exists(#pk) AND attribute_not_exists({slot}){same}",
        values={":created": dataset.created} | ({":project": project.created} if project else {}),
    )


def free_slot(table: Table, dataset: DatasetId) -> Write:
    """A write for a transaction that takes the dataset out of its project."""
    slot = _slot(dataset)
    return table.update(
        partition(dataset.project),
        _PROJECT,
        change=f"REMOVE {slot}",
        condition=f"{slot} = :created",
        values={":created": dataset.created},
    )


def partition(project: str) -> str:
    return f"{Partition.PROJECT}{project}"


def dataset_key(dataset: DatasetId) -> tuple[str, str]:
    return partition(dataset.project), f"dataset#{dataset.type.lower()}#{dataset.created}"


def resource_key(resource: Project | Dataset) -> tuple[str, str]:
    if isinstance(resource, Dataset):
        return dataset_key(resource.id)
    return partition(resource.name), _PROJECT


def dataset_item(dataset: Dataset) -> Item:
    pk, sk = dataset_key(dataset.id)
    return {PARTITION_KEY: pk, SORT_KEY: sk, **_stored(dataset)}


def _slot(dataset: DatasetId) -> str:
    return f"#{dataset.type.capitalize()}"


def _item(project: Project) -> Item:
    return {PARTITION_KEY: partition(project.name), SORT_KEY: _PROJECT, **_stored(project)}


def _stored(record: Project | Dataset) -> Item:
    return record.model_dump(mode="json", by_alias=True, exclude_none=True)


def _project(item: Mapping[str, Any]) -> Project:
    return Project.model_validate(_without_keys(item))


def _dataset(item: Mapping[str, Any]) -> Dataset:
    return Dataset.model_validate(_without_keys(item))


def _without_keys(item: Mapping[str, Any]) -> Item:
    keys = (PARTITION_KEY, SORT_KEY, TIME_TO_LIVE)
    return {name: value for name, value in item.items() if name not in keys}
