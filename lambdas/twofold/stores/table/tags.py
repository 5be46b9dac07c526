"""Tags of projects and datasets; they lie in the items themselves."""

from collections.abc import Mapping

from twofold.records import Dataset, Project
from twofold.stores.table import projects
from twofold.stores.table.connection import ConditionFailedError, Table


def replace(table: Table, resource: Project | Dataset, tags: Mapping[str, str]) -> bool:
    """Sets the tags; False if they are not as they were read, or the resource has gone."""
    write = table.update(
        *projects.resource_key(resource),
        change="SET #Tags = :tags",
        condition="#Tags = :seen",
        values={":tags": dict(tags), ":seen": resource.tags},
    )
    try:
        table.transact([write])
    except ConditionFailedError:
        return False
    return True
