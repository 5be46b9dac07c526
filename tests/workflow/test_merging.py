"""Updates in the workflow's own functions: many shards, equal hashes, faults on the way."""

from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workflow.world import LIMITS, NOW, World, any_manifest, entry_line
from twofold.errors import ConservationError, OperationRefused
from twofold.manifest import pieces
from twofold.manifest.index import source_digest
from twofold.manifest.lines import list_entry
from twofold.quotas import Limits
from twofold.records import Dataset, DatasetType, Operation, OperationKind, Status
from twofold.stores import keys, sealed
from twofold.stores.table import operations
from twofold.workflow.merge import merge_changes
from twofold.workflow.move import move
from twofold.workflow.orders import Carve

shared = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def begin_update(world: World, dataset: Dataset, changes: bytes) -> Operation:
    operation = Operation(
        id=uuid4().hex,
        kind=OperationKind.UPDATE,
        datasets=(dataset.id,),
        created=NOW,
        before=dataset.contents,
    )
    sealed.put(world.bucket, keys.changes(operation.id), changes)
    assert operations.claim(world.table, operation, (dataset,), NOW)
    return operation


def merged(world: World, operation: Operation, bounds: Limits = LIMITS) -> Carve:
    return merge_changes(world.bucket, operation, bounds)


def updated(world: World, dataset: Dataset, changes: bytes) -> Dataset:
    operation = begin_update(world, dataset, changes)
    carve = merged(world, operation)
    world.move(operation, carve)
    world.publish(operation, carve)
    return world.dataset(dataset.id)


def ref(line: bytes) -> bytes:
    return line.split(b'"')[3]


def applied(manifest: bytes, changes: list[bytes]) -> bytes:
    lines = {ref(line): line for line in manifest.splitlines(keepends=True)}
    return b"".join((lines | {ref(line): line for line in changes}).values())


def change(manifest: bytes, number: int, label: str) -> bytes:
    """A new line for the entry `number` of a manifest."""
    old = ref(manifest.splitlines()[number]).decode().removeprefix("s3://images/")
    return entry_line(number, old.removeprefix(str(number)).removesuffix(".jpg"), label)


@given(
    count=st.integers(0, 30),
    seed=st.integers(0, 9),
    replaced=st.sets(st.integers(0, 29)),
    added=st.integers(0, 9),
    shuffle=st.randoms(use_true_random=False),
)
@shared
def test_an_update_of_many_shards_is_the_update_of_the_lines(
    world: World,
    small: None,
    count: int,
    seed: int,
    replaced: set[int],
    added: int,
    shuffle: object,
) -> None:
    manifest = any_manifest(count, seed)
    project = world.project()
    dataset = (
        world.ingested(manifest, project) if count else world.empty(project, DatasetType.TRAIN)
    )
    changes = [change(manifest, number, "roc") for number in sorted(replaced) if number < count]
    changes += [entry_line(100 + number, "y" * 7 * number, "auk") for number in range(added + 1)]
    shuffle.shuffle(changes)  # type: ignore[attr-defined]
    after = updated(world, dataset, b"".join(changes))
    assert after.status is Status.UPDATE_COMPLETE
    assert world.manifest(dataset.id) == applied(manifest, changes)
    assert after.contents is not None
    fresh = world.ingested(applied(manifest, changes)).contents
    assert fresh is not None
    same = {"folder": after.contents.folder, "index": after.contents.index}
    assert fresh.model_copy(update=same) == after.contents
    assert world.index_of(dataset.id).length.sum() + after.contents.entries == after.contents.bytes


def test_listed_lines_sent_back_leave_every_byte_as_it_was(world: World, small: None) -> None:
    manifest = any_manifest(40)
    dataset = world.ingested(manifest)
    listed = "".join(f"{list_entry(line)}\n" for line in manifest.splitlines())
    after = updated(world, dataset, listed.encode())
    assert world.manifest(dataset.id) == manifest
    assert dataset.contents is not None
    assert after.contents is not None
    assert after.contents.digest == dataset.contents.digest


def test_equal_hashes_do_not_make_two_images_one(
    world: World, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        pieces, "source_digest", lambda name: bytes([source_digest(name)[15] % 3] * 16)
    )
    manifest = any_manifest(30)
    dataset = world.ingested(manifest)
    changes = [change(manifest, number, "roc") for number in (3, 17)]
    changes += [entry_line(200, "", "auk"), entry_line(201, "", "auk")]
    updated(world, dataset, b"".join(changes))
    assert world.manifest(dataset.id) == applied(manifest, changes)
    again = [entry_line(201, "", "kea")]
    updated(world, world.dataset(dataset.id), b"".join(again))
    assert world.manifest(dataset.id) == applied(manifest, changes + again)


def test_a_repeated_step_writes_the_same_and_a_second_publish_changes_nothing(
    world: World, small: None
) -> None:
    dataset = world.ingested(any_manifest(40))
    operation = begin_update(world, dataset, entry_line(7, "new", "auk"))
    first = merged(world, operation)
    shards = world.shards(first)
    assert len(shards) > 2
    world.move(operation, first, reversed(shards))
    world.move(operation, first, shards[:2])
    world.publish(operation, first)
    seen = world.state(operation)
    world.publish(operation, first)
    assert world.state(operation) == seen


def test_an_update_with_a_lost_shard_changes_nothing(world: World, small: None) -> None:
    dataset = world.ingested(any_manifest(40))
    operation = begin_update(world, dataset, entry_line(7, "new", "auk"))
    carve = merged(world, operation)
    for shard in world.shards(carve)[1:]:
        move(world.bucket, operation, carve.source, shard)
    seen = world.state(operation)
    with pytest.raises(ConservationError):
        world.publish(operation, carve)
    assert world.state(operation) == seen


def test_dropped_lines_of_an_update_are_kept_beside_the_manifest(world: World) -> None:
    dataset = world.ingested(any_manifest(3))
    good = b"".join(entry_line(100 + number, "", "auk") for number in range(4))
    after = updated(world, dataset, good + b"{broken\n")
    assert "1 of 5 lines were dropped: line 5: ERROR_INVALID_JSON_LINE" in after.status_message
    assert after.contents is not None
    place = keys.ContentsKeys(after.contents.folder)
    assert world.bucket.get(place.rejected_lines) == b"{broken\n"
    assert b'"line": 5' in world.bucket.get(place.rejected_reasons)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"manifest_lines": 4}, "too many rows"),
        ({"manifest_bytes": 1_000}, "exceeds the maximum supported size"),
        ({"labels": 3}, "too many labels"),
    ],
)
def test_totals_count_what_is_there_and_what_comes(
    world: World, bounds: dict[str, int], message: str
) -> None:
    usual = {name: getattr(LIMITS, name) for name in LIMITS.__dataclass_fields__}
    dataset = world.ingested(any_manifest(4))
    operation = begin_update(world, dataset, entry_line(100, "", "auk"))
    with pytest.raises(OperationRefused, match=message):
        merged(world, operation, Limits(**usual | bounds))
