"""Changes of a split when the seed or the dataset changes."""

from fractions import Fraction

import numpy as np
import pytest

from tests.split.entries import Entry, generate_entries, select_test_set, split_entries

FIFTH = Fraction(1, 5)


@pytest.mark.parametrize(("growth", "moved"), [(Fraction(1, 100), 0.01), (Fraction(1, 10), 0.05)])
def test_growth_moves_few_test_entries_at_the_optimum(growth: Fraction, moved: float) -> None:
    grown = generate_entries(12_000, 8, seed=9)
    before = grown[: int(len(grown) / (1 + growth))]
    small, large = split_entries(before), split_entries(grown)
    assert small.certificate.optimal
    assert large.certificate.optimal
    left_entries = select_test_set(before, small) - select_test_set(grown, large)
    assert len(left_entries) <= moved * small.certificate.reached


def test_every_entry_is_equally_likely_to_be_in_the_test_set() -> None:
    # With single labels, by symmetry, each entry is in the test set with the probability of its label's share.
    entries = [Entry(i * 977, frozenset([f"l{i % 4}"])) for i in range(60)]
    seeds = 1000
    times = sum(
        split_entries(entries, seed=seed).test_mask.astype(np.int64) for seed in range(seeds)
    )
    spread = (seeds * 0.2 * 0.8) ** 0.5
    assert np.abs(times - seeds * 0.2).max() < 4.5 * spread


def test_seeds_give_unrelated_splits() -> None:
    entries = generate_entries(2000, 10, seed=4)
    first, second = split_entries(entries, seed=1), split_entries(entries, seed=2)
    common = (first.test_mask & second.test_mask).sum()
    # Two unrelated fifths share 80 of 400; the standard deviation is 7.
    assert 45 < common < 115


def test_few_entries_are_swapped_for_balance_and_the_report_says_how_many() -> None:
    selection = split_entries(generate_entries(12_000, 8, seed=9))
    assert 0 < selection.certificate.swapped < 0.05 * selection.certificate.reached
    assert (
        selection.build_report()["certificate"]["swappedEntries"] == selection.certificate.swapped
    )


def test_common_pairs_of_labels_are_nearer_to_their_share_than_by_keys_alone() -> None:
    random = np.random.default_rng(8)
    entries = []
    for source in random.integers(0, 1 << 63, size=3000):
        topic = random.integers(3)
        labels = frozenset(f"l{j}" for j in range(4) if random.random() < (0.2, 0.5, 0.7)[topic])
        entries.append(Entry(int(source), labels))
    selection = split_entries(entries)
    by_keys = [_compute_pair_deviation(entries, random.permutation(3000)[:600]) for _ in range(20)]
    assert selection.certificate.optimal
    assert selection.certificate.pairs == 6
    assert float(selection.certificate.pair_deviation) < float(sum(by_keys) / 20) / 2
    tested = np.flatnonzero(selection.test_mask)
    assert selection.certificate.pair_deviation == _compute_pair_deviation(entries, tested)


def _compute_pair_deviation(entries: list[Entry], tested: np.ndarray) -> Fraction:
    names = sorted({name for entry in entries for name in entry.labels})
    total = Fraction(0)
    for low in names:
        for high in names:
            carriers = [{low, high} <= entry.labels for entry in entries]
            if low < high and any(carriers):
                in_test = sum(carriers[i] for i in tested)
                total += abs(in_test - FIFTH * sum(carriers))
    return total
