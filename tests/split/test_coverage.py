"""Coverage: enough images of each label on each side, before the deviation; or the labels and a number that works."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.split.entries import (
    NAMES,
    Entry,
    compute_deviation,
    draw_entries,
    generate_entries,
    split_entries,
)
from twofold.split import CoverageError

FRACTIONS = [Fraction(1, 5), Fraction(1, 2), Fraction(5, 7)]


def lacks_coverage(entries: Sequence[Entry], test: Sequence[bool], minimum: int) -> bool:
    for name in {name for entry in entries for name in entry.labels}:
        carriers = [t for entry, t in zip(entries, test, strict=True) if name in entry.labels]
        if len(carriers) >= 2 * minimum and not minimum <= sum(carriers) <= len(carriers) - minimum:
            return True
    return False


def list_test_sets(
    entries: Sequence[Entry], size: int, minimum: int, *, grouped: bool
) -> list[list[bool]]:
    owners = [entry.group if grouped else entry.source for entry in entries]
    tests = [
        [owner in chosen for owner in owners]
        for units in range(len(set(owners)) + 1)
        for chosen in combinations(set(owners), units)
    ]
    return [
        test for test in tests if sum(test) == size and not lacks_coverage(entries, test, minimum)
    ]


@settings(max_examples=100, deadline=None)
@given(
    draw_entries(max_size=10, max_groups=7),
    st.booleans(),
    st.sampled_from(FRACTIONS),
    st.integers(1, 4),
)
def test_no_test_set_with_the_coverage_has_a_lower_deviation(
    entries: list[Entry], grouped: bool, fraction: Fraction, minimum: int
) -> None:
    options: dict[str, Any] = {"grouped": grouped, "fraction": fraction}
    plain = split_entries(entries, **options)
    size = plain.certificate.reached
    tests = list_test_sets(entries, size, minimum, grouped=grouped)
    if not tests:
        works = [n for n in range(1, minimum) if list_test_sets(entries, size, n, grouped=grouped)]
        expected = f"that works is {works[-1]}." if works else "No lower minimum works."
        with pytest.raises(CoverageError, match=f"There is no test set of {size}.*{expected}"):
            split_entries(entries, min_per_label=minimum, **options)
        return
    covered = split_entries(entries, min_per_label=minimum, **options)
    certificate, coverage = covered.certificate, covered.build_report()["coverage"]
    assert not lacks_coverage(entries, covered.test_mask.tolist(), minimum)
    best = min(compute_deviation(entries, test, fraction) for test in tests)
    assert certificate.deviation == certificate.lower_bound == best
    assert Fraction(coverage["deviationWithout"]) == plain.certificate.deviation
    assert Fraction(coverage["cost"]) == best - plain.certificate.deviation
    images = {name: sum(name in entry.labels for entry in entries) for name in NAMES}
    assert coverage["labelsWithTooFewImages"] == [
        name for name in sorted(NAMES) if 0 < images[name] < 2 * minimum
    ]
    if not lacks_coverage(entries, plain.test_mask.tolist(), minimum):
        assert covered.test_mask.tolist() == plain.test_mask.tolist()


def test_rare_labels_of_a_large_dataset_are_covered_at_the_cost_of_the_share() -> None:
    """More entries than are always open, and keys far from the threshold."""
    entries = generate_entries(24_000, 30, seed=4)
    rare = [Entry(i, frozenset({f"rare {i % 3}", *entries[i].labels})) for i in range(120)]
    covered = split_entries([*entries, *rare], min_per_label=18)
    report = covered.build_report()
    rows = {row["label"]: row for row in report["labels"]}
    assert [rows[f"rare {i}"]["test"] for i in range(3)] == [18, 18, 18]
    assert covered.certificate.optimal
    assert Fraction(report["coverage"]["cost"]) >= 3 * (18 - 8)


def test_many_signatures_are_covered_without_a_proof() -> None:
    """Programmes over parts of the signatures reach the coverage."""
    entries = generate_entries(4_000, 300, seed=5)
    covered = split_entries(entries, min_per_label=6, work_limit=500)
    assert not lacks_coverage(entries, covered.test_mask.tolist(), 6)
