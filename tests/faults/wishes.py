"""What callers of the protocol wish for, and what becomes of contents: sets of names in the place of manifests."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from tests.workflow.world import NOW
from twofold.records import (
    SETTLED,
    Contents,
    Dataset,
    DatasetId,
    DatasetType,
    Distribution,
    Operation,
    OperationKind,
    Project,
    Source,
    SplitParameters,
    StatusCode,
)
from twofold.stores import keys
from twofold.stores.table import Table, operations, projects

OLD = ("an entry", "another")
BEFORE_ALL = 9
PROJECT = "project"
COPIES = "copies"
"""A project of copies, older than the other, so that Collect looks at it first."""

Entries = frozenset[str]


class Call(StrEnum):
    """What a caller wants."""

    DISTRIBUTE = "distribute"
    UPDATE = "update"
    CREATE = "create"
    DELETE = "delete"
    REVERT = "revert"
    COPY = "copy"
    DISCARD = "delete the older copy"


AT_ONCE = (Call.DELETE, Call.COPY, Call.DISCARD)
"""What is done with one transaction after what was read, and claims nothing."""


def wished(call: Call, datasets: Mapping[DatasetType, Dataset], who: int) -> Operation | None:
    """None if the API would refuse what was read."""
    train, test = datasets.get(DatasetType.TRAIN), datasets[DatasetType.TEST]
    if call is Call.CREATE:
        source = Source(bucket="b", key="k", size=1, etag="e")
        created = DatasetId(project=PROJECT, type=DatasetType.TRAIN, created=NOW + who)
        return _begun(who, OperationKind.CREATE, (created,), source=source)
    if train is None or train.status not in SETTLED or call in (*AT_ONCE, Call.REVERT):
        return None
    if call is Call.UPDATE:
        return _begun(who, OperationKind.UPDATE, (train.id,), before=train.contents)
    if test.status not in SETTLED or test.contents:
        return None
    pair, split = (train.id, test.id), SplitParameters()
    return _begun(who, OperationKind.DISTRIBUTE, pair, before=train.contents, parameters=split)


def _begun(
    who: int, kind: OperationKind, datasets: tuple[DatasetId, ...], **members: Any
) -> Operation:
    return Operation(id=str(who), kind=kind, datasets=datasets, created=NOW, **members)


def abandon(table: Table, operation: Operation, now: int) -> bool:
    return operations.abandon(table, operation, "failed", StatusCode.SERVICE_ERROR, now)


def publish(
    table: Table, operation: Operation, now: int, remembered: Distribution | None = None
) -> bool:
    """What each kind makes of the contents that it claimed. `members` of contents are in their digest."""
    return operations.publish(table, operation, made_of(operation), "done", now, remembered)


def distributed(table: Table, project: Project, now: int) -> None:
    """A distribution from the claim to its end, which the project remembers."""
    datasets = {
        one.id.type: one for one in projects.find_datasets(table, project.datasets()).values()
    }
    operation = wished(Call.DISTRIBUTE, datasets, BEFORE_ALL)
    assert operation
    assert operation.before
    assert operations.claim(table, operation, [*datasets.values()], now)
    made = made_of(operation)
    done = Distribution(
        operation=operation.id,
        datasets=operation.datasets,
        begun=operation.created,
        ended=now,
        caller="",
        parameters=SplitParameters(),
        entries=len(OLD),
        test_entries=1,
        deviation="0",
        lower_bound="0",
        optimal=True,
        proof="",
        before=operation.before,
        after=tuple(made[one] for one in operation.datasets),
    )
    assert publish(table, operation, now, done)


def made_of(operation: Operation) -> dict[DatasetId, Contents]:
    before = members(operation.before)
    made = {operation.datasets[0].type: before | {f"of {operation.id}"}}
    if operation.kind is OperationKind.DISTRIBUTE:
        moved = frozenset([min(before)])
        made = {DatasetType.TRAIN: before - moved, DatasetType.TEST: moved}
    return {
        one: contents(*sorted(made[one.type]), folder=keys.contents(one.path, operation.id))
        for one in operation.datasets
    }


def contents(*held: str, folder: str = "contents/old") -> Contents:
    return Contents(
        folder=folder,
        entries=len(held),
        bytes=0,
        digest="|".join(held),
        labeled_entries=0,
        total_labels=0,
        error_entries=0,
    )


def members(found: Contents | None) -> Entries:
    return frozenset(filter(None, found.digest.split("|"))) if found else frozenset()
