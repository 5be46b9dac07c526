"""The index of one range has one row for each line."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xxhash import xxh3_64_intdigest, xxh3_128_intdigest

from tests.support.manifest_files import (
    any_lines,
    make_bare_line,
    make_box_file_line,
    make_class_file_line,
)
from tests.support.manifest_lines import make_box, make_box_line
from twofold.errors import DamagedObjectError
from twofold.manifest.index.dataset_index import HAS_ERRORS, LABELED
from twofold.manifest.index.range_index import (
    ACCEPTED,
    MAX_BUCKETS,
    MAX_DETAILS,
    REASONS,
    RangeIndex,
)
from twofold.manifest.index.range_indexer import index_lines
from twofold.manifest.line.entry import Entry, read_entry
from twofold.manifest.line.errors import RejectionReason


def build_range_index(*lines: bytes | None) -> RangeIndex:
    return index_lines(enumerate(lines))


@settings(deadline=None)
@given(any_lines)
def test_each_line_has_one_row_that_says_what_the_line_says(lines: list[bytes]) -> None:
    range_index = build_range_index(*lines)
    boxes = iter(range_index.boxes.tolist())
    for row, line in enumerate(lines):
        entry = read_entry(line)
        assert range_index.length[row] == len(line)
        assert range_index.digest[row] == xxh3_64_intdigest(line)
        if isinstance(entry, Entry):
            assert range_index.source[row] == xxh3_128_intdigest(entry.source_ref.encode()) % 2**64
            assert range_index.reason[row] == ACCEPTED
            assert get_labels(range_index, row) == entry.labels
            assert tuple(next(boxes) for _ in entry.labels) == entry.boxes
            assert bool(range_index.flags[row] & LABELED) == entry.labeled
            assert bool(range_index.flags[row] & HAS_ERRORS) == entry.has_errors
        else:
            assert REASONS[range_index.reason[row] - 1] is entry.reason
            assert get_labels(range_index, row) == ()
            assert (row, entry.detail) in range_index.details
    assert next(boxes, None) is None


def get_labels(range_index: RangeIndex, row: int) -> tuple[str, ...]:
    number = range_index.label_set[row]
    first, last = range_index.set_offsets[number : number + 2].tolist()
    return tuple(range_index.names[label] for label in range_index.set_labels[first:last].tolist())


def test_labels_and_label_sets_are_numbered_as_first_seen() -> None:
    range_index = build_range_index(
        make_class_file_line("a", "owl", "emu"),
        make_class_file_line("b", "emu"),
        make_bare_line("c"),
        make_class_file_line("d", "owl", "emu"),
        make_class_file_line("e", "emu", "owl"),
    )
    assert range_index.names == ("owl", "emu")
    assert range_index.label_set.tolist() == [1, 2, 0, 1, 3]
    assert range_index.set_labels.tolist() == [0, 1, 1, 1, 0]


def test_boxes_are_counted_for_each_label_of_the_line() -> None:
    line = make_box_line(make_box(1), make_box(0), make_box(1), names=("owl", "emu"))
    range_index = build_range_index(make_class_file_line("a", "jay"), json.dumps(line).encode())
    assert range_index.names == ("jay", "emu", "owl")
    assert range_index.boxes.tolist() == [0, 2, 1]


def test_an_over_long_line_is_a_row_without_bytes() -> None:
    range_index = build_range_index(make_bare_line("a"), None, make_bare_line("b"))
    assert range_index.length[1] == 0
    assert REASONS[range_index.reason[1] - 1] is RejectionReason.LINE_TOO_LONG
    assert range_index.details == ((1, "The line has more than 100,000 characters."),)


def test_no_lines_give_an_empty_range_index_that_can_be_stored() -> None:
    range_index = RangeIndex.decode(build_range_index().encode())
    assert len(range_index) == 0
    assert range_index.names == ()
    assert range_index.set_offsets.tolist() == [0, 0]


@settings(deadline=None)
@given(any_lines)
def test_a_range_index_is_unchanged_after_storage(lines: list[bytes]) -> None:
    range_index = build_range_index(*lines)
    stored = range_index.encode()
    again = RangeIndex.decode(stored)
    assert again.encode() == stored
    assert (again.names, again.details, again.buckets) == (
        range_index.names,
        range_index.details,
        range_index.buckets,
    )


@settings(deadline=None)
@given(st.data())
def test_a_damaged_range_index_is_refused(data: st.DataObject) -> None:
    stored = bytearray(
        build_range_index(make_box_file_line("a", "owl", "emu"), b"x", make_bare_line("b")).encode()
    )
    position = data.draw(st.integers(0, len(stored) - 1))
    stored[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DamagedObjectError):
        RangeIndex.decode(bytes(stored))


def test_details_and_buckets_do_not_grow_with_the_range() -> None:
    broken = [b"{"] * (MAX_DETAILS + 5)
    elsewhere = [json.dumps({"source-ref": f"s3://bucket{i}/k"}).encode() for i in range(9)]
    range_index = build_range_index(*broken, *elsewhere)
    assert len(range_index.details) == MAX_DETAILS
    assert len(range_index.buckets) == MAX_BUCKETS
    assert int((range_index.reason != ACCEPTED).sum()) == len(broken)
