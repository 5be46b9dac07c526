"""The memory of a selection stays below the estimate, for data of several shapes in separate processes."""

import numpy as np
import pytest

from bench.peak import get_peak_bytes
from tests.support.peak_memory import run_in_process
from twofold.manifest.index.dataset_index import DatasetIndex
from twofold.split import select_test_entries
from twofold.workflow.memory import BASE_BYTES, MemoryEstimate

STEPS = 100
"""Iterations of HiGHS; its memory does not grow after them."""


def sample(
    entries: int, labels: int, labels_per_entry: int, groups: int
) -> tuple[DatasetIndex, np.ndarray | None]:
    """Return an index with a random label set for each entry, and groups (None for 0)."""
    random = np.random.default_rng(entries + labels)
    labels_of_entries = np.sort(
        random.integers(0, labels, (entries, labels_per_entry), np.uint32), axis=1
    )
    index = DatasetIndex(
        length=np.full(entries, 500, np.uint32),
        source=random.integers(0, 1 << 64, entries, np.uint64),
        file_name=np.empty(0, np.uint32),
        label_set=np.arange(entries, dtype=np.uint32),
        flags=np.ones(entries, np.uint8),
        codes=np.empty(0, np.uint16),
        boxes=np.empty(0, np.uint8),
        set_offsets=np.arange(0, entries * labels_per_entry + 1, labels_per_entry, dtype=np.uint32),
        set_labels=labels_of_entries.ravel(),
        names=tuple(f"label-{n}" for n in range(labels)),
    )
    if not groups:
        return index, None
    return index, random.integers(0, 1 << 64, groups, np.uint64)[
        random.integers(0, groups, entries)
    ]


def run_selection(*shape: int) -> tuple[int, int]:
    """Return (peak bytes, estimated bytes) of a process with the selection."""
    index, groups = sample(*shape)
    select_test_entries(
        source=index.source,
        label_set=index.label_set,
        label_sets=index.build_label_sets(),
        groups=groups,
        work_limit=STEPS,
    )
    estimate = MemoryEstimate.from_index(index, selects=True, grouped=groups is not None)
    return get_peak_bytes(), BASE_BYTES + estimate.bytes


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param((2_000, 8_000, 3, 400), id="groups, many labels"),
        pytest.param((1_500, 300, 40, 150), id="groups, many labels of each entry"),
        pytest.param((3_000, 8_000, 3, 0), id="no groups, many labels"),
        pytest.param((20_000, 20, 2, 5_000), id="many groups, few labels"),
    ],
)
def test_a_selection_needs_no_more_than_estimated(shape: tuple[int, int, int, int]) -> None:
    peak, estimated = run_in_process(run_selection, *shape)
    assert peak < estimated
