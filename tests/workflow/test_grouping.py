"""Groups are found range by range, whatever the ranges, and a range that is lost is noticed."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.workflow.world import World, any_manifest
from twofold.errors import ConservationError, DamagedObjectError, OperationRefused
from twofold.manifest.groups import GroupBy
from twofold.manifest.index import source_hash
from twofold.records import Operation, SplitParameters
from twofold.stores.keys import ContentsKeys
from twofold.workflow import group
from twofold.workflow.orders import RANGE_LIST, RangeOrder, Ranges

EXPRESSION = r"images/(\d)"


def by(operation: Operation, expression: str) -> Operation:
    return operation.model_copy(update={"parameters": SplitParameters(group_by=expression)})


def ordered(world: World, operation: Operation) -> tuple[Ranges, tuple[RangeOrder, ...]]:
    found = group.plan(world.bucket, operation)
    return found, RANGE_LIST.validate_json(world.bucket.get(found.shards.key))


@pytest.mark.usefixtures("small")
def test_each_entry_has_the_group_of_its_line_in_the_order_of_the_index(world: World) -> None:
    manifest = any_manifest(60)
    operation = by(world.begin_distribution(manifest), EXPRESSION)
    found, ranges = ordered(world, operation)
    assert len(ranges) > 3
    for order in ranges:
        group.group(world.bucket, operation, found.source, order)
    key = GroupBy.of(EXPRESSION).key
    expected = [source_hash(key(line))[0] for line in manifest.splitlines()]
    assert np.array_equal(group.groups(world.bucket, operation), np.array(expected, np.uint64))


@pytest.mark.usefixtures("small")
def test_lines_without_a_group_are_counted_and_numbered_through_all_ranges(world: World) -> None:
    operation = by(world.begin_distribution(any_manifest(60)), r"images/(1\d)")
    found, ranges = ordered(world, operation)
    for order in ranges:
        group.group(world.bucket, operation, found.source, order)
    with pytest.raises(OperationRefused, match=r"50 entries have no group .* line 1: .* line 3: "):
        group.groups(world.bucket, operation)


@pytest.mark.usefixtures("small")
def test_a_range_that_was_not_grouped_fails_the_selection(world: World) -> None:
    operation = by(world.begin_distribution(any_manifest(60)), EXPRESSION)
    found, ranges = ordered(world, operation)
    for order in ranges[1:]:
        group.group(world.bucket, operation, found.source, order)
    with pytest.raises(ConservationError, match="A range was not grouped"):
        world.select(operation)


DAMAGED = {
    "turned round": lambda items: items[::-1],
    "one twice, another missing": lambda items: [items[0], *items[:1], *items[2:]],
    "one missing": lambda items: items[:-1],
    "no list": lambda items: {},
}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)
def test_a_list_of_ranges_that_is_not_as_planned_fails_the_selection(
    world: World, damage: Callable[[list[Any]], Any]
) -> None:
    operation = by(world.begin_distribution(any_manifest(60)), EXPRESSION)
    found, ranges = ordered(world, operation)
    for order in ranges:
        group.group(world.bucket, operation, found.source, order)
    items = json.loads(world.bucket.get(found.shards.key))
    world.bucket.put(found.shards.key, json.dumps(damage(items)).encode())
    with pytest.raises((DamagedObjectError, ConservationError)):
        world.select(operation)


@pytest.mark.usefixtures("small")
def test_a_damaged_manifest_is_told_as_such_and_not_as_lines_without_a_group(world: World) -> None:
    operation = by(world.begin_distribution(any_manifest(60)), EXPRESSION)
    assert operation.before
    key = ContentsKeys(operation.before.folder).manifest
    world.bucket.put(key, world.bucket.get(key).replace(b"{", b"[", 1))
    found, ranges = ordered(world, operation)
    for order in ranges:
        group.group(world.bucket, operation, found.source, order)
    with pytest.raises(DamagedObjectError, match="manifest is not as it was written"):
        group.groups(world.bucket, operation)
