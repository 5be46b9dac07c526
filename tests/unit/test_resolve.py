"""From pieces to one index: the same one however the file was cut."""

from dataclasses import replace
from itertools import accumulate

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from xxhash import xxh3_64_intdigest

from tests.unit.any_manifests import (
    any_lines,
    bare_line,
    box_line,
    chunk_sizes,
    class_line,
    cuts,
    files,
    lines_in,
    pieces_of,
)
from twofold.manifest.identity import reading
from twofold.manifest.index import Index, label_table
from twofold.manifest.lines import Entry, RejectionReason, read_entry
from twofold.manifest.pieces import Piece, index_lines
from twofold.manifest.resolve import DROPPED, KEPT, Resolution, resolve


def resolved(data: bytes) -> Resolution:
    return resolve(pieces_of(data, [(0, len(data))], [len(data)]), reading(data))


def manifest(*lines: bytes) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def kept_by_definition(lines: list[bytes]) -> tuple[list[int], dict[int, int]]:
    """Rows of the lines that stay; and of each duplicate, the row of the first."""
    first: dict[str, int] = {}
    duplicates = {}
    for row, line in enumerate(lines):
        entry = read_entry(line)
        if isinstance(entry, Entry) and first.setdefault(entry.source_ref, row) != row:
            duplicates[row] = first[entry.source_ref]
    return sorted(first.values()), duplicates


@settings(deadline=None)
@given(st.data(), files(), chunk_sizes)
def test_the_result_does_not_depend_on_how_the_file_was_cut(
    data: st.DataObject, text: bytes, sizes: list[int]
) -> None:
    whole, parts = (
        resolved(text),
        resolve(pieces_of(text, data.draw(cuts(len(text))), sizes), reading(text)),
    )
    assert parts.index.encode() == whole.index.encode()
    for column in ("start", "length", "side", "reason"):
        np.testing.assert_array_equal(getattr(parts, column), getattr(whole, column))
    assert list(parts.rejected_lines()) == list(whole.rejected_lines())
    assert (parts.digest, originals(parts)) == (whole.digest, originals(whole))
    assert (len(parts.buckets) > 1) == (len(whole.buckets) > 1)


@settings(deadline=None)
@given(st.data(), files(), chunk_sizes)
def test_what_stays_are_the_first_lines_of_each_source_ref(
    data: st.DataObject, text: bytes, sizes: list[int]
) -> None:
    found = resolve(pieces_of(text, data.draw(cuts(len(text))), sizes), reading(text))
    lines = lines_in(text)
    rows, duplicates = kept_by_definition(lines)
    kept = [lines[row] for row in rows]
    assert carved(text, found, KEPT) == kept
    assert found.index.length.tolist() == [len(line) for line in kept]
    assert found.digest == sum(map(xxh3_64_intdigest, kept)) % 2**64
    assert (found.lines, found.rejected) == (len(lines), len(lines) - len(rows))
    assert originals(found) == duplicates


@settings(deadline=None)
@given(st.data(), files(), chunk_sizes)
def test_dropped_lines_are_told_with_their_number_and_reason(
    data: st.DataObject, text: bytes, sizes: list[int]
) -> None:
    found = resolve(pieces_of(text, data.draw(cuts(len(text))), sizes), reading(text))
    lines = lines_in(text)
    rows, duplicates = kept_by_definition(lines)
    told = {rejected.line: rejected for rejected in found.rejected_lines()}
    assert sorted(told) == [row + 1 for row in range(len(lines)) if row not in rows]
    for number, rejected in told.items():
        entry = read_entry(lines[number - 1])
        if isinstance(entry, Entry):
            assert rejected.reason is RejectionReason.DUPLICATE_SOURCE_REF
            first = duplicates[number - 1] + 1
            assert rejected.detail == f"The source-ref is already on line {first}."
        else:
            assert (rejected.reason, rejected.detail) == (entry.reason, entry.detail)
    assert carved(text, found, DROPPED) == [
        lines[number - 1] for number in told if lines[number - 1]
    ]


def carved(text: bytes, found: Resolution, side: int) -> list[bytes]:
    places = zip(found.start.tolist(), found.length.tolist(), found.side.tolist(), strict=True)
    return [text[start : start + length] for start, length, to in places if to == side]


@settings(deadline=None)
@given(st.data(), any_lines, chunk_sizes)
def test_each_entry_has_the_labels_and_boxes_of_its_line(
    data: st.DataObject, lines: list[bytes], sizes: list[int]
) -> None:
    text = manifest(*lines)
    index = resolve(pieces_of(text, data.draw(cuts(len(text))), sizes), reading(text)).index
    entries = [read_entry(lines[row]) for row in kept_by_definition(lines)[0]]
    assert told(index) == [
        (entry.labels, entry.boxes) for entry in entries if isinstance(entry, Entry)
    ]


def told(index: Index) -> list[tuple[tuple[str, ...], tuple[int, ...]]]:
    rows, position = [], 0
    for number in index.label_set.tolist():
        first, last = index.set_offsets[number : number + 2].tolist()
        labels = tuple(index.names[label] for label in index.set_labels[first:last].tolist())
        boxes = index.boxes[position : position + len(labels)].tolist() or [0] * len(labels)
        rows.append((labels, tuple(boxes)))
        position += len(labels)
    return rows


def test_labels_are_told_in_the_order_in_which_the_file_has_them() -> None:
    pieces = [
        any_piece(class_line("a", "emu"), class_line("b", "owl")),
        any_piece(class_line("c", "jay"), box_line("d", "owl", "emu")),
    ]
    assert label_table(resolve(pieces, reading(b"")).index) == {
        "emu": (2, 1),
        "owl": (2, 1),
        "jay": (1, 0),
    }


def any_piece(*lines: bytes) -> Piece:
    return index_lines((100 * row, line) for row, line in enumerate(lines))


def test_a_duplicate_in_a_later_range_is_dropped_and_says_where_the_first_is() -> None:
    lines = [
        b"",
        class_line("a", "owl"),
        class_line("a", "emu"),
        bare_line("b"),
        class_line("a", "owl"),
    ]
    text = manifest(*lines)
    ends = [0, *accumulate(len(line) + 1 for line in lines)]
    cuts = [(ends[0], ends[2]), (ends[2], ends[3]), (ends[3], ends[5])]
    found = resolve(pieces_of(text, cuts, [len(text)]), reading(text))
    assert originals(found) == {2: 1, 4: 1}
    assert found.index.stats().total_labels == 1
    assert [(one.line, one.detail) for one in found.rejected_lines()][1:] == [
        (3, "The source-ref is already on line 2."),
        (5, "The source-ref is already on line 2."),
    ]


def originals(found: Resolution) -> dict[int, int]:
    return dict(zip(found.duplicate.tolist(), found.original.tolist(), strict=True))


def test_equal_hashes_are_a_duplicate_only_of_the_same_image() -> None:
    text = manifest(bare_line("a"), bare_line("b"), bare_line("a"))
    pieces = [
        replace(piece, source=np.full(3, 7, np.uint64))
        for piece in pieces_of(text, [(0, len(text))], [99])
    ]
    found = resolve(pieces, reading(text))
    assert originals(found) == {2: 0}
    assert found.index.source.tolist() == [7, 7]
    assert len(set(found.word.tolist())) == 2


def test_a_rejected_line_is_never_the_first_of_a_duplicate() -> None:
    text = manifest(b"broken", bare_line("a"), b"broken")
    pieces = [
        replace(piece, source=np.zeros(3, np.uint64))
        for piece in pieces_of(text, [(0, len(text))], [99])
    ]
    found = resolve(pieces, reading(text))
    assert len(found.index) == 1
    assert originals(found) == {}


def test_labels_of_images_alone_keep_no_boxes() -> None:
    found = resolve(
        [any_piece(class_line("a", "owl")), any_piece(class_line("b", "emu", "owl"))], reading(b"")
    )
    assert found.index.boxes.size == 0


def test_boxes_in_one_range_give_every_entry_its_counts() -> None:
    found = resolve(
        [any_piece(class_line("a", "owl")), any_piece(box_line("b", "emu", "owl"))], reading(b"")
    )
    assert found.index.boxes.tolist() == [0, 1, 1]
