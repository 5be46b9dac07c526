"""A job that memory does not hold is refused before it is begun, with what to do about it."""

import pytest

from tests.workflow.world import LIMITS, World, any_manifest
from twofold.errors import OperationRefused
from twofold.settings import SOLVER_MEMORY_MB
from twofold.workflow import ingest
from twofold.workflow.room import Load, entries_in, require_room, room_of
from twofold.workflow.select import select

ADVICE = "101 entries or more; this deployment has memory for 100 like them. Deploy it with a larger solver_memory_mb"
OF_100 = Load(100).bytes


def test_a_distribution_that_memory_does_not_hold_is_refused(world: World) -> None:
    operation = world.begin_distribution(any_manifest(101))
    with pytest.raises(OperationRefused, match=ADVICE):
        select(world.bucket, operation, OF_100)


def test_a_manifest_that_memory_does_not_hold_is_refused(world: World) -> None:
    operation = world.begin_ingest(any_manifest(101))
    found = world.index(operation)
    with pytest.raises(
        OperationRefused, match="101 entries or more; this deployment has memory for 9"
    ):
        ingest.resolve_pieces(world.bucket, operation, found, LIMITS, OF_100)


def test_what_memory_just_holds_is_taken(world: World) -> None:
    operation = world.begin_ingest(any_manifest(100))
    found = world.index(operation)
    three_labels = Load(100, box_counts=100, set_labels=3).bytes
    with pytest.raises(OperationRefused):
        ingest.resolve_pieces(world.bucket, operation, found, LIMITS, three_labels - 1)
    ingest.resolve_pieces(world.bucket, operation, found, LIMITS, three_labels)


@pytest.mark.parametrize(
    "more",
    [
        Load(1),
        Load(0, box_counts=1),
        Load(0, set_labels=1),
        Load(0, grouped_labels=1),
        Load(0, chosen_labels=1),
    ],
)
def test_whatever_there_is_more_of_takes_more(more: Load) -> None:
    load = Load(1_000, 1_000, 1_000, 1_000, 1_000)
    require_room(load, load.bytes)
    with pytest.raises(OperationRefused):
        require_room(load + more, load.bytes)


def test_labels_count_where_each_entry_has_a_set_of_its_own_or_groups_stay_whole(
    world: World,
) -> None:
    operation = world.begin_distribution(any_manifest(100))
    labels = len(world.index_of(operation.datasets[0]).names)
    told = (
        rf"100 entries or more and {labels} labels; this deployment has memory for \d\d like them"
    )
    with pytest.raises(OperationRefused, match=told):
        select(world.bucket, operation, Load(100).bytes)
    grouped = operation.parameters.model_copy(update={"group_by": "(.)"})  # type: ignore[union-attr]
    with pytest.raises(OperationRefused, match="100 entries or more"):
        select(
            world.bucket,
            operation.model_copy(update={"parameters": grouped}),
            Load(100, set_labels=3, grouped_labels=99).bytes,
        )


def test_more_memory_holds_more() -> None:
    assert 20_000_000 < entries_in(SOLVER_MEMORY_MB) < 100_000_000 < entries_in(10_240)
    assert Load(entries_in(10_240)).bytes < room_of(10_240)
