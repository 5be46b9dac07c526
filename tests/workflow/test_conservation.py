"""Whatever happens to a distribution: both datasets change, with every line in one of them, or nothing does."""

import json
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.workflow.world import NOW, World, any_manifest
from twofold.errors import ConservationError, DamagedObjectError
from twofold.manifest.carve import DIGEST_MODULUS
from twofold.records import Operation, Status
from twofold.stores import sealed
from twofold.stores.keys import ContentsKeys
from twofold.stores.objects import SourceChangedError
from twofold.stores.table import operations
from twofold.workflow import end, publish
from twofold.workflow.carving import piece_key, record_key
from twofold.workflow.orders import Carve, Failure

pytestmark = pytest.mark.usefixtures("small")

Json = dict[str, Any]


@pytest.fixture
def begun(world: World) -> tuple[Operation, Carve]:
    """A distribution whose lines have all been moved, over several shards, with parts, and pieces to be joined."""
    operation = world.begin_distribution(any_manifest(50))
    carve = world.select(operation)
    world.move(operation, carve)
    assembly = world.assembly(carve)
    assert assembly.shards > 3
    assert all(side.upload for side in assembly.sides)
    assert any(side.joins for side in assembly.sides)
    return operation, carve


def require_published(world: World, operation: Operation, before: bytes) -> None:
    train, test = operation.datasets
    lines = before.splitlines()
    kept, moved = (world.manifest(dataset).splitlines() for dataset in (train, test))
    assert sorted(kept + moved) == sorted(lines)
    assert [line for line in lines if line in set(kept)] == kept
    assert [line for line in lines if line in set(moved)] == moved
    assert len(moved) == (2 * len(lines) + 5) // 10
    for dataset, expected in ((train, kept), (test, moved)):
        found = world.dataset(dataset)
        assert found.status is Status.UPDATE_COMPLETE
        assert found.contents is not None
        assert found.contents.entries == len(expected)
        assert found.contents.bytes == len(world.manifest(dataset))
        assert world.index_of(dataset).length.tolist() == [len(line) for line in expected]
    assert operations.active(world.table) == []


def require_unchanged(
    world: World, operation: Operation, carve: Carve, error: type[Exception] = ConservationError
) -> None:
    before = world.state(operation)
    with pytest.raises(error):
        world.publish(operation, carve)
    assert world.state(operation) == before


def test_every_line_ends_in_one_of_both_datasets_in_its_order(
    world: World, begun: tuple[Operation, Carve]
) -> None:
    operation, carve = begun
    before = world.manifest(operation.datasets[0])
    digest = world.dataset(operation.datasets[0]).contents
    assert digest is not None
    world.publish(operation, carve)
    require_published(world, operation, before)
    halves = [world.dataset(dataset).contents for dataset in operation.datasets]
    total = sum(int(half.digest, 16) for half in halves if half)
    assert f"{total % DIGEST_MODULUS:016x}" == digest.digest


@pytest.mark.parametrize("seed", range(3))
def test_shards_may_be_moved_in_any_order_and_more_than_once(world: World, seed: int) -> None:
    manifest = any_manifest(60 + 7 * seed, seed)
    operation = world.begin_distribution(manifest)
    carve = world.select(operation)
    shards = list(world.shards(carve)) * 2
    Random(seed).shuffle(shards)
    world.move(operation, carve, shards)
    world.publish(operation, carve)
    require_published(world, operation, manifest)


def test_the_workflow_may_begin_again_from_any_of_its_states(
    world: World, begun: tuple[Operation, Carve]
) -> None:
    operation, _ = begun
    before = world.manifest(operation.datasets[0])
    carve = world.select(operation)
    world.move(operation, carve)
    world.publish(operation, carve)
    require_published(world, operation, before)


def test_a_missing_record_changes_nothing(world: World, begun: tuple[Operation, Carve]) -> None:
    operation, carve = begun
    for shard in world.shards(carve):
        key = record_key(operation, shard.number)
        record = world.bucket.get(key)
        world.delete(key)
        require_unchanged(world, operation, carve)
        world.bucket.put(key, record)


def with_more_entries(record: Json) -> None:
    record["Sides"][0]["Entries"] += 1


def with_fewer_bytes(record: Json) -> None:
    record["Sides"][0]["Bytes"] -= 1


def with_another_digest(record: Json) -> None:
    record["Sides"][0]["Digest"] = f"{int(record['Sides'][0]['Digest'], 16) ^ 1:016x}"


def of_another_shard(record: Json) -> None:
    record["Number"] += 1


def without_a_side(record: Json) -> None:
    record["Sides"] = []


def without_its_parts(record: Json) -> None:
    record["Sides"][0]["Parts"] = []


@pytest.mark.parametrize(
    "alter",
    [
        with_more_entries,
        with_fewer_bytes,
        with_another_digest,
        of_another_shard,
        without_a_side,
        without_its_parts,
    ],
)
def test_an_altered_record_changes_nothing(
    world: World, begun: tuple[Operation, Carve], alter: Callable[[Json], None]
) -> None:
    operation, carve = begun
    key = record_key(operation, 1)
    record = json.loads(sealed.get(world.bucket, key))
    assert record["Sides"][0]["Parts"]
    alter(record)
    sealed.put(world.bucket, key, json.dumps(record).encode())
    require_unchanged(world, operation, carve)


def test_a_record_that_stands_for_two_shards_changes_nothing(
    world: World, begun: tuple[Operation, Carve]
) -> None:
    operation, carve = begun
    world.bucket.put(record_key(operation, 1), world.bucket.get(record_key(operation, 2)))
    require_unchanged(world, operation, carve, DamagedObjectError)


def test_a_lost_piece_changes_nothing(world: World, begun: tuple[Operation, Carve]) -> None:
    operation, carve = begun
    for number, side in enumerate(world.assembly(carve).sides):
        for join in side.joins:
            key = piece_key(operation, join.shards[-1], number)
            piece = world.bucket.get(key)
            world.delete(key)
            require_unchanged(world, operation, carve)
            world.bucket.put(key, piece)


def test_a_piece_cut_short_changes_nothing(world: World, begun: tuple[Operation, Carve]) -> None:
    operation, carve = begun
    number, side = next(
        (number, side) for number, side in enumerate(world.assembly(carve).sides) if side.joins
    )
    key = piece_key(operation, side.joins[-1].shards[0], number)
    world.bucket.put(key, world.bucket.get(key)[:-1])
    require_unchanged(world, operation, carve, DamagedObjectError)


def test_a_lost_object_of_a_small_dataset_changes_nothing(world: World) -> None:
    operation = world.begin_distribution(any_manifest(6))
    carve = world.select(operation)
    world.move(operation, carve)
    for side in world.assembly(carve).sides:
        assert not side.upload
        written = world.bucket.get(side.key)
        world.delete(side.key)
        require_unchanged(world, operation, carve)
        world.bucket.put(side.key, written)


def test_a_damaged_plan_is_not_followed(world: World) -> None:
    operation = world.begin_distribution(any_manifest(40))
    carve = world.select(operation)
    shard, other, *_ = world.shards(carve)
    plan = bytearray(world.bucket.get(shard.plan_key))
    plan[shard.plan_offset + shard.plan_size - 1] ^= 1
    world.bucket.put(shard.plan_key, plan)
    with pytest.raises(DamagedObjectError):
        world.move(operation, carve, [shard])
    places = {"plan_offset": other.plan_offset, "plan_size": other.plan_size}
    swapped = shard.model_copy(update=places)
    with pytest.raises(DamagedObjectError, match="not as it was given"):
        world.move(operation, carve, [swapped])
    swapped = swapped.sealed(operation)
    with pytest.raises(DamagedObjectError, match="not that of shard 0"):
        world.move(operation, carve, [swapped])


def test_a_manifest_that_was_replaced_is_noticed_at_the_next_step(world: World) -> None:
    operation = world.begin_distribution(any_manifest(40))
    carve = world.select(operation)
    first, *rest = world.shards(carve)
    world.move(operation, carve, [first])
    world.bucket.put(carve.source.key, any_manifest(40, seed=1))
    with pytest.raises(SourceChangedError):
        world.move(operation, carve, rest)
    train = world.dataset(operation.datasets[0])
    with pytest.raises(SourceChangedError):
        world.publish(operation, carve)
    assert world.dataset(operation.datasets[0]) == train


def test_a_manifest_of_another_size_than_the_dataset_had_is_not_distributed(world: World) -> None:
    operation = world.begin_distribution(any_manifest(40))
    assert operation.before is not None
    key = ContentsKeys(operation.before.folder).manifest
    world.bucket.put(key, world.bucket.get(key) + b"{}\n")
    with pytest.raises(DamagedObjectError, match="bytes; the dataset's manifest had"):
        world.select(operation)


def test_a_manifest_with_other_lines_of_the_same_lengths_is_not_published(world: World) -> None:
    operation = world.begin_distribution(any_manifest(40))
    assert operation.before is not None
    key = ContentsKeys(operation.before.folder).manifest
    world.bucket.put(key, world.bucket.get(key).replace(b'"owl"', b'"OWL"', 1))
    carve = world.select(operation)
    world.move(operation, carve)
    require_unchanged(world, operation, carve)


def test_a_second_publish_changes_nothing(world: World, begun: tuple[Operation, Carve]) -> None:
    operation, carve = begun
    world.publish(operation, carve)
    after = world.state(operation)
    world.publish(operation, carve)
    assert world.state(operation) == after


def test_a_publish_that_broke_off_before_the_flip_is_finished_by_the_next(
    world: World, begun: tuple[Operation, Carve], monkeypatch: pytest.MonkeyPatch
) -> None:
    operation, carve = begun
    before = world.manifest(operation.datasets[0])

    def break_off(*_: object) -> None:
        raise TimeoutError

    with monkeypatch.context() as patch:
        patch.setattr(operations, "publish", break_off)
        require_unchanged(world, operation, carve, TimeoutError)
    world.publish(operation, carve)
    require_published(world, operation, before)


def test_a_worker_that_wakes_up_after_the_publish_changes_nothing(
    world: World, begun: tuple[Operation, Carve]
) -> None:
    operation, carve = begun
    world.publish(operation, carve)
    after = world.state(operation)
    for shard in world.shards(carve):
        with suppress(ClientError, KeyError):  # KeyError is how moto says NoSuchUpload
            world.move(operation, carve, [shard])
    assert world.state(operation) == after


def test_what_was_abandoned_is_not_published(world: World, begun: tuple[Operation, Carve]) -> None:
    operation, carve = begun
    train, test = operation.datasets
    contents = world.dataset(train).contents
    end.abandon(world.table, operation, Failure(error="ConservationError"), NOW + 1)
    abandoned = world.state(operation)
    assert world.dataset(train).status is Status.UPDATE_FAILED
    assert (world.dataset(train).contents, world.dataset(test).contents) == (contents, None)
    world.publish(operation, carve)
    assert world.state(operation) == abandoned


def test_what_was_published_is_not_abandoned(world: World, begun: tuple[Operation, Carve]) -> None:
    operation, carve = begun
    world.publish(operation, carve)
    published = world.state(operation)
    end.abandon(world.table, operation, Failure(error="States.Timeout"), NOW + 2)
    assert world.state(operation) == published


def test_a_fault_in_the_page_does_not_fail_the_split(
    world: World,
    begun: tuple[Operation, Carve],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(report: dict[str, Any]) -> str:
        statuses = {world.dataset(dataset).status for dataset in operation.datasets}
        assert statuses == {Status.UPDATE_COMPLETE}
        raise KeyError("labels")

    monkeypatch.setattr(publish, "page", fail)
    operation, carve = begun
    before = world.manifest(operation.datasets[0])
    world.publish(operation, carve)
    require_published(world, operation, before)
    (report,) = world.keys("reports/")
    assert report.endswith("/report.json")
    assert "KeyError: 'labels'" in capsys.readouterr().out


def test_the_report_says_where_the_entries_are(
    world: World, begun: tuple[Operation, Carve]
) -> None:
    operation, carve = begun
    world.publish(operation, carve)
    page, key = sorted(world.keys("reports/"))
    assert (page.endswith("/report.html"), key.endswith("/report.json")) == (True, True)
    assert b"Proven best" in world.bucket.get(page)
    report = json.loads(world.bucket.get(key))
    assert report["operation"] == operation.id
    for dataset in operation.datasets:
        told = report["datasets"][dataset.type.lower()]
        manifest = world.bucket.get(told["manifest"].removeprefix(f"s3://{world.bucket.name}/"))
        assert manifest == world.manifest(dataset)
        assert (told["entries"], told["bytes"]) == (manifest.count(b"\n"), len(manifest))
