"""File names in several folders: found, counted by side, and told with the source-refs themselves."""

from collections import Counter
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.report.made import report_of
from twofold.manifest.index import file_name_hash
from twofold.report import page, similar_sources
from twofold.report.similar import MAX_COPIES, MAX_EXAMPLES
from twofold.report.warnings import warnings

Entries = list[tuple[str, bool]]


def found(entries: Entries) -> dict[str, Any]:
    """Of entries given as source-ref and whether it is tested; {} if there are none."""
    hashes = np.array([file_name_hash(ref) for ref, _ in entries], np.uint32)
    lines = [f'{{"source-ref":"{ref}"}}'.encode() for ref, _ in entries]
    test = np.array([tested for _, tested in entries], np.bool_)
    return similar_sources(hashes, test, lambda some: [lines[entry] for entry in some]) or {}


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 6), st.booleans()),
        min_size=1,
        max_size=60,
        unique_by=lambda one: one[:2],
    )
)
def test_names_are_those_that_one_counts_by_hand(drawn: list[tuple[int, int, bool]]) -> None:
    entries = [(f"s3://b/folder-{folder}/{name}.jpg", test) for name, folder, test in drawn]
    copies = Counter(name for name, _, _ in drawn)
    chosen = {name for name, count in copies.items() if 2 <= count <= MAX_COPIES}
    sides = {name: {test for other, _, test in drawn if other == name} for name in chosen}
    told = found(entries)
    if not chosen:
        assert told == {}
        return
    assert told["names"] == len(chosen)
    assert told["entries"] == sum(copies[name] for name in chosen)
    assert told["divided"] == sum(len(sides[name]) == 2 for name in chosen)
    assert len(told["examples"]) == min(len(chosen), MAX_EXAMPLES)
    for one in told["examples"]:
        assert all(ref.endswith(f"/{one['name']}") for ref in one["train"] + one["test"])
        assert {(ref, True) for ref in one["test"]} <= set(entries)
    divided = [bool(one["train"] and one["test"]) for one in told["examples"]]
    assert divided == sorted(divided, reverse=True)


def test_names_that_only_have_the_same_hash_are_not_told() -> None:
    lines = [b'{"source-ref":"s3://b/a.jpg"}', b'{"source-ref":"s3://b/other.jpg"}']
    same = np.zeros(2, np.uint32)
    told = similar_sources(same, np.array([True, False]), lambda some: [lines[i] for i in some])
    assert told is not None
    assert told["examples"] == []


def test_a_source_ref_that_ends_with_a_slash_is_like_no_other() -> None:
    assert found([("s3://b/one/", False), ("s3://b/two/", True)]) == {}


def test_an_index_without_the_column_says_nothing() -> None:
    nothing = np.empty(0, np.uint32)
    assert similar_sources(nothing, np.ones(5, np.bool_), lambda _: []) is None


def test_a_divided_name_is_a_warning_and_stands_on_the_page() -> None:
    told = found([("s3://b/one/owl.jpg", False), ("s3://b/two/owl.jpg", True)])
    report = report_of([["cat"]] * 50, similarSources=told)
    (one,) = (one for one in report["warnings"] if one["code"] == "SIMILAR_SOURCES")
    assert one["level"] == "warning"
    assert "1 file name is in several folders, 1 of them on both sides" in one["message"]
    assert "s3://b/two/owl.jpg" in page(report)


def test_where_most_names_repeat_they_are_numbers() -> None:
    entries = [(f"s3://b/video-{i % 3}/{i // 3}.jpg", i % 5 == 0) for i in range(60)]
    report = report_of([["cat"]] * 60, similarSources=found(entries))
    assert "SIMILAR_SOURCES" not in [one["code"] for one in warnings(report)]
