"""How far an operation is can be seen in what its workers have left."""

import pytest

from tests.workflow.world import LIMITS, World, any_manifest
from twofold.stores.progress import progress
from twofold.workflow import ingest
from twofold.workflow.orders import RANGE_LIST


@pytest.mark.usefixtures("small")
def test_each_range_and_each_shard_counts_as_it_is_done(world: World) -> None:
    operation = world.begin_ingest(any_manifest(60))
    assert progress(world.bucket, operation.id) is None
    found = ingest.plan(world.bucket, operation, LIMITS)
    orders = RANGE_LIST.validate_json(world.bucket.get(found.shards.key))
    for number, order in enumerate(orders):
        told = progress(world.bucket, operation.id)
        assert told is not None
        assert (told.step, told.done, told.total) == ("INDEX", number, len(orders))
        assert told.message == f"Read {number} of {len(orders)} parts of the manifest."
        ingest.index(world.bucket, operation, order)
    carve = ingest.resolve_pieces(world.bucket, operation, found, LIMITS)
    shards = world.shards(carve)
    assert len(shards) > 1
    for number, shard in enumerate(shards):
        told = progress(world.bucket, operation.id)
        assert told is not None
        assert told.message == f"Moved {number} of {len(shards)} shards."
        world.move(operation, carve, [shard])


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("damaged", [b"", b"[", b"5", b"null"])
def test_a_damaged_list_of_ranges_tells_nothing(world: World, damaged: bytes) -> None:
    operation = world.begin_ingest(any_manifest(60))
    found = ingest.plan(world.bucket, operation, LIMITS)
    world.bucket.put(found.shards.key, damaged)
    assert progress(world.bucket, operation.id) is None
