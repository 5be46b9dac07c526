"""A job that memory does not hold is refused before it is begun, with what to do about it."""

import pytest

from tests.workflow.world import LIMITS, World, any_manifest
from twofold.errors import OperationRefused
from twofold.settings import SOLVER_MEMORY_MB
from twofold.workflow import ingest
from twofold.workflow.room import entries_in
from twofold.workflow.select import select

ADVICE = "101 entries or more; this deployment has memory for 100. Deploy it with a larger solver_memory_mb"


def test_a_distribution_that_memory_does_not_hold_is_refused(world: World) -> None:
    operation = world.begin_distribution(any_manifest(101))
    with pytest.raises(OperationRefused, match=ADVICE):
        select(world.bucket, operation, 100)


def test_a_manifest_that_memory_does_not_hold_is_refused(world: World) -> None:
    operation = world.begin_ingest(any_manifest(101))
    found = world.index(operation)
    with pytest.raises(OperationRefused, match=ADVICE):
        ingest.resolve_pieces(world.bucket, operation, found, LIMITS, 100)


def test_what_memory_just_holds_is_taken(world: World) -> None:
    operation = world.begin_ingest(any_manifest(100))
    found = world.index(operation)
    ingest.resolve_pieces(world.bucket, operation, found, LIMITS, 100)


def test_more_memory_holds_more() -> None:
    assert 20_000_000 < entries_in(SOLVER_MEMORY_MB) < entries_in(10_240) < 100_000_000
