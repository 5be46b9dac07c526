"""Tags of projects and datasets; they lie in the items themselves."""

from collections.abc import Mapping
from typing import Any

from twofold.records import Dataset, Project
from twofold.stores.table import projects
from twofold.stores.table.connection import ConditionFailedError, Table


def replace(table: Table, resource: Project | Dataset, tags: Mapping[str, str]) -> bool:
    """Sets the tags; False if they are not as they were read, or the resource has gone."""
    condition = "#Tags = :seen"
    values: dict[str, Any] = {":tags": dict(tags), ":seen": resource.tags}
    if isinstance(resource, Project):
        # Another project may have its name by now; a dataset's key has the time of its creation.
        condition += " AND #Created = :created"
        values |= {":created": resource.created}
    write = table.update(
        *projects.resource_key(resource),
        change="SET #Tags = :tags",
        condition=condition,
        values=values,
    )
    try:
        table.transact([write])
    except ConditionFailedError:
        return False
    return True
