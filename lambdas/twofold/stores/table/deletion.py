"""Deleting datasets and projects."""

from twofold.errors import ResourceInUseException, ResourceNotFoundException
from twofold.records import SETTLED, Dataset, Project, Status, StatusCode
from twofold.settings import TIME_TO_LIVE
from twofold.stores.table import projects, released
from twofold.stores.table.connection import ConditionFailedError, Table

DELETABLE = (*SETTLED, Status.CREATE_FAILED)
_KEPT_SECONDS = 86_400
"""How long the item of a deleted dataset waits for the table to let it expire."""


def delete_dataset(table: Table, dataset: Dataset, now: int) -> bool:
    """Frees the dataset's slot and leaves its item to expire; False if the dataset is not as it was read."""
    seen = dataset.contents.folder if dataset.contents else None
    unchanged = "#Contents.#Folder = :seen" if seen else "attribute_not_exists(#Contents)"
    mark = table.update(
        *projects.dataset_key(dataset.id),
        change="SET #Status = :status, #StatusMessage = :message, #StatusMessageCode = :code, "
        f"#Updated = :now, #{TIME_TO_LIVE} = :expires",
        condition=f"#Status = :was AND {unchanged}",
        values={
            ":status": Status.DELETE_IN_PROGRESS.value,
            ":message": "The dataset is being deleted.",
            ":code": StatusCode.SUCCESS.value,
            ":now": now,
            ":expires": now // 1000 + _KEPT_SECONDS,
            ":was": dataset.status.value,
            **({":seen": seen} if seen else {}),
        },
    )
    writes = [mark, projects.free_slot(table, dataset.id)]
    if seen:
        writes.append(released.note(table, seen, now))
    try:
        table.transact(writes)
    except ConditionFailedError:
        return False
    return True


def delete_project(table: Table, project: Project) -> None:
    """Raises ResourceInUseException while it has datasets, ResourceNotFoundException if it has gone."""
    try:
        table.transact(projects.removal(table, project))
    except ConditionFailedError as error:
        found = projects.find(table, project.name)
        if not found or found.created != project.created:
            raise ResourceNotFoundException(f"The project '{project.name}' has gone.") from error
        kinds = " and a ".join(dataset.type for dataset in found.datasets())
        raise ResourceInUseException(
            f"The project '{project.name}' has a {kinds} dataset; delete its datasets first."
        ) from error
