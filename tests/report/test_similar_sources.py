"""File names in several folders: counted by side, with the source-refs of examples."""

from collections import Counter
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from xxhash import xxh3_64_digest

from tests.report.sample_reports import build_sample_report
from twofold.manifest.index.source_hashes import extract_file_name
from twofold.report import find_similar_sources, render_page
from twofold.report.similar_sources import MAX_COPIES, MAX_EXAMPLES
from twofold.report.warnings import find_warnings

Entries = list[tuple[str, bool]]


def hash_file_name(source_ref: str) -> int:
    """The value of the column `file_name`: 32 bits of the hash of the file name."""
    return int.from_bytes(xxh3_64_digest(extract_file_name(source_ref.encode()))[4:])


def find_in_entries(entries: Entries) -> dict[str, Any]:
    """The similar sources of entries (source-ref, in the test set); {} if there are none."""
    hashes = np.array([hash_file_name(ref) for ref, _ in entries], np.uint32)
    lines = [f'{{"source-ref":"{ref}"}}'.encode() for ref, _ in entries]
    test = np.array([in_test for _, in_test in entries], np.bool_)
    return (
        find_similar_sources(hashes, test, lambda numbers: [lines[number] for number in numbers])
        or {}
    )


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 6), st.booleans()),
        min_size=1,
        max_size=60,
        unique_by=lambda entry: entry[:2],
    )
)
def test_names_equal_a_count_by_hand(drawn: list[tuple[int, int, bool]]) -> None:
    entries = [(f"s3://b/folder-{folder}/{name}.jpg", test) for name, folder, test in drawn]
    copies = Counter(name for name, _, _ in drawn)
    repeated = {name for name, count in copies.items() if 2 <= count <= MAX_COPIES}
    sides = {
        name: {test for other_name, _, test in drawn if other_name == name} for name in repeated
    }
    similar = find_in_entries(entries)
    if not repeated:
        assert similar == {}
        return
    assert similar["names"] == len(repeated)
    assert similar["entries"] == sum(copies[name] for name in repeated)
    assert similar["divided"] == sum(len(sides[name]) == 2 for name in repeated)
    assert len(similar["examples"]) == min(len(repeated), MAX_EXAMPLES)
    for example in similar["examples"]:
        assert all(
            ref.endswith(f"/{example['name']}") for ref in example["train"] + example["test"]
        )
        assert {(ref, True) for ref in example["test"]} <= set(entries)
    divided = [bool(example["train"] and example["test"]) for example in similar["examples"]]
    assert divided == sorted(divided, reverse=True)


def test_different_names_with_equal_hashes_are_no_example() -> None:
    lines = [b'{"source-ref":"s3://b/a.jpg"}', b'{"source-ref":"s3://b/other.jpg"}']
    same = np.zeros(2, np.uint32)
    similar = find_similar_sources(
        same, np.array([True, False]), lambda numbers: [lines[number] for number in numbers]
    )
    assert similar is not None
    assert similar["examples"] == []


def test_source_refs_that_end_with_a_slash_are_not_similar() -> None:
    assert find_in_entries([("s3://b/one/", False), ("s3://b/two/", True)]) == {}


def test_an_index_without_the_column_has_no_similar_sources() -> None:
    nothing = np.empty(0, np.uint32)
    assert find_similar_sources(nothing, np.ones(5, np.bool_), lambda _: []) is None


def test_a_divided_name_is_a_warning_and_is_on_the_page() -> None:
    similar = find_in_entries([("s3://b/one/owl.jpg", False), ("s3://b/two/owl.jpg", True)])
    report = build_sample_report([["cat"]] * 50, similarSources=similar)
    (warning,) = (warning for warning in report["warnings"] if warning["code"] == "SIMILAR_SOURCES")
    assert warning["level"] == "warning"
    assert "1 file name is in several folders, 1 of them on both sides" in warning["message"]
    assert "s3://b/two/owl.jpg" in render_page(report)


def test_names_that_mostly_repeat_are_numbers_and_not_similar() -> None:
    entries = [(f"s3://b/video-{i % 3}/{i // 3}.jpg", i % 5 == 0) for i in range(60)]
    report = build_sample_report([["cat"]] * 60, similarSources=find_in_entries(entries))
    assert "SIMILAR_SOURCES" not in [warning["code"] for warning in find_warnings(report)]
