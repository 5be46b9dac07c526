import json
import random
from collections.abc import Callable
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
    generate_entries,
    seeds,
    select_test_set,
    split_entries,
)
from tests.split.milp import solve_least_deviation
from twofold.split import LabelSets, select_test_entries

FIFTH = Fraction(1, 5)
SHAPES: dict[str, Callable[[int], frozenset[str]]] = {
    "no labels": lambda _: frozenset(),
    "one label on everything": lambda _: frozenset(["ant"]),
    "every label set unique": lambda i: frozenset(f"bit {b}" for b in range(8) if i >> b & 1),
}


@given(draw_entries(), fractions, seeds)
def test_exactly_the_rounded_share_of_entries_is_in_the_test_set(
    entries: list[Entry], fraction: Fraction, seed: int
) -> None:
    selection = split_entries(entries, fraction=fraction, seed=seed)
    wanted = (2 * fraction.numerator * len(entries) + fraction.denominator) // (
        2 * fraction.denominator
    )
    assert selection.test_mask.sum() == wanted
    assert selection.certificate.wanted == selection.certificate.reached == wanted


@given(draw_entries(), fractions, seeds, st.randoms(use_true_random=False))
def test_the_order_of_entries_and_labels_does_not_matter(
    entries: list[Entry], fraction: Fraction, seed: int, shuffler: random.Random
) -> None:
    first = split_entries(entries, fraction=fraction, seed=seed)
    shuffled = [Entry(e.source, frozenset(sorted(e.labels, reverse=True))) for e in entries]
    shuffler.shuffle(shuffled)
    second = split_entries(shuffled, fraction=fraction, seed=seed)
    assert {e.source for e in select_test_set(entries, first)} == {
        e.source for e in select_test_set(shuffled, second)
    }
    assert first.build_report() == second.build_report()


@given(draw_entries(), fractions)
def test_the_certificate_agrees_with_the_entries(entries: list[Entry], fraction: Fraction) -> None:
    selection = split_entries(entries, fraction=fraction)
    certificate = selection.certificate
    assert certificate.deviation == compute_deviation(
        entries, select_test_set(entries, selection), fraction
    )
    assert 0 <= certificate.lower_bound <= certificate.deviation


@settings(max_examples=60, deadline=None)
@given(draw_entries(), st.sampled_from([FIFTH, Fraction(1, 3), Fraction(1, 2), Fraction(7, 10)]))
def test_the_deviation_is_the_optimum_of_an_independent_programme(
    entries: list[Entry], fraction: Fraction
) -> None:
    certificate = split_entries(entries, fraction=fraction).certificate
    best = solve_least_deviation(entries, fraction, certificate.wanted)
    assert certificate.optimal
    assert float(certificate.deviation) == pytest.approx(best, abs=1e-3)


def test_thousands_of_entries_reach_the_integrality_floor() -> None:
    certificate = split_entries(generate_entries(3000, 40, seed=1)).certificate
    assert certificate.proof == "integrality floor"
    assert certificate.optimal


def test_more_entries_than_are_always_open_reach_the_floor_too() -> None:
    entries = generate_entries(25_000, 60, seed=2)
    selection = split_entries(entries)
    assert selection.certificate.optimal
    assert selection.certificate.deviation == compute_deviation(
        entries, select_test_set(entries, selection), FIFTH
    )


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 12, 100])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fraction", [Fraction(0), Fraction(1, 10**6), FIFTH, 1 - Fraction(1, 997)])
def test_odd_shapes_are_split_exactly_and_optimally(
    count: int, shape: str, fraction: Fraction
) -> None:
    entries = [Entry(1000 + i, SHAPES[shape](i)) for i in range(count)]
    certificate = split_entries(entries, fraction=fraction).certificate
    assert certificate.reached == int(fraction * count + Fraction(1, 2))
    assert certificate.optimal


@given(draw_entries(max_size=60), seeds)
def test_a_split_at_the_floor_puts_labels_with_five_images_on_both_sides(
    entries: list[Entry], seed: int
) -> None:
    selection = split_entries(entries, seed=seed)
    if selection.certificate.proof == "integrality floor":
        for row in selection.build_report()["labels"]:
            assert row["before"] < 5 or (row["test"] > 0 and row["train"] > 0)


# Nine entries of which no two reach the integrality floor. Three splits have the least sum; two of them have a label with
# five or more images and no test entry.
TIED = ["bdg", "abcde", "abcfg", "af", "bcdef", "aceg", "a", "bdefg", "cfg"]


def test_among_optimal_splits_one_with_fewer_labels_missing_on_a_side_is_taken() -> None:
    for seed in range(20):
        entries = [Entry(i, frozenset(labels)) for i, labels in enumerate(TIED)]
        selection = split_entries(entries, seed=seed)
        assert selection.certificate.proof == "MILP optimum"
        for row in selection.build_report()["labels"]:
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
    assert (first.test_mask == second.test_mask).all()
    assert first.build_report() == second.build_report()


def test_equal_sources_are_split_exactly_in_any_order() -> None:
    entries = [Entry(7, frozenset(["ant" if i % 2 else "bee"])) for i in range(40)]
    forward, backward = split_entries(entries), split_entries(entries[::-1])
    assert forward.test_mask.sum() == 8
    assert forward.build_report() == backward.build_report()


def test_half_an_entry_rounds_up_in_exact_arithmetic() -> None:
    # 0.35 * 10 + 0.5 is below 4 in floats only if it is not exact; 7/20 of 10 is 3.5.
    entries = [Entry(i, frozenset()) for i in range(10)]
    assert split_entries(entries, fraction=Fraction(7, 20)).test_mask.sum() == 4
    assert split_entries(entries, fraction=Fraction(349_999, 10**6)).test_mask.sum() == 3


def test_the_report_is_json_with_every_label_and_exact_rationals() -> None:
    entries = [Entry(i, frozenset(["ant"] if i else ["ant", "bee"])) for i in range(9)]
    entries.append(Entry(9, frozenset()))
    report = json.loads(json.dumps(split_entries(entries, seed=3).build_report()))
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
def test_a_fraction_out_of_range_is_named(fraction: Fraction) -> None:
    with pytest.raises(ValueError, match=str(fraction)):
        split_entries([Entry(1, frozenset())], fraction=fraction)


@pytest.mark.parametrize("seed", [-1, 1 << 63])
def test_a_seed_out_of_range_is_named(seed: int) -> None:
    with pytest.raises(ValueError, match=str(seed)):
        split_entries([Entry(1, frozenset())], seed=seed)


def test_hard_data_is_solved_without_standard_output(
    capfd: pytest.CaptureFixture[str],
) -> None:
    entries = [Entry(i, frozenset(labels)) for i, labels in enumerate(TIED)]
    assert split_entries(entries).certificate.proof == "MILP optimum"
    assert capfd.readouterr().out == ""
