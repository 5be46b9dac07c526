import json
import random
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.split.any_data import (
    Entry,
    any_entries,
    chosen,
    deviation,
    fractions,
    generated,
    seeds,
    split,
)
from tests.split.milp import least_deviation
from twofold.split import LabelSets, select_test_entries

FIFTH = Fraction(1, 5)
SHAPES: dict[str, Callable[[int], frozenset[str]]] = {
    "no labels": lambda _: frozenset(),
    "one label on everything": lambda _: frozenset(["ant"]),
    "every label set unique": lambda i: frozenset(f"bit {b}" for b in range(8) if i >> b & 1),
}


@given(any_entries(), fractions, seeds)
def test_exactly_the_rounded_share_of_entries_is_tested(
    entries: list[Entry], fraction: Fraction, seed: int
) -> None:
    selection = split(entries, fraction=fraction, seed=seed)
    wanted = (2 * fraction.numerator * len(entries) + fraction.denominator) // (
        2 * fraction.denominator
    )
    assert selection.test.sum() == wanted
    assert selection.certificate.wanted == selection.certificate.reached == wanted


@given(any_entries(), fractions, seeds, st.randoms(use_true_random=False))
def test_the_order_of_entries_and_labels_does_not_matter(
    entries: list[Entry], fraction: Fraction, seed: int, shuffler: random.Random
) -> None:
    first = split(entries, fraction=fraction, seed=seed)
    shuffled = [Entry(e.source, frozenset(sorted(e.labels, reverse=True))) for e in entries]
    shuffler.shuffle(shuffled)
    second = split(shuffled, fraction=fraction, seed=seed)
    assert {e.source for e in chosen(entries, first)} == {
        e.source for e in chosen(shuffled, second)
    }
    assert first.report() == second.report()


@given(any_entries(), fractions)
def test_the_certificate_says_what_the_entries_say(
    entries: list[Entry], fraction: Fraction
) -> None:
    selection = split(entries, fraction=fraction)
    certificate = selection.certificate
    assert certificate.deviation == deviation(entries, chosen(entries, selection), fraction)
    assert 0 <= certificate.lower_bound <= certificate.deviation


@settings(max_examples=60, deadline=None)
@given(any_entries(), st.sampled_from([FIFTH, Fraction(1, 3), Fraction(1, 2), Fraction(7, 10)]))
def test_the_deviation_is_the_optimum_of_an_independent_programme(
    entries: list[Entry], fraction: Fraction
) -> None:
    certificate = split(entries, fraction=fraction).certificate
    best = least_deviation(entries, fraction, certificate.wanted)
    assert certificate.optimal
    assert float(certificate.deviation) == pytest.approx(best, abs=1e-3)


def test_thousands_of_entries_reach_the_integrality_floor() -> None:
    certificate = split(generated(3000, 40, seed=1)).certificate
    assert certificate.proof == "integrality floor"
    assert certificate.optimal


def test_more_entries_than_are_always_open_reach_the_floor_too() -> None:
    entries = generated(25_000, 60, seed=2)
    selection = split(entries)
    assert selection.certificate.optimal
    assert selection.certificate.deviation == deviation(entries, chosen(entries, selection), FIFTH)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 12, 100])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fraction", [Fraction(0), Fraction(1, 10**6), FIFTH, 1 - Fraction(1, 997)])
def test_odd_shapes_are_split_exactly_and_optimally(
    count: int, shape: str, fraction: Fraction
) -> None:
    entries = [Entry(1000 + i, SHAPES[shape](i)) for i in range(count)]
    certificate = split(entries, fraction=fraction).certificate
    assert certificate.reached == int(fraction * count + Fraction(1, 2))
    assert certificate.optimal


@given(any_entries(max_size=60), seeds)
def test_a_split_at_the_floor_puts_labels_with_five_images_on_both_sides(
    entries: list[Entry], seed: int
) -> None:
    selection = split(entries, seed=seed)
    if selection.certificate.proof == "integrality floor":
        for row in selection.report()["labels"]:
            assert row["before"] < 5 or (row["test"] > 0 and row["train"] > 0)


# Nine entries of which no two reach the integrality floor: the best sum has three splits, two of
# which leave a label with five images or more without a test entry.
TIED = ["bdg", "abcde", "abcfg", "af", "bcdef", "aceg", "a", "bdefg", "cfg"]


def test_among_optimal_splits_one_with_fewer_labels_missing_on_a_side_is_taken() -> None:
    for seed in range(20):
        entries = [Entry(i, frozenset(labels)) for i, labels in enumerate(TIED)]
        selection = split(entries, seed=seed)
        assert selection.certificate.proof == "MILP optimum"
        for row in selection.report()["labels"]:
            assert row["before"] < 5 or (row["test"] > 0 and row["train"] > 0)


def test_repeated_sets_and_labels_count_once() -> None:
    sources = np.arange(10, dtype=np.uint64)
    tidy = LabelSets(np.array([0, 2]), np.array([0, 1], dtype=np.uint32), ("a", "b"))
    untidy = LabelSets(np.array([0, 3, 5]), np.array([1, 0, 1, 0, 1], dtype=np.uint32), ("b", "a"))
    ones = np.zeros(10, dtype=np.uint32)
    first = select_test_entries(source=sources, label_set=ones, label_sets=tidy)
    second = select_test_entries(
        source=sources, label_set=(np.arange(10) % 2).astype(np.uint32), label_sets=untidy
    )
    assert (first.test == second.test).all()
    assert first.report() == second.report()


def test_equal_sources_are_split_exactly_in_any_order() -> None:
    entries = [Entry(7, frozenset(["ant" if i % 2 else "bee"])) for i in range(40)]
    forward, backward = split(entries), split(entries[::-1])
    assert forward.test.sum() == 8
    assert forward.report() == backward.report()


def test_half_an_entry_rounds_up_in_exact_arithmetic() -> None:
    # 0.35 * 10 + 0.5 is below 4 in floats only if it is not exact; 7/20 of 10 is 3.5.
    entries = [Entry(i, frozenset()) for i in range(10)]
    assert split(entries, fraction=Fraction(7, 20)).test.sum() == 4
    assert split(entries, fraction=Fraction(349_999, 10**6)).test.sum() == 3


def test_the_report_is_json_with_every_label_and_exact_rationals() -> None:
    entries = [Entry(i, frozenset(["ant"] if i else ["ant", "bee"])) for i in range(9)]
    entries.append(Entry(9, frozenset()))
    report = json.loads(json.dumps(split(entries, seed=3).report()))
    assert report["labels"][0] == {
        "label": "ant",
        "before": 9,
        "train": 7,
        "test": 2,
        "share": 0.222222,
        "deviation": "1/5",
    }
    assert report["unlabelled"]["before"] == 1
    assert report["labelsMissingInTest"] == ["bee"]
    assert report["rareLabels"] == ["bee"]
    assert report["certificate"]["seed"] == 3
    assert report["certificate"]["deviation"] == "3/5"


@pytest.mark.parametrize("fraction", [Fraction(-1, 5), Fraction(6, 5), Fraction(1, 10**6 + 3)])
def test_a_senseless_fraction_is_named(fraction: Fraction) -> None:
    with pytest.raises(ValueError, match=str(fraction)):
        split([Entry(1, frozenset())], fraction=fraction)


@pytest.mark.parametrize("seed", [-1, 1 << 63])
def test_a_senseless_seed_is_named(seed: int) -> None:
    with pytest.raises(ValueError, match=str(seed)):
        split([Entry(1, frozenset())], seed=seed)


def test_hard_data_is_solved_without_a_word_on_standard_output(
    capfd: pytest.CaptureFixture[str],
) -> None:
    entries = [Entry(i, frozenset(labels)) for i, labels in enumerate(TIED)]
    assert split(entries).certificate.proof == "MILP optimum"
    assert capfd.readouterr().out == ""
