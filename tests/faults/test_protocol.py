"""Every interleaving of callers, executions, a crash, Settle and Collect, with the service's own transactions."""

from collections import Counter
from collections.abc import Callable, Iterator
from graphlib import TopologicalSorter
from itertools import combinations_with_replacement
from typing import Any

import pytest

from tests.faults import protocol as model
from tests.faults.moto_storage import MotoStorage
from tests.faults.protocol import Protocol
from tests.faults.requests import OLD, OLD_TEST, TEST_FOLDER, Request, list_members
from tests.faults.simulated_service import SimulatedService
from tests.faults.state import State
from tests.faults.transactions import ProjectView
from tests.support.workflow_harness import NOW
from twofold.records import READY_STATUSES, DatasetStatus, DatasetType
from twofold.stores.table import Table, history, operations, projects, retired

TOGETHER = [
    *combinations_with_replacement((Request.DISTRIBUTE, Request.UPDATE, Request.DELETE), 2),
    *((Request.KEEP, other) for other in (Request.KEEP, Request.UPDATE, Request.DELETE)),
    (Request.REVERT, Request.KEEP),
    (Request.CREATE, Request.CREATE),
    (Request.CREATE, Request.DELETE),
    *(
        (Request.REVERT, other)
        for other in (Request.REVERT, Request.DISTRIBUTE, Request.UPDATE, Request.DELETE)
    ),
    *(
        (Request.COPY, other)
        for other in (Request.COPY, Request.CREATE, Request.DISTRIBUTE, Request.UPDATE)
    ),
    *(
        (Request.COPY, Request.DISCARD, other)
        for other in (Request.COPY, Request.DELETE, Request.REVERT)
    ),
    (Request.COPY, Request.UPDATE, Request.DELETE),
    (Request.COPY, Request.REVERT, Request.DELETE),
]
CLAIMED = "A dataset is in progress if and only if an operation has claimed it."
CLAIMED_ONCE = "A dataset is claimed once."
ENDS_ONCE = "An operation ends once."
NOT_IN_BOTH = "No entry is in both datasets."
NOT_REMOVED = "Contents in use are not deleted."
NOT_FORGOTTEN = "Contents without a pointer are retired."
NOT_LOST = "No entry and no update is lost."
IN_PROGRESS = (DatasetStatus.CREATE_IN_PROGRESS, DatasetStatus.UPDATE_IN_PROGRESS)


@pytest.fixture
def storage(service: SimulatedService) -> Iterator[MotoStorage]:
    storage = MotoStorage(service.simulator.api.name)
    before = storage.take_snapshot()
    storage.clear_items()
    yield storage
    storage.restore(before)


def explore(protocol: Protocol, expected: str = "") -> dict[State, list[State]]:
    """Check every reachable state; return the states with all possible next states.

    Raises AssertionError for the first violated invariant, or only for the invariant `expected`: then states after a violation
    of another invariant are not explored.
    """
    first = protocol.begin()
    waiting, graph = [first], {first: list[State]()}
    while waiting:
        state = waiting.pop()
        try:
            check_invariants(protocol, state)
        except AssertionError as error:
            if expected in str(error):
                raise
            continue
        for _, after in protocol.list_steps(state):
            graph[state].append(after)
            if after not in graph:
                graph[after] = []
                waiting.append(after)
        if not graph[state]:
            check_final_state(protocol, state)
    return graph


def check_invariants(protocol: Protocol, state: State) -> None:
    view = protocol.read_project(state.table)
    datasets, active = view.datasets, view.active
    claims = [
        (dataset, int(operation.id)) for operation in active for dataset in operation.datasets
    ]
    in_progress = {
        dataset.id: int(dataset.operation or 0)
        for dataset in datasets.values()
        if dataset.status in IN_PROGRESS
    }
    assert dict(claims) == in_progress, CLAIMED
    assert len(claims) == len(in_progress), CLAIMED_ONCE
    ended = Counter(caller for caller, _ in state.ends)
    assert max(ended.values(), default=0) <= 1, ENDS_ONCE
    train, test = (
        list_members(datasets[kind].contents) if kind in datasets else None for kind in DatasetType
    )
    assert test is not None
    assert not (train or frozenset()) & test, NOT_IN_BOTH
    if train is not None and Request.CREATE not in protocol.requests:
        published = {f"of {caller}" for caller, end in state.ends if end == "published"}
        updates = {
            f"of {caller}"
            for caller, request in enumerate(protocol.requests)
            if request is Request.UPDATE
        }
        initial = {*OLD, *(OLD_TEST if protocol.keeps_test else ())}
        assert train | test == initial | (published & updates), NOT_LOST
    check_contents(protocol, state, view)


def check_contents(protocol: Protocol, state: State, view: ProjectView) -> None:
    """Check the existence of contents in use, the retirement of all others, and copies."""
    used = {dataset.contents.folder for dataset in view.list_all() if dataset.contents}
    deleted = {protocol.collected_folder} if state.contents_removed else set()
    assert not used & deleted, NOT_REMOVED
    noted = protocol.list_noted_folders(state.table)
    active = {operation.id for operation in view.active}
    written = protocol.list_written_folders(state, active=active)
    assert written <= used | deleted | noted, NOT_FORGOTTEN
    for copy in view.copies.values():
        caller = copy.id.created - NOW
        if copy.id.type is DatasetType.TEST:
            source = protocol.read_project(state.read_tables[caller]).datasets[DatasetType.TRAIN]
            assert source.status in READY_STATUSES
            assert copy.contents == source.contents, "A copy equals its source."


def check_final_state(protocol: Protocol, state: State) -> None:
    view = protocol.read_project(state.table)
    datasets, active = view.datasets, view.active
    assert not active
    assert not {dataset.status for dataset in datasets.values()} & set(IN_PROGRESS)


@pytest.mark.parametrize("requests", TOGETHER, ids=" and ".join)
def test_no_interleaving_violates_an_invariant(
    storage: MotoStorage, requests: tuple[Request, ...]
) -> None:
    graph = explore(Protocol(storage, requests))
    assert len(graph) > 10
    # Without a cycle, every path leads to a final state. `explore` has checked that all operations have ended there.
    TopologicalSorter(graph).prepare()


def weaken_condition(write: dict[str, Any], condition: str = "") -> dict[str, Any]:
    """Return the write with a condition, or a part of the condition, made true."""
    ((_, inner),) = write.items()
    text = inner["ConditionExpression"]
    whole = condition or text
    assert whole in text
    inner["ConditionExpression"] = text.replace(whole, f"({whole} OR attribute_exists(#pk))")
    inner["ExpressionAttributeNames"]["#pk"] = "pk"
    return write


def drop_condition(write: dict[str, Any]) -> dict[str, Any]:
    """Return the write with a condition true for a missing item."""
    ((_, inner),) = write.items()
    inner["ConditionExpression"] = "attribute_exists(#pk) OR attribute_not_exists(#pk)"
    return write


def patch_write(
    patch: pytest.MonkeyPatch, module: Any, name: str, change: Callable[..., dict[str, Any]]
) -> None:
    """Let a function that builds a write return a changed write."""
    original = getattr(module, name)
    patch.setattr(module, name, lambda *args, **more: change(original(*args, **more)))


def claim_changed_dataset(write: dict[str, Any]) -> dict[str, Any]:
    return weaken_condition(write, "#Contents.#Folder = :seen") if ":seen" in str(write) else write


def revert_anyway(patch: pytest.MonkeyPatch, part: int) -> None:
    """Let one part of the condition on both datasets always hold."""

    def build_weak_condition(*args: Any) -> dict[str, Any]:
        expressions = original(*args)
        parts = expressions["condition"].split(" AND ")
        assert len(parts) == 2
        parts[part] = f"({parts[part]} OR attribute_exists(#pk))"
        return expressions | {"condition": " AND ".join(parts)}

    original = history._build_revert_condition
    patch.setattr(history, "_build_revert_condition", build_weak_condition)


def hold_anyway(write: dict[str, Any]) -> dict[str, Any]:
    return allow_missing_item(write) if ":yes" in str(write) else write


def hold_renewed_note(write: dict[str, Any]) -> dict[str, Any]:
    return weaken_condition(write) if ":yes" in str(write) else write


def delete_renewed_note(write: dict[str, Any]) -> dict[str, Any]:
    condition = write["Delete"]["ConditionExpression"]
    return weaken_condition(write) if condition == "#Released = :when" else write


def keep_note_time(write: dict[str, Any]) -> dict[str, Any]:
    """Return a write without renewal of an existing note."""
    inner = write["Update"]
    inner["UpdateExpression"] = "SET #Released = if_not_exists(#Released, :released)"
    return write


def allow_missing_item(write: dict[str, Any]) -> dict[str, Any]:
    """Return the write with a condition true for a missing item."""
    ((_, inner),) = write.items()
    inner["ConditionExpression"] = f"({inner['ConditionExpression']} OR attribute_not_exists(#pk))"
    inner["ExpressionAttributeNames"]["#pk"] = "pk"
    return write


def end_anyway(patch: pytest.MonkeyPatch) -> None:
    patch_write(patch, operations, "_build_operation_delete", drop_condition)


def settle_anyway(patch: pytest.MonkeyPatch) -> None:
    patch_write(patch, operations, "_build_end_of_claim", weaken_condition)


def end_and_settle_anyway(patch: pytest.MonkeyPatch) -> None:
    end_anyway(patch)
    settle_anyway(patch)


CAUGHT = [
    pytest.param(
        (Request.DISTRIBUTE, Request.UPDATE),
        lambda patch: patch_write(patch, operations, "_build_claim", weaken_condition),
        NOT_IN_BOTH,
        id="a claim of a busy dataset",
    ),
    pytest.param(
        (Request.UPDATE, Request.UPDATE),
        lambda patch: patch_write(patch, operations, "_build_claim", claim_changed_dataset),
        NOT_LOST,
        id="a claim of a dataset that has changed since it was read",
    ),
    pytest.param(
        (Request.DISTRIBUTE, Request.UPDATE),
        end_and_settle_anyway,
        ENDS_ONCE,
        id="an end without a claim",
    ),
    pytest.param(
        (Request.CREATE, Request.CREATE),
        lambda patch: patch_write(patch, projects, "build_slot_fill", weaken_condition),
        CLAIMED,
        id="a slot filled twice",
    ),
    pytest.param(
        (Request.UPDATE, Request.DELETE),
        lambda patch: patch_write(patch, Table, "build_update", delete_anyway),
        CLAIMED,
        id="a deletion of a busy dataset",
    ),
    pytest.param(
        (Request.REVERT, Request.UPDATE),
        lambda patch: revert_anyway(patch, 0),
        CLAIMED,
        id="a revert of a busy dataset",
    ),
    pytest.param(
        (Request.REVERT, Request.UPDATE),
        lambda patch: revert_anyway(patch, 1),
        NOT_LOST,
        id="a revert of a changed dataset",
    ),
    pytest.param(
        (Request.REVERT, Request.REVERT),
        lambda patch: patch_write(patch, retired, "build_reinstatement", weaken_condition),
        NOT_REMOVED,
        id="a revert to contents that are being deleted",
    ),
    pytest.param(
        (Request.REVERT, Request.REVERT),
        lambda patch: patch_write(patch, Table, "build_update", hold_anyway),
        NOT_REMOVED,
        id="a deletion of contents that are in use again",
    ),
    pytest.param(
        (Request.REVERT, Request.KEEP),
        lambda patch: patch_write(patch, retired, "build_reinstatement", weaken_condition),
        NOT_REMOVED,
        id="a revert to test contents that are being deleted",
    ),
    pytest.param(
        (Request.KEEP, Request.UPDATE),
        lambda patch: retire_elsewhere(patch, TEST_FOLDER),
        NOT_FORGOTTEN,
        id="a distribution that does not retire the contents of the test dataset",
    ),
    pytest.param(
        (Request.COPY, Request.DELETE),
        lambda patch: patch_write(patch, Table, "build_update", hold_renewed_note),
        NOT_REMOVED,
        id="a deletion of contents that were released again while a copy was made",
    ),
    pytest.param(
        (Request.COPY, Request.DELETE),
        lambda patch: patch_write(patch, retired, "build_retirement", keep_note_time),
        NOT_REMOVED,
        id="a release that renews no note",
    ),
    pytest.param(
        (Request.COPY, Request.DELETE),
        lambda patch: patch_write(patch, Table, "build_delete", delete_renewed_note),
        NOT_FORGOTTEN,
        id="a deletion of a renewed note",
    ),
    pytest.param(
        (Request.COPY, Request.UPDATE),
        lambda patch: patch.setattr(model, "DUE", NOW + 1),
        NOT_REMOVED,
        id="a copy that takes longer than the retention time",
    ),
]


def retire_elsewhere(patch: pytest.MonkeyPatch, folder: str) -> None:
    """Retire another folder in place of this one."""
    original = retired.build_retirement
    patch.setattr(
        retired,
        "build_retirement",
        lambda table, retiring, now: original(
            table, "elsewhere" if retiring == folder else retiring, now
        ),
    )


def delete_anyway(write: dict[str, Any]) -> dict[str, Any]:
    busy = ":was" in str(write)
    return weaken_condition(write) if busy else write


@pytest.mark.parametrize(("requests", "mutation", "invariant"), CAUGHT)
def test_a_weaker_condition_is_caught(
    storage: MotoStorage,
    monkeypatch: pytest.MonkeyPatch,
    requests: tuple[Request, ...],
    mutation: Callable[[pytest.MonkeyPatch], None],
    invariant: str,
) -> None:
    mutation(monkeypatch)
    with pytest.raises(AssertionError, match=invariant):
        explore(Protocol(storage, requests), expected=invariant)


@pytest.mark.parametrize("mutation", [end_anyway, settle_anyway])
def test_either_condition_of_an_end_is_sufficient(
    storage: MotoStorage,
    monkeypatch: pytest.MonkeyPatch,
    mutation: Callable[[pytest.MonkeyPatch], None],
) -> None:
    """The operation's item or the dataset's claim is sufficient. Only without both can an operation end twice."""
    mutation(monkeypatch)
    explore(Protocol(storage, (Request.UPDATE, Request.DELETE)))
