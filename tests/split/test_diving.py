"""Dives: better than swaps on groups with many labels, exact in size, bounded by steps, the same for any order of entries."""

import random
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings

from tests.split.entries import (
    Entry,
    compute_deviation,
    draw_entries,
    fractions,
    generate_entries,
    seeds,
    split_entries,
)
from tests.split.milp import solve_least_deviation
from twofold.split import allocation, solver
from twofold.split.highs import HighsSolver, MipModel

HARD = generate_entries(2_000, 60, seed=6, group_size=10)


@pytest.fixture(autouse=True, scope="module")
def large_windows() -> Iterator[None]:
    """All programmes are too large, no part of a programme is solved, and there is one dive."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solver, "MAX_VALUES", 0)
        patch.setattr(allocation, "MAX_VALUES", 0)
        patch.setattr(allocation, "PART_VALUES", ())
        patch.setattr(allocation, "DIVE_PARTS", (40,))
        yield


def test_dives_come_nearer_to_the_floor_than_swaps(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = generate_entries(8_000, 60, seed=6, group_size=10)
    dived = split_entries(entries, grouped=True).certificate
    monkeypatch.setattr(allocation, "DIVE_PARTS", ())
    swapped = split_entries(entries, grouped=True).certificate
    assert dived.deviation < swapped.deviation
    assert dived.reached == swapped.reached == dived.reachable


@settings(max_examples=25, deadline=None)
@given(draw_entries(), fractions, seeds)
def test_a_dive_keeps_the_size_and_is_no_better_than_the_optimum(
    entries: list[Entry], fraction: Fraction, seed: int
) -> None:
    for grouped in (False, True):
        selection = split_entries(entries, fraction=fraction, seed=seed, grouped=grouped)
        certificate = selection.certificate
        assert certificate.reached == certificate.reachable
        deviation = compute_deviation(entries, selection.test_mask.tolist(), fraction)
        assert certificate.deviation == deviation
        least = solve_least_deviation(entries, fraction, certificate.reached, grouped=grouped)
        assert float(certificate.lower_bound) - 1e-3 <= least <= float(deviation) + 1e-3


def test_the_order_of_entries_does_not_matter() -> None:
    shuffled = random.Random(1).sample(HARD, len(HARD))
    test_sets = [
        {entry.source for entry, test in zip(order, selection.test_mask, strict=True) if test}
        for order in (HARD, shuffled)
        for selection in [split_entries(order, grouped=True)]
    ]
    assert test_sets[0] == test_sets[1]


def test_iterations_are_taken_from_the_budget() -> None:
    # Minimize -y0 - y1 subject to y0 + y1 <= 1.
    model = MipModel(
        cost=-np.ones(2),
        upper=np.ones(2),
        integral=np.ones(2, dtype=np.bool_),
        row=np.zeros(2, dtype=np.int64),
        column=np.arange(2),
        value=np.ones(2),
        row_lower=np.array([-np.inf]),
        row_upper=np.ones(1),
    )
    highs = HighsSolver(work_limit=2)
    relaxation = highs.relax(model)
    values = relaxation.solve()
    assert values is not None
    assert values.sum() == pytest.approx(1.0)
    relaxation.fix(np.array([0]), np.zeros(1))
    assert relaxation.solve() == pytest.approx([0.0, 1.0])
    highs.remaining = 0
    assert relaxation.solve() is None


def test_a_relaxation_without_a_solution_has_none() -> None:
    model = MipModel(
        cost=np.ones(1),
        upper=np.ones(1),
        integral=np.ones(1, dtype=np.bool_),
        row=np.zeros(1, dtype=np.int64),
        column=np.zeros(1, dtype=np.int64),
        value=np.ones(1),
        row_lower=np.full(1, 2.0),
        row_upper=np.full(1, np.inf),
    )
    assert HighsSolver().relax(model).solve() is None
