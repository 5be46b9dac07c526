"""Group: groups do not depend on the byte ranges, and a lost range fails the selection."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.support.workflow_harness import LIMITS, WorkflowHarness, make_manifest
from twofold.errors import ConservationError, DamagedObjectError, OperationRefused
from twofold.manifest.grouping.group_by import GroupBy
from twofold.manifest.index.source_hashes import hash_source_ref
from twofold.records import Operation, SplitParameters
from twofold.stores.keys import ContentsKeys
from twofold.workflow import group
from twofold.workflow.messages import RANGE_TASKS, RangeTask, SourceRanges
from twofold.workflow.plan import plan_ranges

EXPRESSION = r"images/(\d)"


def with_group_by(operation: Operation, expression: str) -> Operation:
    return operation.model_copy(update={"parameters": SplitParameters(group_by=expression)})


def plan_range_tasks(
    harness: WorkflowHarness, operation: Operation
) -> tuple[SourceRanges, tuple[RangeTask, ...]]:
    ranges = plan_ranges(harness.bucket, operation, LIMITS)
    return ranges, RANGE_TASKS.validate_json(harness.bucket.get(ranges.tasks.key))


@pytest.mark.usefixtures("small_sizes")
def test_each_entry_has_the_group_of_its_line_in_the_order_of_the_index(
    harness: WorkflowHarness,
) -> None:
    manifest = make_manifest(60)
    operation = with_group_by(harness.claim_distribution(manifest), EXPRESSION)
    ranges, tasks = plan_range_tasks(harness, operation)
    assert len(tasks) > 3
    for task in tasks:
        group.group_range(harness.bucket, operation, ranges.source, task)
    key = GroupBy.parse(EXPRESSION).extract_key
    expected = [hash_source_ref(key(line))[0] for line in manifest.splitlines()]
    assert np.array_equal(
        group.read_groups(harness.bucket, operation), np.array(expected, np.uint64)
    )


@pytest.mark.usefixtures("small_sizes")
def test_lines_without_a_group_are_counted_and_numbered_through_all_ranges(
    harness: WorkflowHarness,
) -> None:
    operation = with_group_by(harness.claim_distribution(make_manifest(60)), r"images/(1\d)")
    ranges, tasks = plan_range_tasks(harness, operation)
    for task in tasks:
        group.group_range(harness.bucket, operation, ranges.source, task)
    with pytest.raises(OperationRefused, match=r"50 entries have no group .* line 1: .* line 3: "):
        group.read_groups(harness.bucket, operation)


@pytest.mark.usefixtures("small_sizes")
def test_a_range_that_was_not_grouped_fails_the_selection(harness: WorkflowHarness) -> None:
    operation = with_group_by(harness.claim_distribution(make_manifest(60)), EXPRESSION)
    ranges, tasks = plan_range_tasks(harness, operation)
    for task in tasks[1:]:
        group.group_range(harness.bucket, operation, ranges.source, task)
    with pytest.raises(ConservationError, match="A range was not grouped"):
        harness.select_entries(operation)


DAMAGED = {
    "reversed": lambda items: items[::-1],
    "one repeated, another missing": lambda items: [items[0], *items[:1], *items[2:]],
    "one missing": lambda items: items[:-1],
    "not a list": lambda items: {},
}


@pytest.mark.usefixtures("small_sizes")
@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)
def test_an_altered_list_of_ranges_fails_the_selection(
    harness: WorkflowHarness, damage: Callable[[list[Any]], Any]
) -> None:
    operation = with_group_by(harness.claim_distribution(make_manifest(60)), EXPRESSION)
    ranges, tasks = plan_range_tasks(harness, operation)
    for task in tasks:
        group.group_range(harness.bucket, operation, ranges.source, task)
    items = json.loads(harness.bucket.get(ranges.tasks.key))
    harness.bucket.put(ranges.tasks.key, json.dumps(damage(items)).encode())
    with pytest.raises((DamagedObjectError, ConservationError)):
        harness.select_entries(operation)


@pytest.mark.usefixtures("small_sizes")
def test_a_damaged_manifest_is_reported_as_damage_and_not_as_lines_without_a_group(
    harness: WorkflowHarness,
) -> None:
    operation = with_group_by(harness.claim_distribution(make_manifest(60)), EXPRESSION)
    assert operation.before
    key = ContentsKeys(operation.before.folder).manifest
    harness.bucket.put(key, harness.bucket.get(key).replace(b"{", b"[", 1))
    ranges, tasks = plan_range_tasks(harness, operation)
    for task in tasks:
        group.group_range(harness.bucket, operation, ranges.source, task)
    with pytest.raises(DamagedObjectError, match="do not match their digest"):
        group.read_groups(harness.bucket, operation)
