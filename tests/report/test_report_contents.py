"""The report beyond the certificate: pairs of labels, groups by size, warnings."""

import json
from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report.sample_reports import build_sample_report
from twofold.report.document import count_group_sizes
from twofold.report.label_pairs import LISTED_PAIRS, MATRIX_LABELS, PAIRED_LABELS, count_label_pairs
from twofold.split import LabelSets
from twofold.split.selection import ONE_FIFTH


def list_codes(report: dict[str, Any]) -> list[str]:
    return [warning["code"] for warning in report["warnings"]]


@given(
    st.lists(st.sets(st.sampled_from("abcdefgh")), min_size=5, max_size=60).filter(
        lambda entries: any(entries)
    )
)
def test_pairs_equal_a_count_by_hand(entries: list[set[str]]) -> None:
    report = build_sample_report([sorted(labels) for labels in entries])
    images = Counter(label for labels in entries for label in labels)
    expected = Counter(
        frozenset(pair) for labels in entries for pair in combinations(sorted(labels), 2)
    )
    co_occurrence = report["coOccurrence"]
    assert co_occurrence["pairs"] == len(expected)
    listed = {frozenset(pair["labels"]): pair["before"] for pair in co_occurrence["mostFrequent"]}
    assert sorted(listed.values(), reverse=True) == sorted(expected.values(), reverse=True)[:25]
    assert all(expected[pair] == before for pair, before in listed.items())
    assert all(
        pair["train"] + pair["test"] == pair["before"] for pair in co_occurrence["mostFrequent"]
    )
    names, square = co_occurrence["matrix"]["labels"], co_occurrence["matrix"]["images"]
    for i, first in enumerate(names):
        for j, second in enumerate(names):
            counted = images[first] if i == j else expected[frozenset((first, second))]
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
    reversed_sets = LabelSets(sets.offsets, np.uint32(11) - sets.labels, tuple(reversed(names)))
    test = random.random(200) < 0.2
    order = random.permutation(200).astype(np.uint32)
    expected = count_label_pairs(np.arange(200, dtype=np.uint32), sets, test, ONE_FIFTH)
    assert count_label_pairs(order, reversed_sets, test[order], ONE_FIFTH) == expected


def test_a_hundred_thousand_labels_do_not_make_a_larger_table_of_pairs() -> None:
    count = 100_000
    labels = np.stack([np.arange(count), (np.arange(count) + 1) % count], axis=1)
    sets = LabelSets(
        np.arange(0, 2 * count + 1, 2),
        labels.ravel().astype(np.uint32),
        tuple(f"label-{number}" for number in range(count)),
    )
    co_occurrence = count_label_pairs(
        np.arange(count, dtype=np.uint32), sets, np.zeros(count, np.bool_), ONE_FIFTH
    )
    assert co_occurrence["labels"] == PAIRED_LABELS
    assert len(co_occurrence["mostFrequent"]) == len(co_occurrence["furthest"]) == LISTED_PAIRS
    assert len(co_occurrence["matrix"]["images"]) == MATRIX_LABELS
    assert len(json.dumps(co_occurrence)) < 20_000


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=80))
def test_groups_are_counted_by_size_and_side(drawn: list[tuple[int, bool]]) -> None:
    side = dict(drawn)
    groups = np.array([group for group, _ in drawn], np.uint64)
    test = np.array([side[group] for group, _ in drawn])
    groups_by_size = count_group_sizes(groups, test)
    sizes = Counter(int(group) for group in groups)
    for size_class in groups_by_size["sizes"]:
        inside = [
            group for group in sizes if size_class["from"] <= sizes[group] <= size_class["to"]
        ]
        assert size_class["test"] == sum(side[group] for group in inside)
        assert size_class["train"] == len(inside) - size_class["test"]
    assert sum(
        size_class["train"] + size_class["test"] for size_class in groups_by_size["sizes"]
    ) == len(sizes)
    assert groups_by_size["largestGroup"] == max(sizes.values())


def test_a_plain_dataset_has_nothing_to_warn_of() -> None:
    assert list_codes(build_sample_report([["cat"], ["dog"]] * 100)) == []


@pytest.mark.parametrize(
    ("code", "level", "part", "report"),
    [
        (
            "LABELS_MISSING_IN_TEST",
            "warning",
            "1 label without a test image",
            build_sample_report([["cat"]] * 60 + [["lynx"]]),
        ),
        (
            "RARE_LABELS",
            "note",
            "on both sides",
            build_sample_report([["cat"]] * 60 + [["lynx"]] * 4),
        ),
        (
            "FEW_TEST_IMAGES",
            "note",
            "1 label with fewer than 10 test",
            build_sample_report([["cat"]] * 60 + [["dog"]] * 20),
        ),
        (
            "IMBALANCE",
            "note",
            "cat has 900 images, half of the labels have 60 or fewer",
            build_sample_report([["cat"]] * 900 + [["dog"]] * 60 + [["fox"]] * 60),
        ),
        (
            "UNLABELLED",
            "note",
            "25.0 % of the entries",
            build_sample_report([["cat"]] * 60 + [[]] * 20),
        ),
        (
            "DROPPED_LINES",
            "warning",
            "2 lines are in neither dataset",
            build_sample_report([["cat"]] * 60, dropped={"lines": 2, "reasons": []}),
        ),
        (
            "ERROR_ENTRIES",
            "warning",
            "1 entry has errors",
            build_sample_report([["cat"]] * 60, source={"errorEntries": 1}),
        ),
        (
            "LARGE_GROUP",
            "note",
            "The largest group holds 50.0 %",
            build_sample_report([["cat"]] * 80, groups=[0] * 40 + list(range(1, 41))),
        ),
        (
            "SIZE_NOT_EXACT",
            "note",
            "18 entries are in the test set, 16 were wanted",
            build_sample_report([["cat"]] * 81, groups=[i // 9 for i in range(81)]),
        ),
    ],
)
def test_a_report_has_a_warning_with_this_message(
    code: str, level: str, part: str, report: dict[str, Any]
) -> None:
    (warning,) = (warning for warning in report["warnings"] if warning["code"] == code)
    assert warning["level"] == level
    assert part in warning["message"]


def test_warnings_come_before_notes_and_name_a_few_labels() -> None:
    report = build_sample_report([["cat"]] * 200 + [[f"rare-{number}"] for number in range(30)])
    levels = [warning["level"] for warning in report["warnings"]]
    assert levels == sorted(levels, reverse=True)
    (missing,) = (
        warning for warning in report["warnings"] if warning["code"] == "LABELS_MISSING_IN_TEST"
    )
    assert missing["count"] == len(report["labelsMissingInTest"]) > len(missing["labels"]) == 20
