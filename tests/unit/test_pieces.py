"""What one worker finds in one range."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xxhash import xxh3_64_intdigest, xxh3_128_intdigest

from tests.unit.any_lines import any_box, any_box_line
from tests.unit.any_manifests import any_lines, bare_line, box_line, class_line
from twofold.errors import DamagedObjectError
from twofold.manifest.index import HAS_ERRORS, LABELED
from twofold.manifest.lines import Entry, RejectionReason, read_entry
from twofold.manifest.pieces import ACCEPTED, MAX_BUCKETS, MAX_DETAILS, REASONS, Piece, index_lines


def any_piece(*lines: bytes | None) -> Piece:
    return index_lines(enumerate(lines))


@settings(deadline=None)
@given(any_lines)
def test_each_line_has_one_row_that_says_what_the_line_says(lines: list[bytes]) -> None:
    piece = any_piece(*lines)
    boxes = iter(piece.boxes.tolist())
    for row, line in enumerate(lines):
        found = read_entry(line)
        assert piece.length[row] == len(line)
        assert piece.digest[row] == xxh3_64_intdigest(line)
        if isinstance(found, Entry):
            assert piece.source[row] == xxh3_128_intdigest(found.source_ref.encode()) % 2**64
            assert piece.reason[row] == ACCEPTED
            assert labels_of(piece, row) == found.labels
            assert tuple(next(boxes) for _ in found.labels) == found.boxes
            assert bool(piece.flags[row] & LABELED) == found.labeled
            assert bool(piece.flags[row] & HAS_ERRORS) == found.has_errors
        else:
            assert REASONS[piece.reason[row] - 1] is found.reason
            assert labels_of(piece, row) == ()
            assert (row, found.detail) in piece.details
    assert next(boxes, None) is None


def labels_of(piece: Piece, row: int) -> tuple[str, ...]:
    number = piece.label_set[row]
    first, last = piece.set_offsets[number : number + 2].tolist()
    return tuple(piece.names[label] for label in piece.set_labels[first:last].tolist())


def test_labels_and_label_sets_are_numbered_as_first_seen() -> None:
    piece = any_piece(
        class_line("a", "owl", "emu"),
        class_line("b", "emu"),
        bare_line("c"),
        class_line("d", "owl", "emu"),
        class_line("e", "emu", "owl"),
    )
    assert piece.names == ("owl", "emu")
    assert piece.label_set.tolist() == [1, 2, 0, 1, 3]
    assert piece.set_labels.tolist() == [0, 1, 1, 1, 0]


def test_boxes_are_counted_for_each_label_of_the_line() -> None:
    line = any_box_line(any_box(1), any_box(0), any_box(1), names=("owl", "emu"))
    piece = any_piece(class_line("a", "jay"), json.dumps(line).encode())
    assert piece.names == ("jay", "emu", "owl")
    assert piece.boxes.tolist() == [0, 2, 1]


def test_an_over_long_line_is_a_row_without_bytes() -> None:
    piece = any_piece(bare_line("a"), None, bare_line("b"))
    assert piece.length[1] == 0
    assert REASONS[piece.reason[1] - 1] is RejectionReason.LINE_TOO_LONG
    assert piece.details == ((1, "The line has more than 100,000 characters."),)


def test_no_lines_are_an_empty_piece_that_can_be_stored() -> None:
    piece = Piece.decode(any_piece().encode())
    assert len(piece) == 0
    assert piece.names == ()
    assert piece.set_offsets.tolist() == [0, 0]


@settings(deadline=None)
@given(any_lines)
def test_a_piece_comes_back_from_storage_as_it_was(lines: list[bytes]) -> None:
    piece = any_piece(*lines)
    stored = piece.encode()
    again = Piece.decode(stored)
    assert again.encode() == stored
    assert (again.names, again.details, again.buckets) == (
        piece.names,
        piece.details,
        piece.buckets,
    )


@settings(deadline=None)
@given(st.data())
def test_a_damaged_piece_is_refused(data: st.DataObject) -> None:
    stored = bytearray(any_piece(box_line("a", "owl", "emu"), b"x", bare_line("b")).encode())
    position = data.draw(st.integers(0, len(stored) - 1))
    stored[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DamagedObjectError):
        Piece.decode(bytes(stored))


def test_details_and_buckets_do_not_grow_with_the_range() -> None:
    broken = [b"{"] * (MAX_DETAILS + 5)
    elsewhere = [json.dumps({"source-ref": f"s3://bucket{i}/k"}).encode() for i in range(9)]
    piece = any_piece(*broken, *elsewhere)
    assert len(piece.details) == MAX_DETAILS
    assert len(piece.buckets) == MAX_BUCKETS
    assert int((piece.reason != ACCEPTED).sum()) == len(broken)
