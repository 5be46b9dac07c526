"""Projects, the datasets in the two slots, and tags."""

from collections.abc import Iterable, Mapping
from typing import Any

from twofold.errors import ResourceInUseException, ResourceNotFoundException
from twofold.records import (
    READY_STATUSES,
    Dataset,
    DatasetId,
    DatasetStatus,
    Project,
    StatusMessageCode,
)
from twofold.settings import PARTITION_KEY, SORT_KEY, TIME_TO_LIVE, TablePartition
from twofold.stores.table import retired
from twofold.stores.table.connection import Table, Write
from twofold.stores.table.items import Item

CATALOGUE = TablePartition.CATALOGUE.value
DELETABLE_STATUSES = (*READY_STATUSES, DatasetStatus.CREATE_FAILED)
_PROJECT = "project"
_PAGE_PROJECTS = 1000
_DELETED_ITEM_SECONDS = 86_400
"""DynamoDB expires the item of a deleted dataset after this time."""


def create(table: Table, project: Project) -> None:
    """Create a project without datasets; raises ResourceInUseException if the name is taken."""
    entry = {
        PARTITION_KEY: CATALOGUE,
        SORT_KEY: build_catalogue_position(project.created, project.name),
        "Name": project.name,
    }
    if not table.try_transact(
        [table.build_put(_build_project_item(project)), table.build_put(entry)]
    ):
        raise ResourceInUseException(f"A project named '{project.name}' exists already.")


def delete_project(table: Table, project: Project) -> None:
    """Raises ResourceInUseException if the project has datasets, ResourceNotFoundException if the project no longer exists."""
    delete_item = table.build_delete(
        build_project_partition(project.name),
        _PROJECT,
        condition="#Created = :created AND attribute_not_exists(#Train) AND attribute_not_exists(#Test)",
        values={":created": project.created},
    )
    position = build_catalogue_position(project.created, project.name)
    if table.try_transact([delete_item, table.build_delete(CATALOGUE, position)]):
        return
    current = find(table, project.name)
    if not current or current.created != project.created:
        raise ResourceNotFoundException(f"The project '{project.name}' does not exist any more.")
    types = " and a ".join(dataset.type for dataset in current.list_datasets())
    raise ResourceInUseException(
        f"The project '{project.name}' has a {types} dataset; delete its datasets first."
    )


def find(table: Table, name: str) -> Project | None:
    item = table.get(build_project_partition(name), _PROJECT)
    return _parse_project(item) if item else None


def find_many(table: Table, names: Iterable[str]) -> list[Project]:
    """Return the existing projects in the order of the names."""
    keys = [(build_project_partition(name), _PROJECT) for name in names]
    items = table.get_many(keys)
    return [_parse_project(items[key]) for key in keys if key in items]


def list_catalogue(table: Table, *, after: str, limit: int) -> list[tuple[str, str]]:
    """Return (position, name) of up to `limit` projects after a position, oldest first."""
    items = table.query(CATALOGUE, after=after, limit=limit)
    return [(item[SORT_KEY], item["Name"]) for item in items]


def build_catalogue_position(created: int, name: str) -> str:
    """Return the sort key of a project in the catalogue: by creation time, then by name."""
    return f"{created:013d}#{name}"


def find_dataset(table: Table, dataset: DatasetId) -> Dataset | None:
    item = table.get(*build_dataset_key(dataset))
    return _parse_dataset(item) if item else None


def find_datasets(table: Table, datasets: Iterable[DatasetId]) -> dict[DatasetId, Dataset]:
    items = table.get_many([build_dataset_key(dataset) for dataset in datasets]).values()
    return {dataset.id: dataset for dataset in map(_parse_dataset, items)}


def find_folders_in_use(table: Table) -> frozenset[str]:
    """Return the folders of contents in use."""
    folders: set[str] = set()
    after = ""
    while page := list_catalogue(table, after=after, limit=_PAGE_PROJECTS):
        folders |= find_folders_of_projects(table, [name for _, name in page])
        after = page[-1][0]
    return frozenset(folders)


def find_folders_of_projects(table: Table, names: Iterable[str]) -> set[str]:
    """Return the folders of contents in use by the named projects."""
    ids = [dataset for project in find_many(table, names) for dataset in project.list_datasets()]
    datasets = find_datasets(table, ids).values()
    return {dataset.contents.folder for dataset in datasets if dataset.contents}


def delete_dataset(table: Table, dataset: Dataset, now: int) -> bool:
    """Free the dataset's slot and let the item expire; return False if the dataset has changed since the read."""
    folder = dataset.contents.folder if dataset.contents else None
    unchanged = "#Contents.#Folder = :seen" if folder else "attribute_not_exists(#Contents)"
    status_update = table.build_update(
        *build_dataset_key(dataset.id),
        change="SET #Status = :status, #StatusMessage = :message, #StatusMessageCode = :code, "
        f"#Updated = :now, #{TIME_TO_LIVE} = :expires",
        condition=f"#Status = :was AND {unchanged}",
        values={
            ":status": DatasetStatus.DELETE_IN_PROGRESS.value,
            ":message": "The dataset is being deleted.",
            ":code": StatusMessageCode.SUCCESS.value,
            ":now": now,
            ":expires": now // 1000 + _DELETED_ITEM_SECONDS,
            ":was": dataset.status.value,
            **({":seen": folder} if folder else {}),
        },
    )
    writes = [status_update, build_slot_clear(table, dataset.id)]
    if folder:
        writes.append(retired.build_retirement(table, folder, now))
    return table.try_transact(writes)


def replace_tags(table: Table, resource: Project | Dataset, tags: Mapping[str, str]) -> bool:
    """Set the tags; return False if the tags have changed since the read, or the resource no longer exists."""
    condition = "#Tags = :seen"
    values: dict[str, Any] = {":tags": dict(tags), ":seen": resource.tags}
    if isinstance(resource, Project):
        # A later project can have the same name. A dataset's key contains its creation time.
        condition += " AND #Created = :created"
        values |= {":created": resource.created}
        pk, sk = build_project_partition(resource.name), _PROJECT
    else:
        pk, sk = build_dataset_key(resource.id)
    write = table.build_update(
        pk, sk, change="SET #Tags = :tags", condition=condition, values=values
    )
    return table.try_transact([write])


def build_slot_fill(table: Table, dataset: DatasetId, project: Project | None = None) -> Write:
    """Build the write to put a dataset into the project's empty slot.

    With `project`, the write fails for a later project of the same name.
    """
    slot = _name_slot_attribute(dataset)
    same_project = " AND #Created = :project" if project else ""
    return table.build_update(
        build_project_partition(dataset.project),
        _PROJECT,
        change=f"SET {slot} = :created",
        condition=f"attribute_exists(#pk) AND attribute_not_exists({slot}){same_project}",
        values={":created": dataset.created} | ({":project": project.created} if project else {}),
    )


def build_slot_clear(table: Table, dataset: DatasetId) -> Write:
    """Build the write to remove a dataset from the project's slot."""
    slot = _name_slot_attribute(dataset)
    return table.build_update(
        build_project_partition(dataset.project),
        _PROJECT,
        change=f"REMOVE {slot}",
        condition=f"{slot} = :created",
        values={":created": dataset.created},
    )


def build_project_partition(project: str) -> str:
    return f"{TablePartition.PROJECT}{project}"


def build_dataset_key(dataset: DatasetId) -> tuple[str, str]:
    sk = f"dataset#{dataset.type.lower()}#{dataset.created}"
    return build_project_partition(dataset.project), sk


def build_dataset_item(dataset: Dataset) -> Item:
    pk, sk = build_dataset_key(dataset.id)
    return {PARTITION_KEY: pk, SORT_KEY: sk, **_dump_record(dataset)}


def _build_project_item(project: Project) -> Item:
    key = {PARTITION_KEY: build_project_partition(project.name), SORT_KEY: _PROJECT}
    return {**key, **_dump_record(project)}


def _name_slot_attribute(dataset: DatasetId) -> str:
    return f"#{dataset.type.capitalize()}"


def _dump_record(record: Project | Dataset) -> Item:
    return record.model_dump(mode="json", by_alias=True, exclude_none=True)


def _parse_project(item: Mapping[str, Any]) -> Project:
    return Project.model_validate(_drop_key_attributes(item))


def _parse_dataset(item: Mapping[str, Any]) -> Dataset:
    return Dataset.model_validate(_drop_key_attributes(item))


def _drop_key_attributes(item: Mapping[str, Any]) -> Item:
    keys = (PARTITION_KEY, SORT_KEY, TIME_TO_LIVE)
    return {name: value for name, value in item.items() if name not in keys}
