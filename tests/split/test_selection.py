import random
from fractions import Fraction

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

FIFTH = Fraction(1, 5)


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
