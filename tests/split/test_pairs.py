"""Pairs of labels are counted exactly, in time for the pairs that occur."""

import time
from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from twofold.label_sets import compute_offsets
from twofold.split import pairs
from twofold.split.label_matrix import LabelMatrix


def build_matrix(rows: list[list[int]]) -> LabelMatrix:
    labels = np.array([label for row in rows for label in row], dtype=np.int32)
    offsets = compute_offsets(np.array([len(row) for row in rows], dtype=np.int64))
    return LabelMatrix(offsets, labels, np.ones(len(labels), dtype=np.int64))


@pytest.mark.parametrize("label_count", [1, 9, 40])
def test_pairs_are_counted_like_combinations(
    monkeypatch: pytest.MonkeyPatch, label_count: int
) -> None:
    """With several steps of rows, and with labels beyond the paired ones."""
    monkeypatch.setattr(pairs, "PAIRED_LABELS", 20)
    monkeypatch.setattr(pairs, "_STEP_ROWS", 7)
    rng = np.random.default_rng(label_count)
    rows = [
        sorted(rng.choice(label_count, rng.integers(1, label_count + 1), replace=False).tolist())
        for _ in range(50)
    ]
    times = rng.integers(0, 3, len(rows))
    expected: Counter[int] = Counter()
    side = min(label_count, 20)
    for row, count in zip(rows, times.tolist(), strict=True):
        for low, high in combinations(row, 2):
            if high < side:
                expected[low * side + high] += count
    counts = pairs.count_pairs(build_matrix(rows), times, label_count)
    assert counts.tolist() == [expected[code] for code in range(side * side)]


def test_a_row_with_many_labels_takes_time_for_its_pairs_only() -> None:
    """Two million pairs, also if most labels of the row are not paired."""
    rows = [list(range(5_000)), *([label] for label in range(50))]
    times = np.ones(len(rows), dtype=np.int64)
    began = time.process_time()
    counts = pairs.count_pairs(build_matrix(rows), times, 5_000)
    assert time.process_time() - began < 5
    assert counts.sum() == 2_000 * 1_999 // 2
