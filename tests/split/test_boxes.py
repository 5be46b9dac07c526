import itertools
import random
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.split.entries import (
    Entry,
    draw_entries,
    fractions,
    seeds,
    select_test_set,
    split_entries,
)
from twofold.split import LabelSets, Objective, select_test_entries
from twofold.split.sampling import compute_keys

FIFTH = Fraction(1, 5)
BOTH = Objective.LABELS_AND_BOXES


def add_boxes(entries: list[Entry], numbers: list[int]) -> list[Entry]:
    """The entries with `numbers[i]` boxes of every label of entry `i`, repeated cyclically."""
    return [replace(e, boxes=(n,)) for e, n in zip(entries, itertools.cycle(numbers), strict=False)]


def count_boxes(entries: set[Entry] | list[Entry]) -> Counter[str]:
    return Counter({label: 0 for e in entries for label in e.labels}) + Counter(
        label for e in entries for label in e.labels for _ in range(e.boxes[0])
    )


def compute_box_deviation(entries: list[Entry], test: set[Entry], fraction: Fraction) -> Fraction:
    before, tested = count_boxes(entries), count_boxes(test)
    return sum((abs(tested[label] - fraction * before[label]) for label in before), Fraction(0))


numbers = st.lists(st.integers(0, 50), min_size=1, max_size=12)


@given(draw_entries(), numbers, fractions, seeds, st.booleans())
def test_boxes_never_cost_a_label(
    entries: list[Entry], counts: list[int], fraction: Fraction, seed: int, grouped: bool
) -> None:
    entries = add_boxes(entries, counts)
    plain = split_entries(entries, fraction=fraction, seed=seed, grouped=grouped)
    both = split_entries(entries, fraction=fraction, seed=seed, grouped=grouped, objective=BOTH)
    assert both.certificate.deviation == plain.certificate.deviation
    assert both.certificate.pair_deviation == plain.certificate.pair_deviation
    assert both.certificate.reached == plain.certificate.reached
    assert (both.test_images == plain.test_images).all()
    before, after = (
        compute_box_deviation(entries, select_test_set(entries, selection), fraction)
        for selection in (plain, both)
    )
    assert after <= before
    if both.boxes:
        assert both.boxes.compute_deviation(fraction) == after


@given(draw_entries(), numbers, seeds, st.randoms(use_true_random=False))
def test_the_order_of_entries_with_boxes_does_not_matter(
    entries: list[Entry], counts: list[int], seed: int, shuffler: random.Random
) -> None:
    entries = add_boxes(entries, counts)
    shuffled = shuffler.sample(entries, len(entries))
    first, second = (
        split_entries(order, seed=seed, objective=BOTH) for order in (entries, shuffled)
    )
    assert select_test_set(entries, first) == select_test_set(shuffled, second)
    assert first.build_report() == second.build_report()


@given(draw_entries(), numbers, seeds)
def test_among_entries_with_equal_labels_and_boxes_the_lowest_keys_are_in_the_test_set(
    entries: list[Entry], counts: list[int], seed: int
) -> None:
    entries = add_boxes(entries, counts)
    selection = split_entries(entries, seed=seed, objective=BOTH)
    order = sorted(entries, key=lambda entry: compute_key(entry, seed))
    test_set = select_test_set(entries, selection)
    skipped: set[object] = set()
    for entry in order:
        content = (entry.labels, entry.boxes if entry.labels else ())
        if entry not in test_set:
            skipped.add(content)
        else:
            assert content not in skipped


def compute_key(entry: Entry, seed: int) -> int:
    return int(compute_keys(np.array([entry.source], dtype=np.uint64), seed)[0])


def test_box_counts_come_near_their_share_where_entries_can_be_exchanged() -> None:
    draw = np.random.default_rng(3)
    entries = [
        Entry(int(source), frozenset([f"l{i % 6}"]), boxes=(int(draw.geometric(0.1)) % 50,))
        for i, source in enumerate(draw.integers(0, 1 << 63, size=900))
    ]
    plain, both = split_entries(entries), split_entries(entries, objective=BOTH)
    assert compute_box_deviation(entries, select_test_set(entries, plain), FIFTH) > 50
    assert compute_box_deviation(entries, select_test_set(entries, both), FIFTH) <= 3
    assert both.certificate.optimal


def test_the_report_has_boxes_of_each_label_only_if_entries_have_boxes() -> None:
    entries = [Entry(i, frozenset(["ant"]), boxes=(3,)) for i in range(10)]
    report = split_entries(entries).build_report()
    row = report["labels"][0]
    assert (row["boxes"], row["boxesInTest"], row["boxDeviation"]) == (30, 6, "0")
    assert report["boxDeviation"] == "0"
    assert (
        "boxDeviation"
        not in split_entries([Entry(i, frozenset(["ant"])) for i in range(10)]).build_report()
    )


@pytest.mark.parametrize("boxes", [1, 7])
def test_numbers_of_boxes_that_do_not_fit_are_named(boxes: int) -> None:
    sets = LabelSets(np.array([0, 2]), np.array([0, 1], dtype=np.uint32), ("a", "b"))
    with pytest.raises(ValueError, match=f"{boxes} numbers of boxes for 6 labels"):
        select_test_entries(
            source=np.arange(3, dtype=np.uint64),
            label_set=np.zeros(3, dtype=np.uint32),
            label_sets=sets,
            boxes=np.ones(boxes, dtype=np.uint8),
        )
