import os
import random
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.split.entries import (
    Entry,
    compute_deviation,
    draw_entries,
    generate_entries,
    read_entries,
    seeds,
    select_test_set,
    split_entries,
)
from tests.split.milp import solve_least_deviation
from twofold.split import PreviousSide, Selection

FIFTH = Fraction(1, 5)
FOLDER = os.environ.get("TWOFOLD_MANIFESTS", "")
REAL = ("emotions-593", "birds-645", "scene-2407") if FOLDER else ()


def list_previous_sides(
    entries: list[Entry], before: list[Entry], test_set: set[Entry]
) -> np.ndarray:
    """The PreviousSide of each entry, for a split of `before` with the test set `test_set`."""
    known_entries = set(before)
    return np.array(
        [
            PreviousSide.TEST
            if entry in test_set
            else PreviousSide.TRAINING
            if entry in known_entries
            else PreviousSide.NEW
            for entry in entries
        ],
        dtype=np.uint8,
    )


def split_grown_dataset(
    entries: list[Entry], growth: float, seed: int, *, grouped: bool = False
) -> tuple[list[Entry], set[Entry], Selection]:
    """Split a part of the entries, then all entries with the first split as the previous split.

    Returns the entries of the part, the test set of the part, and the split of all entries.
    """
    shuffled = np.random.default_rng(seed).permutation(len(entries))
    count = round(len(entries) / (1 + growth))
    if grouped:
        new = {entries[i].group for i in shuffled[: (len(entries) - count) // 5]}
        before = [entry for entry in entries if entry.group not in new]
    else:
        before = [entries[i] for i in sorted(shuffled[:count])]
    test_set = select_test_set(before, split_entries(before, seed=seed, grouped=grouped))
    previous = list_previous_sides(entries, before, test_set)
    return before, test_set, split_entries(entries, seed=seed, previous=previous, grouped=grouped)


def count_left_entries(entries: list[Entry], test_set: set[Entry], selection: Selection) -> int:
    return len(test_set - select_test_set(entries, selection))


@pytest.mark.parametrize("growth", [0.01, 0.10])
@pytest.mark.parametrize("labels", [5, 20, 40])
def test_growth_moves_at_most_one_percent_of_the_test_entries(labels: int, growth: float) -> None:
    entries = generate_entries(3000, labels, seed=labels)
    for seed in range(3):
        _, test_set, selection = split_grown_dataset(entries, growth, seed)
        assert selection.certificate.optimal
        assert count_left_entries(entries, test_set, selection) <= 0.01 * len(test_set)


@pytest.mark.parametrize("growth", [0.01, 0.10])
@pytest.mark.parametrize("name", REAL)
def test_growth_of_real_sets_moves_one_percent_at_most(name: str, growth: float) -> None:
    entries = read_entries(Path(FOLDER) / f"{name}.manifest")
    for seed in range(5):
        _, test_set, selection = split_grown_dataset(entries, growth, seed)
        assert selection.certificate.optimal
        assert count_left_entries(entries, test_set, selection) <= 0.01 * len(test_set)


def test_groups_keep_their_side_when_new_groups_are_added() -> None:
    entries = generate_entries(3000, 20, seed=3, group_size=5)
    _, test_set, selection = split_grown_dataset(entries, 0.05, 1, grouped=True)
    certificate = selection.certificate
    assert certificate.reached == certificate.reachable
    assert certificate.optimal
    assert count_left_entries(entries, test_set, selection) <= 0.02 * len(test_set)
    test_groups = {entry.group for entry in select_test_set(entries, selection)}
    assert test_groups.isdisjoint(
        entry.group for entry in set(entries) - select_test_set(entries, selection)
    )


def test_entries_outside_the_window_keep_their_side_too() -> None:
    entries = generate_entries(30_000, 60, seed=2)
    _, test_set, selection = split_grown_dataset(entries, 0.01, 0)
    assert selection.certificate.optimal
    assert count_left_entries(entries, test_set, selection) <= 0.01 * len(test_set)


@settings(max_examples=60, deadline=None)
@given(draw_entries(), st.data(), st.sampled_from([FIFTH, Fraction(1, 3), Fraction(1, 2)]), seeds)
def test_the_optimum_is_the_same_for_any_previous_split(
    entries: list[Entry], data: st.DataObject, fraction: Fraction, seed: int
) -> None:
    ranks = st.sampled_from(list(PreviousSide))
    previous = np.array([data.draw(ranks) for _ in entries], dtype=np.uint8)
    selection = split_entries(entries, fraction=fraction, seed=seed, previous=previous)
    certificate = selection.certificate
    assert certificate.reached == certificate.wanted
    assert certificate.optimal
    best = solve_least_deviation(entries, fraction, certificate.wanted)
    assert float(certificate.deviation) == pytest.approx(best, abs=1e-3)
    assert certificate.deviation == compute_deviation(
        entries, select_test_set(entries, selection), fraction
    )


@given(draw_entries(), st.data(), seeds, st.randoms(use_true_random=False))
def test_the_order_of_entries_does_not_matter_with_a_previous_split(
    entries: list[Entry], data: st.DataObject, seed: int, shuffler: random.Random
) -> None:
    ranks = {entry: data.draw(st.sampled_from(list(PreviousSide))) for entry in entries}
    shuffled = shuffler.sample(entries, len(entries))
    first, second = (
        split_entries(
            order, seed=seed, previous=np.array([ranks[e] for e in order], dtype=np.uint8)
        )
        for order in (entries, shuffled)
    )
    assert select_test_set(entries, first) == select_test_set(shuffled, second)
    assert first.build_report() == second.build_report()


@given(draw_entries(), seeds, seeds)
def test_no_entry_moves_if_no_entry_has_changed(
    entries: list[Entry], seed: int, other: int
) -> None:
    test_set = select_test_set(entries, split_entries(entries, seed=seed))
    again = split_entries(
        entries, seed=other, previous=list_previous_sides(entries, entries, test_set)
    )
    assert select_test_set(entries, again) == test_set
    assert again.overlap
    assert (again.overlap.left_test, again.overlap.entered_test, again.overlap.new) == (0, 0, 0)


def test_the_report_counts_entries_that_change_sides() -> None:
    entries = generate_entries(400, 6, seed=1)
    before, test_set, selection = split_grown_dataset(entries, 0.3, 2)
    report = selection.build_report()["previous"]
    now = select_test_set(entries, selection)
    assert report == {
        "testEntries": len(test_set),
        "trainEntries": len(before) - len(test_set),
        "newEntries": len(entries) - len(before),
        "leftTest": len(test_set - now),
        "enteredTest": len(now & (set(before) - test_set)),
    }


def test_previous_sides_that_are_too_few_are_named() -> None:
    with pytest.raises(ValueError, match="2 sources and 1 previous sides"):
        split_entries(
            [Entry(1, frozenset()), Entry(2, frozenset())], previous=np.zeros(1, np.uint8)
        )
