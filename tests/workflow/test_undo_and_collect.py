"""What is had back is not collected, and what is being collected is not had back, whoever comes first."""

import pytest

from tests.workflow.world import NOW, World, any_manifest
from twofold.records import Distribution, Operation
from twofold.stores.keys import ContentsKeys
from twofold.stores.table import history, projects, released
from twofold.workflow.collect import DAY_MILLISECONDS, collect

LATER = NOW + 2 * DAY_MILLISECONDS


@pytest.fixture
def done(world: World) -> Distribution:
    """A distribution that was made."""
    operation = world.begin_distribution(any_manifest(60))
    carve = world.select(operation)
    world.move(operation, carve)
    world.publish(operation, carve)
    return remembered(world, operation)


def remembered(world: World, operation: Operation) -> Distribution:
    project = projects.find(world.table, operation.datasets[0].project)
    assert project is not None
    last = history.last(world.table, project)
    assert last is not None
    return last.distribution


def revert(world: World, done: Distribution) -> bool:
    note = released.find(world.table, done.before.folder)
    return history.revert(world.table, done, note, "me", LATER)


def kept(world: World, done: Distribution) -> bool:
    return world.bucket.size(ContentsKeys(done.before.folder).manifest) == done.before.bytes


def test_what_was_had_back_outlives_every_collection(world: World, done: Distribution) -> None:
    assert revert(world, done)
    collect(world.table, world.bucket, 1, LATER + 2 * DAY_MILLISECONDS)
    assert kept(world, done)
    assert [len(world.manifest(one)) for one in done.datasets] == [done.before.bytes, 0]
    gone = [world.keys(one.folder) for one in done.after]
    assert gone == [[], []], "what the distribution made is collected in its turn"


def test_an_undoing_between_the_look_and_the_hold_of_a_collection_wins(
    world: World, done: Distribution
) -> None:
    (due,) = (
        one for one in released.before(world.table, LATER) if one.folder == done.before.folder
    )
    assert revert(world, done)
    assert not released.hold(world.table, due)
    assert kept(world, done)


def test_an_undoing_after_the_hold_of_a_collection_is_lost_as_a_whole(
    world: World, done: Distribution
) -> None:
    note = released.find(world.table, done.before.folder)
    (due,) = (
        one for one in released.before(world.table, LATER) if one.folder == done.before.folder
    )
    assert released.hold(world.table, due)
    before = [world.dataset(one) for one in done.datasets]
    assert not history.revert(world.table, done, note, "me", LATER)
    assert not revert(world, done)
    assert [world.dataset(one) for one in done.datasets] == before


def test_of_two_undoings_one_is_made(world: World, done: Distribution) -> None:
    note = released.find(world.table, done.before.folder)
    won = [history.revert(world.table, done, note, "me", LATER) for _ in range(2)]
    assert won == [True, False]
