"""What is told of many entries' errors: counts, codes, the first line of each."""

import json

import numpy as np
from numpy.typing import NDArray

from tests.unit.any_lines import any_box, any_box_line, any_class_line
from twofold.manifest.faults import Code
from twofold.manifest.faulty import CODES, count_codes, describe_errors, tabulate_codes
from twofold.manifest.identity import reading
from twofold.manifest.index import Index
from twofold.manifest.merge import APPENDED, merge
from twofold.manifest.pieces import Piece, index_lines
from twofold.manifest.resolve import resolve

NEGATIVE = any_box(height=-50)
Starts = NDArray[np.uint64]
Lengths = NDArray[np.uint32]
EMPTY = np.empty(0, np.uint16)


def after(entry: int) -> int:
    return entry + 1


def piece_of(lines: list[dict[str, object]], first: int = 0) -> Piece:
    texts = [
        json.dumps({**one, "source-ref": f"s3://b/{n}"}).encode()
        for n, one in enumerate(lines, first)
    ]
    return index_lines((1000 * (first + n), text) for n, text in enumerate(texts))


def index_of(*pieces: list[dict[str, object]]) -> Index:
    return resolve([piece_of(lines, 10 * n) for n, lines in enumerate(pieces)], reading(b"")).index


def told(index: Index) -> str:
    return describe_errors(len(index), index.error_entries, index.codes, after)


def test_the_codes_are_counted_and_each_is_told_with_its_first_line() -> None:
    good, box = any_class_line("toad"), any_box_line(NEGATIVE)
    half: dict[str, object] = {"scene": "0"}
    assert told(index_of([box] * 20)) == (
        "20 of 20 entries have errors in their labels: ERROR_INVALID_BOUNDING_BOX (20), the first on line 1."
    )
    assert told(index_of([good, box, good, half, half])) == (
        "3 of 5 entries have errors in their labels: ERROR_NO_LABEL_ATTRIBUTES (2), the first on line 4; "
        "ERROR_INVALID_BOUNDING_BOX (1), the first on line 2."
    )
    assert told(index_of([good])) == ""


def test_what_only_follows_from_another_error_is_in_the_table_and_not_in_the_sentence() -> None:
    index = index_of([any_class_line("toad"), any_box_line(NEGATIVE)])
    assert tabulate_codes(index.codes, after) == [
        {"code": "ERROR_INVALID_BOUNDING_BOX", "entries": 1, "firstLine": 2},
        {"code": "ERROR_NO_VALID_ANNOTATIONS", "entries": 1, "firstLine": 2},
    ]


def test_many_codes_are_cut() -> None:
    codes = np.array([1 << n for n in range(6) for _ in range(7 - n)], np.uint16)
    sentence = describe_errors(codes.size, codes.size, codes, after)
    assert sentence.endswith(
        "ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT (5), the first on line 14; "
        "ERROR_MISSING_BOUNDING_BOX_CONFIDENCE (4), the first on line 19; 2 more codes."
    )


def test_codes_go_with_their_entries_through_ranges_storage_and_sides() -> None:
    good, box = any_class_line("toad"), any_box_line(NEGATIVE)
    half: dict[str, object] = {"scene": "0"}
    index = Index.decode(index_of([good, good], [box, good], [good], [half, good]).encode())
    firsts = {one.code: one.first for one in count_codes(index.codes)}
    assert firsts == {
        Code.INVALID_BOUNDING_BOX: 2,
        Code.NO_VALID_ANNOTATIONS: 2,
        Code.NO_LABEL_ATTRIBUTES: 5,
    }
    chosen = np.array([False, False, True, True, False, False, True])
    assert np.flatnonzero(index.take(chosen).codes).tolist() == [0]


def same(start: Starts, length: Lengths) -> list[bytes]:
    """Lines of which the second half is of the images of the first."""
    half = start.size // 2
    return [f'{{"source-ref":"s3://b/{n % half}"}}'.encode() for n in range(start.size)]


def test_dropped_duplicates_count_for_nothing() -> None:
    piece = piece_of([any_class_line("toad"), any_box_line(NEGATIVE)])
    again = piece_of([any_class_line("toad"), any_box_line(NEGATIVE)])
    index = resolve([piece, again], same).index
    assert [one.entries for one in count_codes(index.codes)] == [1, 1]
    assert (
        resolve([piece_of([any_class_line("toad")]), piece_of([{"x": 1}])], same).index.codes.size
        == 0
    )


def test_an_update_brings_its_codes_and_takes_those_of_replaced_entries() -> None:
    good, box = any_class_line("toad"), any_box_line(NEGATIVE)
    old, changes = index_of([good, box, good]), index_of([good, box])
    merged = merge(old, changes, np.array([1, APPENDED])).index
    assert np.flatnonzero(merged.codes).tolist() == [3]
    merged = merge(index_of([good, good]), changes, np.array([APPENDED, 0])).index
    assert np.flatnonzero(merged.codes).tolist() == [0]


def test_an_index_of_an_older_release_names_no_codes_and_says_where_they_are() -> None:
    assert describe_errors(20, 20, EMPTY, after) == (
        "20 of 20 entries have errors in their labels: ListDatasetEntries with HasErrors names the codes of 20 entries."
    )


def test_the_positions_of_codes_are_those_that_indexes_hold() -> None:
    assert CODES.index(Code.NO_LABEL_ATTRIBUTES) == 0
    assert CODES.index(Code.INVALID_BOUNDING_BOX) == 7
    assert CODES.index(Code.INVALID_LABEL_NAME_LENGTH) == 12
    assert len(CODES) <= 16
