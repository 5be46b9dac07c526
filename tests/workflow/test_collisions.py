"""The service's own functions on manifests that were made to make two images one, many ranges and shards of them."""

import json

import pytest

from tests.collisions import colliding
from tests.unit.any_lines import any_class
from tests.workflow.test_grouping import by, ordered
from tests.workflow.test_merging import updated
from tests.workflow.world import World, any_manifest
from twofold.workflow import group


def made(names: list[str], label: str = "cat") -> list[bytes]:
    return [
        json.dumps({"source-ref": name, "a": 1, "a-metadata": any_class(label)}).encode() + b"\n"
        for name in names
    ]


NAMES = colliding(20, "s3://garden/")


@pytest.mark.usefixtures("small")
def test_no_image_is_dropped_and_copies_still_are(world: World) -> None:
    lines = made(NAMES)
    dataset = world.ingested(b"".join([*lines, lines[4], lines[11]]))
    assert world.manifest(dataset.id) == b"".join(lines)
    assert "2 of 22 lines were dropped: line 21" in dataset.status_message


@pytest.mark.usefixtures("small")
def test_an_update_replaces_the_image_that_it_names(world: World) -> None:
    lines = made(NAMES[:15])
    dataset = world.ingested(b"".join(lines))
    (changed,), (new,) = made(NAMES[7:8], "dog"), made(NAMES[15:16])
    updated(world, dataset, changed + new)
    assert world.manifest(dataset.id) == b"".join([*lines[:7], changed, *lines[8:], new])


@pytest.mark.usefixtures("small")
def test_an_update_may_spell_the_scheme_in_either_way(world: World) -> None:
    lines = made([f"{scheme}://garden/{n}" for n, scheme in enumerate(["s3", "S3"] * 8)])
    dataset = world.ingested(b"".join(lines))
    changes = made([f"{scheme}://garden/{n}" for n, scheme in enumerate(["S3", "s3"] * 8)], "dog")
    updated(world, dataset, b"".join(changes))
    assert world.manifest(dataset.id) == b"".join(changes)


@pytest.mark.usefixtures("small")
def test_the_split_is_the_same_in_any_order(world: World) -> None:
    tested = set()
    lines = [*made(NAMES), *any_manifest(40).splitlines(keepends=True)]
    lines = [line.replace(b"s3://garden/", b"s3://b/") for line in lines]
    first = lines[20].split(b"s3://")[1].split(b"/")[0]
    lines = [line.replace(b"s3://b/", b"s3://" + first + b"/") for line in lines]
    for manifest in (lines, lines[::-1]):
        operation = world.begin_distribution(b"".join(manifest))
        carve = world.select(operation)
        world.move(operation, carve)
        world.publish(operation, carve)
        tested.add(frozenset(world.manifest(operation.datasets[1]).splitlines()))
    assert len(tested) == 1


@pytest.mark.usefixtures("small")
def test_groups_stay_apart(world: World) -> None:
    keys = colliding(12, "patient ")
    lines = [
        json.dumps({"source-ref": f"s3://garden/{n}", "patient": keys[n % 12]}).encode() + b"\n"
        for n in range(48)
    ]
    operation = by(world.begin_distribution(b"".join(lines)), "patient")
    found, ranges = ordered(world, operation)
    assert len(ranges) > 3
    for order in ranges:
        group.group(world.bucket, operation, found.source, order)
    groups = group.groups(world.bucket, operation).tolist()
    assert groups == groups[:12] * 4
    assert len(set(groups)) == 12
