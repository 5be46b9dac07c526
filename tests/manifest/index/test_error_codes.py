"""The summary of the errors of many entries: codes, counts, and the first line of each code."""

import json

import numpy as np
from numpy.typing import NDArray

from tests.support.manifest_lines import make_box, make_box_line, make_class_line
from twofold.manifest.index.dataset_index import DatasetIndex
from twofold.manifest.index.error_codes import CODES, count_codes, describe_errors, tabulate_codes
from twofold.manifest.index.hash_collisions import make_line_reader
from twofold.manifest.index.range_index import RangeIndex
from twofold.manifest.index.range_indexer import index_lines
from twofold.manifest.index.resolve import join_ranges
from twofold.manifest.line.errors import ErrorCode
from twofold.manifest.transfer.merge import APPENDED, merge_indexes

NEGATIVE = make_box(height=-50)
Starts = NDArray[np.uint64]
Lengths = NDArray[np.uint32]
EMPTY = np.empty(0, np.uint16)


def get_line_after(entry: int) -> int:
    return entry + 1


def build_range_index(lines: list[dict[str, object]], first: int = 0) -> RangeIndex:
    texts = [
        json.dumps({**line, "source-ref": f"s3://b/{n}"}).encode()
        for n, line in enumerate(lines, first)
    ]
    return index_lines((1000 * (first + n), text) for n, text in enumerate(texts))


def build_index(*ranges: list[dict[str, object]]) -> DatasetIndex:
    return join_ranges(
        [build_range_index(lines, 10 * n) for n, lines in enumerate(ranges)], make_line_reader(b"")
    ).index


def describe_index(index: DatasetIndex) -> str:
    return describe_errors(len(index), index.error_entries, index.codes, get_line_after)


def test_each_code_is_counted_and_shown_with_its_first_line() -> None:
    good, box = make_class_line("toad"), make_box_line(NEGATIVE)
    half: dict[str, object] = {"scene": "0"}
    assert describe_index(build_index([box] * 20)) == (
        "20 of 20 entries have errors in their labels: ERROR_INVALID_BOUNDING_BOX (20), the first on line 1."
    )
    assert describe_index(build_index([good, box, good, half, half])) == (
        "3 of 5 entries have errors in their labels: ERROR_NO_LABEL_ATTRIBUTES (2), the first on line 4; "
        "ERROR_INVALID_BOUNDING_BOX (1), the first on line 2."
    )
    assert describe_index(build_index([good])) == ""


def test_what_only_follows_from_another_error_is_in_the_table_and_not_in_the_sentence() -> None:
    index = build_index([make_class_line("toad"), make_box_line(NEGATIVE)])
    assert tabulate_codes(index.codes, get_line_after) == [
        {"code": "ERROR_INVALID_BOUNDING_BOX", "entries": 1, "firstLine": 2},
        {"code": "ERROR_NO_VALID_ANNOTATIONS", "entries": 1, "firstLine": 2},
    ]


def test_many_codes_are_cut() -> None:
    codes = np.array([1 << n for n in range(6) for _ in range(7 - n)], np.uint16)
    sentence = describe_errors(codes.size, codes.size, codes, get_line_after)
    assert sentence.endswith(
        "ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT (5), the first on line 14; "
        "ERROR_MISSING_BOUNDING_BOX_CONFIDENCE (4), the first on line 19; 2 more codes."
    )


def test_codes_go_with_their_entries_through_ranges_storage_and_sides() -> None:
    good, box = make_class_line("toad"), make_box_line(NEGATIVE)
    half: dict[str, object] = {"scene": "0"}
    index = DatasetIndex.decode(
        build_index([good, good], [box, good], [good], [half, good]).encode()
    )
    firsts = {count.code: count.first for count in count_codes(index.codes)}
    assert firsts == {
        ErrorCode.INVALID_BOUNDING_BOX: 2,
        ErrorCode.NO_VALID_ANNOTATIONS: 2,
        ErrorCode.NO_LABEL_ATTRIBUTES: 5,
    }
    chosen = np.array([False, False, True, True, False, False, True])
    assert np.flatnonzero(index.take_entries(chosen).codes).tolist() == [0]


def make_lines_of_same_images(start: Starts, length: Lengths) -> list[bytes]:
    """Return lines whose second half has the images of the first half."""
    half = start.size // 2
    return [f'{{"source-ref":"s3://b/{n % half}"}}'.encode() for n in range(start.size)]


def test_dropped_duplicates_count_for_nothing() -> None:
    original = build_range_index([make_class_line("toad"), make_box_line(NEGATIVE)])
    again = build_range_index([make_class_line("toad"), make_box_line(NEGATIVE)])
    index = join_ranges([original, again], make_lines_of_same_images).index
    assert [count.entries for count in count_codes(index.codes)] == [1, 1]
    assert (
        join_ranges(
            [build_range_index([make_class_line("toad")]), build_range_index([{"x": 1}])],
            make_lines_of_same_images,
        ).index.codes.size
        == 0
    )


def test_an_update_brings_its_codes_and_takes_those_of_replaced_entries() -> None:
    good, box = make_class_line("toad"), make_box_line(NEGATIVE)
    old, changes = build_index([good, box, good]), build_index([good, box])
    merged = merge_indexes(old, changes, np.array([1, APPENDED])).index
    assert np.flatnonzero(merged.codes).tolist() == [3]
    merged = merge_indexes(build_index([good, good]), changes, np.array([APPENDED, 0])).index
    assert np.flatnonzero(merged.codes).tolist() == [0]


def test_an_index_of_an_older_release_names_no_codes_and_says_where_they_are() -> None:
    assert describe_errors(20, 20, EMPTY, get_line_after) == (
        "20 of 20 entries have errors in their labels: ListDatasetEntries with HasErrors names the codes of 20 entries."
    )


def test_the_positions_of_codes_are_those_that_indexes_hold() -> None:
    assert CODES.index(ErrorCode.NO_LABEL_ATTRIBUTES) == 0
    assert CODES.index(ErrorCode.INVALID_BOUNDING_BOX) == 7
    assert CODES.index(ErrorCode.INVALID_LABEL_NAME_LENGTH) == 12
    assert len(CODES) <= 16
