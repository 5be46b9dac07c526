"""Levels are balanced like labels, in a namespace of their own, and the tables of labels stay as they are."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, product
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.split.entries import (
    Entry,
    compute_deviation,
    draw_entries,
    generate_entries,
    split_entries,
)
from twofold.levels import Levels
from twofold.split import Selection
from twofold.split.level_columns import compute_floor_excess
from twofold_verify.bounds import compute_level_floor

Row = tuple[str | None, ...]
"""The level of an entry in each member."""

LEVELS = ("front", "rear", "ant", None)


def make_levels(rows: Sequence[Row]) -> Levels:
    """Number levels as an index does: members by name, levels by bytes, the missing level last."""
    members = tuple(f"member{i}" for i in range(len(rows[0])))
    names: list[tuple[str, str | None]] = []
    for i, member in enumerate(members):
        values = {row[i] for row in rows}
        texts = sorted(value for value in values if value is not None)
        names += [(member, text) for text in texts] + [(member, None)] * (None in values)
    level = [[names.index((member, row[i])) for row in rows] for i, member in enumerate(members)]
    return Levels(members, tuple(names), np.array(level, np.uint32))


def split_with_levels(entries: Sequence[Entry], rows: Sequence[Row], **options: Any) -> Selection:
    return split_entries(entries, levels=make_levels(rows), **options)


def compute_level_deviation(
    rows: Sequence[Row], test: Sequence[bool], fraction: Fraction
) -> Fraction:
    total = Fraction(0)
    for i in range(len(rows[0])):
        for level in {row[i] for row in rows}:
            carriers = [t for row, t in zip(rows, test, strict=True) if row[i] == level]
            total += abs(sum(carriers) - fraction * len(carriers))
    return total


@st.composite
def draw_rows(draw: st.DrawFn, max_size: int = 9) -> tuple[list[Entry], list[Row]]:
    entries = draw(draw_entries(max_size=max_size, max_groups=5))
    row = st.tuples(st.sampled_from(LEVELS), st.sampled_from(LEVELS[1:]))
    return entries, [draw(row) for _ in entries]


@settings(max_examples=60, deadline=None)
@given(
    draw_rows(), st.booleans(), st.sampled_from([Fraction(1, 5), Fraction(1, 2), Fraction(2, 7)])
)
def test_no_test_set_has_a_lower_sum_over_labels_and_levels(
    drawn: tuple[list[Entry], list[Row]], grouped: bool, fraction: Fraction
) -> None:
    entries, rows = drawn
    selection = split_with_levels(entries, rows, grouped=grouped, fraction=fraction)
    certificate, report = selection.certificate, selection.build_report()
    mask = selection.test_mask.tolist()
    labels = compute_deviation(entries, mask, fraction)
    levels = compute_level_deviation(rows, mask, fraction)
    assert certificate.deviation == labels + levels
    assert report["certificate"]["labelDeviation"] == str(labels)
    assert report["certificate"]["levelDeviation"] == str(levels)
    owners = [entry.group if grouped else entry.source for entry in entries]
    best = min(
        compute_deviation(entries, test, fraction) + compute_level_deviation(rows, test, fraction)
        for size in range(len(set(owners)) + 1)
        for chosen in combinations(set(owners), size)
        if sum(test := [owner in chosen for owner in owners]) == certificate.reached
    )
    assert certificate.deviation == best
    assert certificate.lower_bound == best


@settings(deadline=None)
@given(draw_rows(max_size=40), st.randoms(use_true_random=False))
def test_the_order_of_entries_does_not_matter(
    drawn: tuple[list[Entry], list[Row]], shuffler: Random
) -> None:
    entries, rows = drawn
    order = list(range(len(entries)))
    shuffler.shuffle(order)
    shuffled = [entries[i] for i in order]
    first = split_with_levels(entries, rows)
    second = split_with_levels(shuffled, [rows[i] for i in order])
    assert second.test_mask.tolist() == [first.test_mask.tolist()[i] for i in order]
    assert first.build_report() == second.build_report()


def test_a_level_with_the_text_of_a_label_is_another_column() -> None:
    """All images of the label `ant` have the level `ant`, and so have other images."""
    entries = [Entry(i, frozenset(["ant"] if i < 20 else ["bee"])) for i in range(60)]
    rows: list[Row] = [("ant",) if i < 40 else (None,) for i in range(60)]
    report = split_with_levels(entries, rows).build_report()
    assert [(row["label"], row["before"], row["test"]) for row in report["labels"]] == [
        ("ant", 20, 4),
        ("bee", 40, 8),
    ]
    assert [(row["level"], row["before"], row["test"]) for row in report["levels"]] == [
        ("ant", 40, 8),
        (None, 20, 4),
    ]
    assert report["unlabelled"]["before"] == 0


@pytest.mark.parametrize("grouped", [False, True])
def test_levels_leave_pairs_rare_labels_and_boxes_as_they_are(grouped: bool) -> None:
    entries = [
        Entry(e.source, e.labels, e.group, boxes=(e.source % 5, 2))
        for e in generate_entries(400, 12, seed=3, group_size=4)
    ]
    rows: list[Row] = [(f"camera {e.source % 7}",) for e in entries]
    plain = split_entries(entries, grouped=grouped, work_limit=50)
    levelled = split_with_levels(entries, rows, grouped=grouped, work_limit=50)
    assert levelled.certificate.pairs == plain.certificate.pairs
    first, second = plain.build_report(), levelled.build_report()
    assert second["rareLabels"] == first["rareLabels"]
    for name in ("before", "boxes"):
        assert [row[name] for row in second["labels"]] == [row[name] for row in first["labels"]]
    assert all(abs(row["test"] - row["before"] / 5) < 2 for row in second["levels"])


def test_more_entries_than_are_always_open_reach_the_floor_of_labels_and_levels() -> None:
    entries = generate_entries(25_000, 60, seed=2)
    rows: list[Row] = [(f"{e.source % 11}", f"{e.source % 3}") for e in entries]
    selection = split_with_levels(entries, rows)
    assert selection.certificate.proof == "integrality floor"
    mask = selection.test_mask.tolist()
    expected = compute_deviation(entries, mask, Fraction(1, 5))
    expected += compute_level_deviation(rows, mask, Fraction(1, 5))
    assert selection.certificate.deviation == expected


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
    st.fractions(Fraction(1, 20), Fraction(19, 20), max_denominator=20),
    st.integers(-2, 2),
)
def test_the_floor_of_levels_is_the_least_of_all_numbers_with_their_sum(
    entries: list[int], fraction: Fraction, away: int
) -> None:
    levels = Levels(
        ("m",), tuple(("m", str(i)) for i in range(len(entries))), np.empty((1, 0), np.uint32)
    )
    total = min(max(int(fraction * sum(entries) + Fraction(1, 2)) + away, 0), sum(entries))
    least = min(
        sum(abs(t - fraction * n) for t, n in zip(numbers, entries, strict=True))
        for numbers in product(*(range(n + 1) for n in entries))
        if sum(numbers) == total
    )
    shares = [fraction * n for n in entries]
    floor = sum(min(share % 1, -share % 1) for share in shares)
    excess = compute_floor_excess(levels, np.array(entries), fraction, total)
    assert floor + Fraction(excess, fraction.denominator) <= least
    assert compute_level_floor(entries, fraction, total) <= least
    if away == 0:
        assert floor + Fraction(excess, fraction.denominator) == least
        assert compute_level_floor(entries, fraction, total) == least
