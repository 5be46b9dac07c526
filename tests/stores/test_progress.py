"""Progress is counted from the objects of workers."""

import pytest

from tests.support.workflow_harness import LIMITS, WorkflowHarness, make_manifest
from twofold.stores.progress import read_progress
from twofold.workflow.index import index_range
from twofold.workflow.messages import RANGE_TASKS
from twofold.workflow.plan import plan_ranges
from twofold.workflow.resolve import resolve_ranges


@pytest.mark.usefixtures("small_sizes")
def test_each_finished_range_and_shard_counts(harness: WorkflowHarness) -> None:
    operation = harness.claim_ingest(make_manifest(60))
    assert read_progress(harness.bucket, operation.id) is None
    ranges = plan_ranges(harness.bucket, operation, LIMITS)
    tasks = RANGE_TASKS.validate_json(harness.bucket.get(ranges.tasks.key))
    for number, task in enumerate(tasks):
        progress = read_progress(harness.bucket, operation.id)
        assert progress is not None
        assert (progress.step, progress.done, progress.total) == ("INDEX", number, len(tasks))
        assert progress.message == f"Read {number} of {len(tasks)} parts of the manifest."
        index_range(harness.bucket, operation, task)
    plan = resolve_ranges(harness.bucket, operation, ranges, LIMITS)
    shards = harness.read_move_tasks(plan)
    assert len(shards) > 1
    for number, shard in enumerate(shards):
        progress = read_progress(harness.bucket, operation.id)
        assert progress is not None
        assert progress.message == f"Moved {number} of {len(shards)} shards."
        harness.move_shards(operation, plan, [shard])


@pytest.mark.usefixtures("small_sizes")
@pytest.mark.parametrize("damaged", [b"", b"[", b"5", b"null"])
def test_a_damaged_list_of_ranges_has_no_progress(harness: WorkflowHarness, damaged: bytes) -> None:
    operation = harness.claim_ingest(make_manifest(60))
    ranges = plan_ranges(harness.bucket, operation, LIMITS)
    harness.bucket.put(ranges.tasks.key, damaged)
    assert read_progress(harness.bucket, operation.id) is None
