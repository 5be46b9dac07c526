"""Requests of the protocol model's callers, and the effect on contents. A set of names represents a manifest."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from tests.support.workflow_harness import NOW
from twofold.records import (
    READY_STATUSES,
    Contents,
    Dataset,
    DatasetId,
    DatasetType,
    Distribution,
    Operation,
    OperationKind,
    Project,
    SourceObject,
    SplitParameters,
    StatusMessageCode,
)
from twofold.stores import keys
from twofold.stores.table import Table, operations, projects

OLD = ("an entry", "another")
OLD_TEST = ("a test entry",)
TEST_FOLDER = "contents/old-test"
BEFORE_ALL = 9
PROJECT = "project"
COPIES = "copies"
"""A project of copies, older than the other project, so that Collect checks it first."""

Entries = frozenset[str]


class Request(StrEnum):
    """Requests to the API."""

    DISTRIBUTE = "distribute"
    KEEP = "distribute and keep the test entries"
    UPDATE = "update"
    CREATE = "create"
    DELETE = "delete"
    REVERT = "revert"
    COPY = "copy"
    DISCARD = "delete the older copy"


SINGLE_TRANSACTION = (Request.DELETE, Request.COPY, Request.DISCARD)
"""Requests that are one transaction without a claim."""


def build_operation(
    request: Request, datasets: Mapping[DatasetType, Dataset], caller: int
) -> Operation | None:
    """Return the operation of a request; None if the API refuses the request for these datasets."""
    train, test = datasets.get(DatasetType.TRAIN), datasets[DatasetType.TEST]
    if request is Request.CREATE:
        source = SourceObject(bucket="b", key="k", size=1, etag="e")
        created = DatasetId(project=PROJECT, type=DatasetType.TRAIN, created=NOW + caller)
        return _make_operation(caller, OperationKind.CREATE, (created,), source=source)
    if (
        train is None
        or train.status not in READY_STATUSES
        or request in (*SINGLE_TRANSACTION, Request.REVERT)
    ):
        return None
    if request is Request.UPDATE:
        return _make_operation(caller, OperationKind.UPDATE, (train.id,), before=train.contents)
    if test.status not in READY_STATUSES or (test.contents and request is not Request.KEEP):
        return None
    pair, split = (train.id, test.id), SplitParameters()
    return _make_operation(
        caller,
        OperationKind.DISTRIBUTE,
        pair,
        before=train.contents,
        test_before=test.contents,
        parameters=split,
    )


def _make_operation(
    caller: int, kind: OperationKind, datasets: tuple[DatasetId, ...], **members: Any
) -> Operation:
    return Operation(id=str(caller), kind=kind, datasets=datasets, created=NOW, **members)


def abandon(table: Table, operation: Operation, now: int) -> bool:
    return operations.abandon(table, operation, "failed", StatusMessageCode.SERVICE_ERROR, now)


def publish(
    table: Table, operation: Operation, now: int, distribution: Distribution | None = None
) -> bool:
    """Publish the new contents of an operation. The digest of contents encodes the members."""
    return operations.publish(
        table, operation, build_new_contents(operation), "done", now, distribution
    )


def distribute(
    table: Table, project: Project, now: int, request: Request = Request.DISTRIBUTE
) -> None:
    """Run a distribution from the claim to the entry in the history."""
    datasets = {
        dataset.id.type: dataset
        for dataset in projects.find_datasets(table, project.list_datasets()).values()
    }
    operation = build_operation(request, datasets, BEFORE_ALL)
    assert operation
    assert operation.before
    assert operations.claim(table, operation, [*datasets.values()], now)
    new_contents = build_new_contents(operation)
    distribution = Distribution(
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
        test_before=operation.test_before,
        after=tuple(new_contents[dataset] for dataset in operation.datasets),
    )
    assert publish(table, operation, now, distribution)


def build_new_contents(operation: Operation) -> dict[DatasetId, Contents]:
    """Return the new contents of an operation: an update adds a member, a distribution moves a member, and one that keeps
    the test entries also moves one of them back."""
    before, kept = list_members(operation.before), list_members(operation.test_before)
    new_members = {operation.datasets[0].type: before | {f"of {operation.id}"}}
    if operation.kind is OperationKind.DISTRIBUTE:
        moved, back = frozenset([min(before)]), frozenset(sorted(kept)[-1:])
        new_members = {
            DatasetType.TRAIN: before - moved | back,
            DatasetType.TEST: kept - back | moved,
        }
    return {
        dataset: make_contents(
            *sorted(new_members[dataset.type]),
            folder=keys.build_contents_folder(dataset.path, operation.id),
        )
        for dataset in operation.datasets
    }


def make_contents(*members: str, folder: str = "contents/old") -> Contents:
    return Contents(
        folder=folder,
        entries=len(members),
        bytes=0,
        digest="|".join(members),
        labeled_entries=0,
        total_labels=0,
        error_entries=0,
    )


def list_members(contents: Contents | None) -> Entries:
    return frozenset(filter(None, contents.digest.split("|"))) if contents else frozenset()
