"""A job too large for the memory is refused at the beginning, with advice."""

import pytest

from tests.support.workflow_harness import LIMITS, WorkflowHarness, make_manifest
from twofold.errors import OperationRefused
from twofold.settings import SOLVER_MEMORY_MB
from twofold.workflow.memory import (
    MemoryEstimate,
    compute_available_bytes,
    estimate_max_entries,
    require_memory,
)
from twofold.workflow.resolve import resolve_ranges
from twofold.workflow.select import select_entries

ADVICE = "at least 101 entries; this deployment has memory for 100 such entries. Deploy it with a larger solver_memory_mb"
BYTES_OF_100 = MemoryEstimate(100).bytes


def test_a_distribution_that_does_not_fit_is_refused(harness: WorkflowHarness) -> None:
    operation = harness.claim_distribution(make_manifest(101))
    with pytest.raises(OperationRefused, match=ADVICE):
        select_entries(harness.bucket, operation, BYTES_OF_100)


def test_a_manifest_that_does_not_fit_is_refused(harness: WorkflowHarness) -> None:
    operation = harness.claim_ingest(make_manifest(101))
    ranges = harness.index_ranges(operation)
    with pytest.raises(
        OperationRefused, match="at least 101 entries; this deployment has memory for 9"
    ):
        resolve_ranges(harness.bucket, operation, ranges, LIMITS, BYTES_OF_100)


def test_a_job_that_just_fits_is_accepted(harness: WorkflowHarness) -> None:
    operation = harness.claim_ingest(make_manifest(100))
    ranges = harness.index_ranges(operation)
    three_labels = MemoryEstimate(100, box_counts=100, set_labels=3).bytes
    with pytest.raises(OperationRefused):
        resolve_ranges(harness.bucket, operation, ranges, LIMITS, three_labels - 1)
    resolve_ranges(harness.bucket, operation, ranges, LIMITS, three_labels)


@pytest.mark.parametrize(
    "addition",
    [
        MemoryEstimate(1),
        MemoryEstimate(0, box_counts=1),
        MemoryEstimate(0, set_labels=1),
        MemoryEstimate(0, grouped_labels=1),
        MemoryEstimate(0, selection_labels=1),
    ],
)
def test_each_quantity_needs_memory(addition: MemoryEstimate) -> None:
    estimate = MemoryEstimate(1_000, 1_000, 1_000, 1_000, 1_000)
    require_memory(estimate, estimate.bytes)
    with pytest.raises(OperationRefused):
        require_memory(estimate + addition, estimate.bytes)


def test_labels_count_where_each_entry_has_a_set_of_its_own_or_groups_stay_whole(
    harness: WorkflowHarness,
) -> None:
    operation = harness.claim_distribution(make_manifest(100))
    labels = len(harness.read_index(operation.datasets[0]).names)
    message = rf"at least 100 entries and {labels} labels; this deployment has memory for \d\d such entries"
    with pytest.raises(OperationRefused, match=message):
        select_entries(
            harness.bucket, operation, MemoryEstimate(100, selection_labels=labels).bytes
        )
    grouped = operation.parameters.model_copy(update={"group_by": "(.)"})  # type: ignore[union-attr]
    with pytest.raises(OperationRefused, match="at least 100 entries"):
        select_entries(
            harness.bucket,
            operation.model_copy(update={"parameters": grouped}),
            MemoryEstimate(100, set_labels=3, grouped_labels=99, selection_labels=labels).bytes,
        )


def test_more_memory_holds_more() -> None:
    assert (
        20_000_000
        < estimate_max_entries(SOLVER_MEMORY_MB)
        < 100_000_000
        < estimate_max_entries(10_240)
    )
    assert MemoryEstimate(estimate_max_entries(10_240)).bytes < compute_available_bytes(10_240)
