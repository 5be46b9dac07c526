import os
import random
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.split.any_data import (
    Entry,
    any_entries,
    chosen,
    deviation,
    entries_of,
    generated,
    seeds,
    split,
)
from tests.split.milp import least_deviation
from twofold.split import Previously, Selection

FIFTH = Fraction(1, 5)
FOLDER = os.environ.get("TWOFOLD_MANIFESTS", "")
REAL = ("emotions-593", "birds-645", "scene-2407") if FOLDER else ()


def sides(entries: list[Entry], before: list[Entry], tested: set[Entry]) -> np.ndarray:
    """A Previously for each entry, from a split of `before` that tested `tested`."""
    known = set(before)
    return np.array(
        [
            Previously.TESTED
            if entry in tested
            else Previously.TRAINED
            if entry in known
            else Previously.NEW
            for entry in entries
        ],
        dtype=np.uint8,
    )


def grown(
    entries: list[Entry], growth: float, seed: int, *, grouped: bool = False
) -> tuple[list[Entry], set[Entry], Selection]:
    """What was split before the growth, what that tested, and the split of all that keeps it."""
    shuffled = np.random.default_rng(seed).permutation(len(entries))
    count = round(len(entries) / (1 + growth))
    if grouped:
        new = {entries[i].group for i in shuffled[: (len(entries) - count) // 5]}
        before = [entry for entry in entries if entry.group not in new]
    else:
        before = [entries[i] for i in sorted(shuffled[:count])]
    tested = chosen(before, split(before, seed=seed, grouped=grouped))
    previous = sides(entries, before, tested)
    return before, tested, split(entries, seed=seed, previous=previous, grouped=grouped)


def left(entries: list[Entry], tested: set[Entry], selection: Selection) -> int:
    return len(tested - chosen(entries, selection))


@pytest.mark.parametrize("growth", [0.01, 0.10])
@pytest.mark.parametrize("labels", [5, 20, 40])
def test_growth_moves_at_most_one_percent_of_the_test_entries(labels: int, growth: float) -> None:
    entries = generated(3000, labels, seed=labels)
    for seed in range(3):
        _, tested, selection = grown(entries, growth, seed)
        assert selection.certificate.optimal
        assert left(entries, tested, selection) <= 0.01 * len(tested)


@pytest.mark.parametrize("growth", [0.01, 0.10])
@pytest.mark.parametrize("name", REAL)
def test_growth_of_real_sets_moves_one_percent_at_most(name: str, growth: float) -> None:
    entries = entries_of(Path(FOLDER) / f"{name}.manifest")
    for seed in range(5):
        _, tested, selection = grown(entries, growth, seed)
        assert selection.certificate.optimal
        assert left(entries, tested, selection) <= 0.01 * len(tested)


def test_groups_stay_where_they_are_when_others_come() -> None:
    entries = generated(3000, 20, seed=3, group_size=5)
    _, tested, selection = grown(entries, 0.05, 1, grouped=True)
    certificate = selection.certificate
    assert certificate.reached == certificate.reachable
    assert certificate.optimal
    assert left(entries, tested, selection) <= 0.02 * len(tested)
    test_groups = {entry.group for entry in chosen(entries, selection)}
    assert test_groups.isdisjoint(
        entry.group for entry in set(entries) - chosen(entries, selection)
    )


def test_more_entries_than_are_always_open_are_kept_too() -> None:
    entries = generated(30_000, 60, seed=2)
    _, tested, selection = grown(entries, 0.01, 0)
    assert selection.certificate.optimal
    assert left(entries, tested, selection) <= 0.01 * len(tested)


@settings(max_examples=60, deadline=None)
@given(any_entries(), st.data(), st.sampled_from([FIFTH, Fraction(1, 3), Fraction(1, 2)]), seeds)
def test_the_optimum_is_the_same_whatever_was_before(
    entries: list[Entry], data: st.DataObject, fraction: Fraction, seed: int
) -> None:
    ranks = st.sampled_from(list(Previously))
    previous = np.array([data.draw(ranks) for _ in entries], dtype=np.uint8)
    selection = split(entries, fraction=fraction, seed=seed, previous=previous)
    certificate = selection.certificate
    assert certificate.reached == certificate.wanted
    assert certificate.optimal
    best = least_deviation(entries, fraction, certificate.wanted)
    assert float(certificate.deviation) == pytest.approx(best, abs=1e-3)
    assert certificate.deviation == deviation(entries, chosen(entries, selection), fraction)


@given(any_entries(), st.data(), seeds, st.randoms(use_true_random=False))
def test_the_order_of_entries_does_not_matter_to_a_split_that_keeps_another(
    entries: list[Entry], data: st.DataObject, seed: int, shuffler: random.Random
) -> None:
    ranks = {entry: data.draw(st.sampled_from(list(Previously))) for entry in entries}
    shuffled = shuffler.sample(entries, len(entries))
    first, second = (
        split(order, seed=seed, previous=np.array([ranks[e] for e in order], dtype=np.uint8))
        for order in (entries, shuffled)
    )
    assert chosen(entries, first) == chosen(shuffled, second)
    assert first.report() == second.report()


@given(any_entries(), seeds, seeds)
def test_nothing_moves_when_nothing_has_changed(
    entries: list[Entry], seed: int, other: int
) -> None:
    tested = chosen(entries, split(entries, seed=seed))
    again = split(entries, seed=other, previous=sides(entries, entries, tested))
    assert chosen(entries, again) == tested
    assert again.overlap
    assert (again.overlap.left, again.overlap.entered, again.overlap.new) == (0, 0, 0)


def test_the_report_counts_what_changed_sides() -> None:
    entries = generated(400, 6, seed=1)
    before, tested, selection = grown(entries, 0.3, 2)
    report = selection.report()["previous"]
    now = chosen(entries, selection)
    assert report == {
        "testEntries": len(tested),
        "trainEntries": len(before) - len(tested),
        "newEntries": len(entries) - len(before),
        "leftTest": len(tested - now),
        "enteredTest": len(now & (set(before) - tested)),
    }


def test_previous_sides_that_are_too_few_are_named() -> None:
    with pytest.raises(ValueError, match="2 sources and 1 previous sides"):
        split([Entry(1, frozenset()), Entry(2, frozenset())], previous=np.zeros(1, np.uint8))
