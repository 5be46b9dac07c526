import itertools
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.split.entries import (
    Entry,
    compute_deviation,
    draw_entries,
    fractions,
    seeds,
    select_test_set,
    split_entries,
)
from tests.split.milp import solve_least_deviation
from twofold.split.subset_sum import find_nearest_sum

FIFTH = Fraction(1, 5)


def find_group_sums(entries: list[Entry]) -> set[int]:
    """All numbers of entries that whole groups add up to, by exhaustive search."""
    reachable = {0}
    for group in {entry.group for entry in entries}:
        size = sum(entry.group == group for entry in entries)
        reachable |= {total + size for total in reachable}
    return reachable


@given(draw_entries(), fractions, seeds)
def test_no_group_is_on_both_sides_and_the_count_is_the_nearest_reachable(
    entries: list[Entry], fraction: Fraction, seed: int
) -> None:
    selection = split_entries(entries, grouped=True, fraction=fraction, seed=seed)
    test_groups = {entry.group for entry in select_test_set(entries, selection)}
    train = set(entries) - select_test_set(entries, selection)
    assert test_groups.isdisjoint(entry.group for entry in train)
    wanted = int(fraction * len(entries) + Fraction(1, 2))
    nearest = min(find_group_sums(entries), key=lambda total: (abs(total - wanted), total))
    assert selection.certificate.wanted == wanted
    assert selection.certificate.reachable == selection.certificate.reached == nearest
    assert selection.test_mask.sum() == nearest


@settings(max_examples=60, deadline=None)
@given(draw_entries(), st.sampled_from([FIFTH, Fraction(1, 3), Fraction(1, 2)]))
def test_grouped_deviation_is_the_optimum_of_an_independent_programme(
    entries: list[Entry], fraction: Fraction
) -> None:
    selection = split_entries(entries, grouped=True, fraction=fraction)
    certificate = selection.certificate
    assert certificate.deviation == compute_deviation(
        entries, select_test_set(entries, selection), fraction
    )
    best = solve_least_deviation(entries, fraction, certificate.reached, grouped=True)
    assert certificate.optimal
    assert float(certificate.deviation) == pytest.approx(best, abs=1e-3)


@given(draw_entries(), seeds, st.randoms(use_true_random=False))
def test_the_order_of_grouped_entries_does_not_matter(
    entries: list[Entry], seed: int, shuffler: random.Random
) -> None:
    first = split_entries(entries, grouped=True, seed=seed)
    shuffled = shuffler.sample(entries, len(entries))
    second = split_entries(shuffled, grouped=True, seed=seed)
    assert select_test_set(entries, first) == select_test_set(shuffled, second)
    assert first.build_report() == second.build_report()


def test_with_one_giant_group_the_size_is_the_nearest_sum_of_the_others() -> None:
    entries = [Entry(i, frozenset(["ant"]), group=0) for i in range(95)]
    entries += [Entry(100 + i, frozenset(["ant"]), group=1 + i // 3) for i in range(5)]
    certificate = split_entries(entries, grouped=True).certificate
    assert (certificate.wanted, certificate.reached) == (20, 5)
    assert certificate.optimal


def test_thousands_of_small_groups_cost_no_balance() -> None:
    shuffler = np.random.default_rng(5)
    entries = [
        Entry(int(source), frozenset(f"l{j}" for j in range(12) if shuffler.random() < 0.2), i // 3)
        for i, source in enumerate(shuffler.integers(0, 1 << 63, size=6000))
    ]
    certificate = split_entries(entries, grouped=True).certificate
    assert certificate.reached == certificate.wanted
    assert certificate.proof == "integrality floor"


def test_large_groups_are_balanced_better_than_by_chance() -> None:
    shuffler = np.random.default_rng(6)
    habits = shuffler.random((30, 4))
    entries = [
        Entry(
            i, frozenset(f"l{j}" for j in range(4) if shuffler.random() < habits[i % 30, j]), i % 30
        )
        for i in range(600)
    ]
    certificate = split_entries(entries, grouped=True).certificate
    assert certificate.reached == certificate.wanted
    by_chance = [
        compute_deviation(entries, {e for e in entries if e.group in groups}, FIFTH)
        for groups in (set(shuffler.permutation(30)[:6].tolist()) for _ in range(20))
    ]
    assert certificate.deviation < min(by_chance) / 4


@given(st.lists(st.integers(1, 30), min_size=1, max_size=9), st.integers(0, 150))
def test_the_nearest_sum_equals_an_exhaustive_search(sizes: list[int], wanted: int) -> None:
    wanted = min(wanted, sum(sizes))
    totals = {
        sum(subset) for n in range(len(sizes) + 1) for subset in itertools.combinations(sizes, n)
    }
    nearest = min(totals, key=lambda total: (abs(total - wanted), total))
    assert find_nearest_sum(np.array(sizes, dtype=np.int64), wanted) == nearest


def test_of_optimal_splits_every_label_in_the_test_set_beats_unlabelled_entries_in_it() -> None:
    """Two choices of groups have the least deviation: without a label of four images, and without unlabelled entries."""
    labels = [(), (2,), (), (0,), (1, 3), (3, 4), (1,), (2,), (), (), (2,), (), (2,), (0, 1)]
    owners = [2, 3, 0, 1, 1, 2, 3, 3, 2, 2, 3, 2, 2, 0]
    entries = [
        Entry(number, frozenset(f"label {label}" for label in numbers), owner)
        for number, (numbers, owner) in enumerate(zip(labels, owners, strict=True))
    ]
    selection = split_entries(entries, grouped=True, fraction=Fraction(1, 3))
    assert selection.certificate.deviation == 5
    test_images = dict(zip(selection.names, selection.test_images.tolist(), strict=False))
    assert 0 < test_images["label 2"] < 4
