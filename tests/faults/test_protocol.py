"""Every interleaving of callers, their executions, a crash, the sweeper and Collect, with the service's own transactions."""

from collections import Counter
from collections.abc import Callable, Iterator
from graphlib import TopologicalSorter
from itertools import combinations_with_replacement
from typing import Any

import pytest

from tests.faults import protocol as model
from tests.faults.calls import Seen
from tests.faults.memory import Memory
from tests.faults.protocol import Protocol
from tests.faults.scene import Stage
from tests.faults.state import State
from tests.faults.wishes import OLD, Call, contents, members
from tests.workflow.world import NOW
from twofold.records import SETTLED, DatasetType, Status
from twofold.stores.table import Table, history, operations, projects, released

TOGETHER = [
    *combinations_with_replacement((Call.DISTRIBUTE, Call.UPDATE, Call.DELETE), 2),
    (Call.CREATE, Call.CREATE),
    (Call.CREATE, Call.DELETE),
    *((Call.REVERT, other) for other in (Call.REVERT, Call.DISTRIBUTE, Call.UPDATE, Call.DELETE)),
    *((Call.COPY, other) for other in (Call.COPY, Call.CREATE, Call.DISTRIBUTE, Call.UPDATE)),
    *((Call.COPY, Call.DISCARD, other) for other in (Call.COPY, Call.DELETE, Call.REVERT)),
    (Call.COPY, Call.UPDATE, Call.DELETE),
    (Call.COPY, Call.REVERT, Call.DELETE),
]
CLAIMED = "What is in progress is what an operation has claimed."
CLAIMED_ONCE = "A dataset is claimed once."
ENDS_ONCE = "An operation ends once."
NOT_IN_BOTH = "No entry is in both."
NOT_REMOVED = "What is in use is not removed."
NOT_FORGOTTEN = "What nobody points to is not forgotten."
NOT_LOST = "No entry and no update is lost."
IN_PROGRESS = (Status.CREATE_IN_PROGRESS, Status.UPDATE_IN_PROGRESS)


@pytest.fixture
def memory(the_stage: Stage) -> Iterator[Memory]:
    found = Memory(the_stage.theatre.api.name)
    before = found.save()
    found.clear()
    yield found
    found.restore(before)


def explored(protocol: Protocol, sought: str = "") -> dict[State, list[State]]:
    """Every state that can be reached, each looked at, with those that can come next.

    Raises AssertionError for the first promise that is broken, or for the one that is `sought`: then nothing that comes after
    another broken promise is looked at.
    """
    first = protocol.begin()
    waiting, graph = [first], {first: list[State]()}
    while waiting:
        state = waiting.pop()
        try:
            require_safe(protocol, state)
        except AssertionError as broken:
            if sought in str(broken):
                raise
            continue
        for _, after in protocol.steps(state):
            graph[state].append(after)
            if after not in graph:
                graph[after] = []
                waiting.append(after)
        if not graph[state]:
            require_settled(protocol, state)
    return graph


def require_safe(protocol: Protocol, state: State) -> None:
    seen = protocol.look(state.table)
    datasets, active = seen.datasets, seen.active
    claims = [(dataset, int(one.id)) for one in active for dataset in one.datasets]
    held = {
        one.id: int(one.operation or 0) for one in datasets.values() if one.status in IN_PROGRESS
    }
    assert dict(claims) == held, CLAIMED
    assert len(claims) == len(held), CLAIMED_ONCE
    ended = Counter(who for who, _ in state.ends)
    assert max(ended.values(), default=0) <= 1, ENDS_ONCE
    train, test = (
        members(datasets[kind].contents) if kind in datasets else None for kind in DatasetType
    )
    assert test is not None
    assert not (train or frozenset()) & test, NOT_IN_BOTH
    if train is not None and Call.CREATE not in protocol.calls:
        published = {f"of {who}" for who, how in state.ends if how == "published"}
        updates = {f"of {who}" for who, call in enumerate(protocol.calls) if call is Call.UPDATE}
        assert train | test == {*OLD} | (published & updates), NOT_LOST
    require_contents(protocol, state, seen)


def require_contents(protocol: Protocol, state: State, seen: Seen) -> None:
    """What is pointed to is there, what is there is noted as soon as nobody points to it, and copies are true."""
    used = {one.contents.folder for one in seen.everything() if one.contents}
    gone = {contents().folder} if state.gone else set()
    assert not used & gone, NOT_REMOVED
    noted, writing = protocol.noted(state.table), {one.id for one in seen.active}
    written = protocol.written(state, besides=writing)
    assert written <= used | gone | noted, NOT_FORGOTTEN
    for copy in seen.copies.values():
        who = copy.id.created - NOW
        if copy.id.type is DatasetType.TEST:
            source = protocol.look(state.read[who]).datasets[DatasetType.TRAIN]
            assert source.status in SETTLED
            assert copy.contents == source.contents, "A copy has what its source had."


def require_settled(protocol: Protocol, state: State) -> None:
    seen = protocol.look(state.table)
    datasets, active = seen.datasets, seen.active
    assert not active
    assert not {one.status for one in datasets.values()} & set(IN_PROGRESS)


@pytest.mark.parametrize("calls", TOGETHER, ids=" and ".join)
def test_no_interleaving_breaks_a_promise(memory: Memory, calls: tuple[Call, ...]) -> None:
    graph = explored(Protocol(memory, calls))
    assert len(graph) > 10
    # Without a circle, every way leads to a state in which nothing is left to be done; those are settled.
    TopologicalSorter(graph).prepare()


def weakened(write: dict[str, Any], condition: str = "") -> dict[str, Any]:
    """A write whose condition, or one part of it, always holds."""
    ((_, inner),) = write.items()
    text = inner["ConditionExpression"]
    whole = condition or text
    assert whole in text
    inner["ConditionExpression"] = text.replace(whole, f"({whole} OR attribute_exists(#pk))")
    inner["ExpressionAttributeNames"]["#pk"] = "pk"
    return write


def anyway(write: dict[str, Any]) -> dict[str, Any]:
    """A deletion of what need not be there."""
    ((_, inner),) = write.items()
    inner["ConditionExpression"] = "attribute_exists(#pk) OR attribute_not_exists(#pk)"
    return write


def weaken(
    patch: pytest.MonkeyPatch, module: Any, name: str, by: Callable[..., dict[str, Any]]
) -> None:
    real = getattr(module, name)
    patch.setattr(module, name, lambda *args, **more: by(real(*args, **more)))


def claim_of_changed(write: dict[str, Any]) -> dict[str, Any]:
    return weakened(write, "#Contents.#Folder = :seen") if ":seen" in str(write) else write


def revert_anyway(patch: pytest.MonkeyPatch, part: int) -> None:
    """One part of what is asked of both datasets is not asked."""

    def unchanged(*args: Any) -> dict[str, Any]:
        expressions = real(*args)
        parts = expressions["condition"].split(" AND ")
        assert len(parts) == 2
        parts[part] = f"({parts[part]} OR attribute_exists(#pk))"
        return expressions | {"condition": " AND ".join(parts)}

    real = history._unchanged
    patch.setattr(history, "_unchanged", unchanged)


def hold_anyway(write: dict[str, Any]) -> dict[str, Any]:
    return anyway_or(write) if ":yes" in str(write) else write


def hold_what_was_left_again(write: dict[str, Any]) -> dict[str, Any]:
    return weakened(write) if ":yes" in str(write) else write


def forget_what_was_left_again(write: dict[str, Any]) -> dict[str, Any]:
    condition = write["Delete"]["ConditionExpression"]
    return weakened(write) if condition == "#Released = :when" else write


def not_renewed(write: dict[str, Any]) -> dict[str, Any]:
    """A note that stays as it is where there is one."""
    inner = write["Update"]
    inner["UpdateExpression"] = "SET #Released = if_not_exists(#Released, :released)"
    return write


def anyway_or(write: dict[str, Any]) -> dict[str, Any]:
    """A write that needs no item where it needed one."""
    ((_, inner),) = write.items()
    inner["ConditionExpression"] = f"({inner['ConditionExpression']} OR attribute_not_exists(#pk))"
    inner["ExpressionAttributeNames"]["#pk"] = "pk"
    return write


def end_anyway(patch: pytest.MonkeyPatch) -> None:
    weaken(patch, operations, "_end", anyway)


def settle_anyway(patch: pytest.MonkeyPatch) -> None:
    weaken(patch, operations, "_settle", weakened)


def both(patch: pytest.MonkeyPatch) -> None:
    end_anyway(patch)
    settle_anyway(patch)


CAUGHT = [
    pytest.param(
        (Call.DISTRIBUTE, Call.UPDATE),
        lambda patch: weaken(patch, operations, "_claim", weakened),
        NOT_IN_BOTH,
        id="a claim of what is busy",
    ),
    pytest.param(
        (Call.UPDATE, Call.UPDATE),
        lambda patch: weaken(patch, operations, "_claim", claim_of_changed),
        NOT_LOST,
        id="a claim of what has changed since it was read",
    ),
    pytest.param(
        (Call.DISTRIBUTE, Call.UPDATE),
        both,
        ENDS_ONCE,
        id="an end without a claim",
    ),
    pytest.param(
        (Call.CREATE, Call.CREATE),
        lambda patch: weaken(patch, projects, "fill_slot", weakened),
        CLAIMED,
        id="a slot filled twice",
    ),
    pytest.param(
        (Call.UPDATE, Call.DELETE),
        lambda patch: weaken(patch, Table, "update", deletion_anyway),
        CLAIMED,
        id="a deletion of what is busy",
    ),
    pytest.param(
        (Call.REVERT, Call.UPDATE),
        lambda patch: revert_anyway(patch, 0),
        CLAIMED,
        id="a revert of what is busy",
    ),
    pytest.param(
        (Call.REVERT, Call.UPDATE),
        lambda patch: revert_anyway(patch, 1),
        NOT_LOST,
        id="a revert of what has changed",
    ),
    pytest.param(
        (Call.REVERT, Call.REVERT),
        lambda patch: weaken(patch, released, "reclaim", weakened),
        NOT_REMOVED,
        id="a revert to what is being removed",
    ),
    pytest.param(
        (Call.REVERT, Call.REVERT),
        lambda patch: weaken(patch, Table, "update", hold_anyway),
        NOT_REMOVED,
        id="a removal of what is in use again",
    ),
    pytest.param(
        (Call.COPY, Call.DELETE),
        lambda patch: weaken(patch, Table, "update", hold_what_was_left_again),
        NOT_REMOVED,
        id="a removal of what was left again while a copy was made",
    ),
    pytest.param(
        (Call.COPY, Call.DELETE),
        lambda patch: weaken(patch, released, "note", not_renewed),
        NOT_REMOVED,
        id="a departure that renews no note",
    ),
    pytest.param(
        (Call.COPY, Call.DELETE),
        lambda patch: weaken(patch, Table, "delete", forget_what_was_left_again),
        NOT_FORGOTTEN,
        id="a note forgotten that was renewed",
    ),
    pytest.param(
        (Call.COPY, Call.UPDATE),
        lambda patch: patch.setattr(model, "DUE", NOW + 1),
        NOT_REMOVED,
        id="a copy that takes longer than contents are kept",
    ),
]


def deletion_anyway(write: dict[str, Any]) -> dict[str, Any]:
    busy = ":was" in str(write)
    return weakened(write) if busy else write


@pytest.mark.parametrize(("calls", "mutation", "promise"), CAUGHT)
def test_a_weaker_condition_is_caught(
    memory: Memory,
    monkeypatch: pytest.MonkeyPatch,
    calls: tuple[Call, ...],
    mutation: Callable[[pytest.MonkeyPatch], None],
    promise: str,
) -> None:
    mutation(monkeypatch)
    with pytest.raises(AssertionError, match=promise):
        explored(Protocol(memory, calls), sought=promise)


@pytest.mark.parametrize("mutation", [end_anyway, settle_anyway])
def test_an_end_is_locked_twice(
    memory: Memory,
    monkeypatch: pytest.MonkeyPatch,
    mutation: Callable[[pytest.MonkeyPatch], None],
) -> None:
    """Either the operation's item or the dataset's claim is enough; only without both could an operation end twice."""
    mutation(monkeypatch)
    explored(Protocol(memory, (Call.UPDATE, Call.DELETE)))
