"""What the report says beyond the certificate: pairs of labels, groups by size, warnings."""

import json
from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report.made import report_of
from twofold.report.document import group_sizes
from twofold.report.together import LISTED_PAIRS, MATRIX_LABELS, PAIRED_LABELS, label_pairs
from twofold.split import LabelSets
from twofold.split.selection import ONE_FIFTH


def codes(report: dict[str, Any]) -> list[str]:
    return [one["code"] for one in report["warnings"]]


@given(
    st.lists(st.sets(st.sampled_from("abcdefgh")), min_size=5, max_size=60).filter(
        lambda entries: any(entries)
    )
)
def test_pairs_are_those_that_one_counts_by_hand(entries: list[set[str]]) -> None:
    report = report_of([sorted(labels) for labels in entries])
    images = Counter(label for labels in entries for label in labels)
    wanted = Counter(
        frozenset(pair) for labels in entries for pair in combinations(sorted(labels), 2)
    )
    found = report["coOccurrence"]
    assert found["pairs"] == len(wanted)
    listed = {frozenset(pair["labels"]): pair["before"] for pair in found["mostFrequent"]}
    assert sorted(listed.values(), reverse=True) == sorted(wanted.values(), reverse=True)[:25]
    assert all(wanted[pair] == before for pair, before in listed.items())
    assert all(pair["train"] + pair["test"] == pair["before"] for pair in found["mostFrequent"])
    names, square = found["matrix"]["labels"], found["matrix"]["images"]
    for i, first in enumerate(names):
        for j, second in enumerate(names):
            counted = images[first] if i == j else wanted[frozenset((first, second))]
            assert square[i][j] == counted


def test_the_order_of_entries_and_labels_changes_nothing() -> None:
    names = "abcdefghijkl"
    random = np.random.default_rng(5)
    entries = [list(random.choice(list(names), 3, replace=False)) for _ in range(200)]
    sets = LabelSets(
        np.arange(0, 601, 3),
        np.array([names.index(label) for labels in entries for label in labels], np.uint32),
        tuple(names),
    )
    turned = LabelSets(sets.offsets, np.uint32(11) - sets.labels, tuple(reversed(names)))
    test = random.random(200) < 0.2
    order = random.permutation(200).astype(np.uint32)
    one = label_pairs(np.arange(200, dtype=np.uint32), sets, test, ONE_FIFTH)
    assert label_pairs(order, turned, test[order], ONE_FIFTH) == one


def test_a_hundred_thousand_labels_do_not_make_a_larger_table_of_pairs() -> None:
    count = 100_000
    labels = np.stack([np.arange(count), (np.arange(count) + 1) % count], axis=1)
    sets = LabelSets(
        np.arange(0, 2 * count + 1, 2),
        labels.ravel().astype(np.uint32),
        tuple(f"label-{number}" for number in range(count)),
    )
    found = label_pairs(
        np.arange(count, dtype=np.uint32), sets, np.zeros(count, np.bool_), ONE_FIFTH
    )
    assert found["labels"] == PAIRED_LABELS
    assert len(found["mostFrequent"]) == len(found["furthest"]) == LISTED_PAIRS
    assert len(found["matrix"]["images"]) == MATRIX_LABELS
    assert len(json.dumps(found)) < 20_000


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=80))
def test_groups_are_counted_by_size_and_side(drawn: list[tuple[int, bool]]) -> None:
    side = dict(drawn)
    groups = np.array([group for group, _ in drawn], np.uint64)
    test = np.array([side[group] for group, _ in drawn])
    found = group_sizes(groups, test)
    sizes = Counter(int(group) for group in groups)
    for one in found["sizes"]:
        inside = [group for group in sizes if one["from"] <= sizes[group] <= one["to"]]
        assert one["test"] == sum(side[group] for group in inside)
        assert one["train"] == len(inside) - one["test"]
    assert sum(one["train"] + one["test"] for one in found["sizes"]) == len(sizes)
    assert found["largestGroup"] == max(sizes.values())


def test_a_plain_dataset_has_nothing_to_warn_of() -> None:
    assert codes(report_of([["cat"], ["dog"]] * 100)) == []


@pytest.mark.parametrize(
    ("code", "level", "said", "report"),
    [
        (
            "LABELS_MISSING_IN_TEST",
            "warning",
            "1 label without a test image",
            report_of([["cat"]] * 60 + [["lynx"]]),
        ),
        ("RARE_LABELS", "note", "on both sides", report_of([["cat"]] * 60 + [["lynx"]] * 4)),
        (
            "FEW_TEST_IMAGES",
            "note",
            "1 label with fewer than 10 test",
            report_of([["cat"]] * 60 + [["dog"]] * 20),
        ),
        (
            "IMBALANCE",
            "note",
            "cat has 900 images, half of the labels have 60 or fewer",
            report_of([["cat"]] * 900 + [["dog"]] * 60 + [["fox"]] * 60),
        ),
        (
            "UNLABELLED",
            "note",
            "25.0 % of the entries",
            report_of([["cat"]] * 60 + [[]] * 20),
        ),
        (
            "DROPPED_LINES",
            "warning",
            "2 lines are in neither dataset",
            report_of([["cat"]] * 60, dropped={"lines": 2, "reasons": []}),
        ),
        (
            "ERROR_ENTRIES",
            "warning",
            "1 entry has errors",
            report_of([["cat"]] * 60, source={"errorEntries": 1}),
        ),
        (
            "LARGE_GROUP",
            "note",
            "The largest group holds 50.0 %",
            report_of([["cat"]] * 80, groups=[0] * 40 + list(range(1, 41))),
        ),
        (
            "SIZE_NOT_EXACT",
            "note",
            "18 entries are tested, 16 were wanted",
            report_of([["cat"]] * 81, groups=[i // 9 for i in range(81)]),
        ),
    ],
)
def test_what_a_reader_should_not_miss_is_said(
    code: str, level: str, said: str, report: dict[str, Any]
) -> None:
    (one,) = (one for one in report["warnings"] if one["code"] == code)
    assert one["level"] == level
    assert said in one["message"]


def test_warnings_come_before_notes_and_name_a_few_labels() -> None:
    report = report_of([["cat"]] * 200 + [[f"rare-{number}"] for number in range(30)])
    levels = [one["level"] for one in report["warnings"]]
    assert levels == sorted(levels, reverse=True)
    (missing,) = (one for one in report["warnings"] if one["code"] == "LABELS_MISSING_IN_TEST")
    assert missing["count"] == len(report["labelsMissingInTest"]) > len(missing["labels"]) == 20
