"""Joining ranges gives the same index for any cut of the file."""

from dataclasses import replace
from itertools import accumulate

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from xxhash import xxh3_64_intdigest

from tests.support.label_sets import tabulate_labels
from tests.support.manifest_files import (
    any_lines,
    chunk_sizes,
    draw_file,
    draw_ranges,
    index_ranges,
    make_bare_line,
    make_box_file_line,
    make_class_file_line,
    split_lines,
)
from twofold.manifest.index.dataset_index import DatasetIndex
from twofold.manifest.index.hash_collisions import make_line_reader
from twofold.manifest.index.range_index import RangeIndex
from twofold.manifest.index.range_indexer import index_lines
from twofold.manifest.index.resolve import KEPT, REJECTED, Resolution, join_ranges
from twofold.manifest.line.entry import Entry, read_entry
from twofold.manifest.line.errors import RejectionReason


def resolve_manifest(data: bytes) -> Resolution:
    return join_ranges(index_ranges(data, [(0, len(data))], [len(data)]), make_line_reader(data))


def resolve_drawn_ranges(data: st.DataObject, text: bytes, sizes: list[int]) -> Resolution:
    """Resolve the file from ranges that Hypothesis draws, read in chunks of these sizes."""
    ranges = index_ranges(text, data.draw(draw_ranges(len(text))), sizes)
    return join_ranges(ranges, make_line_reader(text))


def join_lines(*lines: bytes) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def find_kept_by_definition(lines: list[bytes]) -> tuple[list[int], dict[int, int]]:
    """Return the rows of kept lines, and for each duplicate the row of its original."""
    first: dict[str, int] = {}
    duplicates = {}
    for row, line in enumerate(lines):
        entry = read_entry(line)
        if isinstance(entry, Entry) and first.setdefault(entry.source_ref, row) != row:
            duplicates[row] = first[entry.source_ref]
    return sorted(first.values()), duplicates


@settings(deadline=None)
@given(st.data(), draw_file(), chunk_sizes)
def test_the_result_does_not_depend_on_how_the_file_was_cut(
    data: st.DataObject, text: bytes, sizes: list[int]
) -> None:
    whole, parts = resolve_manifest(text), resolve_drawn_ranges(data, text, sizes)
    assert parts.index.encode() == whole.index.encode()
    for column in ("start", "length", "side", "reason"):
        np.testing.assert_array_equal(getattr(parts, column), getattr(whole, column))
    assert list(parts.iterate_rejected_lines()) == list(whole.iterate_rejected_lines())
    assert (parts.digest, map_duplicates(parts)) == (whole.digest, map_duplicates(whole))
    assert (len(parts.buckets) > 1) == (len(whole.buckets) > 1)


@settings(deadline=None)
@given(st.data(), draw_file(), chunk_sizes)
def test_what_stays_are_the_first_lines_of_each_source_ref(
    data: st.DataObject, text: bytes, sizes: list[int]
) -> None:
    resolution = resolve_drawn_ranges(data, text, sizes)
    lines = split_lines(text)
    rows, duplicates = find_kept_by_definition(lines)
    kept_lines = [lines[row] for row in rows]
    assert extract_side(text, resolution, KEPT) == kept_lines
    assert resolution.index.length.tolist() == [len(line) for line in kept_lines]
    assert resolution.digest == sum(map(xxh3_64_intdigest, kept_lines)) % 2**64
    assert (resolution.lines, resolution.rejected) == (len(lines), len(lines) - len(rows))
    assert map_duplicates(resolution) == duplicates


@settings(deadline=None)
@given(st.data(), draw_file(), chunk_sizes)
def test_dropped_lines_are_told_with_their_number_and_reason(
    data: st.DataObject, text: bytes, sizes: list[int]
) -> None:
    resolution = resolve_drawn_ranges(data, text, sizes)
    lines = split_lines(text)
    rows, duplicates = find_kept_by_definition(lines)
    rejected_lines = {rejected.line: rejected for rejected in resolution.iterate_rejected_lines()}
    assert sorted(rejected_lines) == [row + 1 for row in range(len(lines)) if row not in rows]
    for number, rejected in rejected_lines.items():
        entry = read_entry(lines[number - 1])
        if isinstance(entry, Entry):
            assert rejected.reason is RejectionReason.DUPLICATE_SOURCE_REF
            first = duplicates[number - 1] + 1
            assert rejected.detail == f"The source-ref is already on line {first}."
        else:
            assert (rejected.reason, rejected.detail) == (entry.reason, entry.detail)
    assert extract_side(text, resolution, REJECTED) == [
        lines[number - 1] for number in rejected_lines if lines[number - 1]
    ]


def extract_side(text: bytes, resolution: Resolution, side: int) -> list[bytes]:
    spans = zip(
        resolution.start.tolist(), resolution.length.tolist(), resolution.side.tolist(), strict=True
    )
    return [text[start : start + length] for start, length, line_side in spans if line_side == side]


@settings(deadline=None)
@given(st.data(), any_lines, chunk_sizes)
def test_each_entry_has_the_labels_and_boxes_of_its_line(
    data: st.DataObject, lines: list[bytes], sizes: list[int]
) -> None:
    text = join_lines(*lines)
    index = join_ranges(
        index_ranges(text, data.draw(draw_ranges(len(text))), sizes), make_line_reader(text)
    ).index
    entries = [read_entry(lines[row]) for row in find_kept_by_definition(lines)[0]]
    assert describe_entries(index) == [
        (entry.labels, entry.boxes) for entry in entries if isinstance(entry, Entry)
    ]


def describe_entries(index: DatasetIndex) -> list[tuple[tuple[str, ...], tuple[int, ...]]]:
    rows, position = [], 0
    for number in index.label_set.tolist():
        first, last = index.set_offsets[number : number + 2].tolist()
        labels = tuple(index.names[label] for label in index.set_labels[first:last].tolist())
        boxes = index.boxes[position : position + len(labels)].tolist() or [0] * len(labels)
        rows.append((labels, tuple(boxes)))
        position += len(labels)
    return rows


def test_labels_are_told_in_the_order_in_which_the_file_has_them() -> None:
    ranges = [
        build_range_index(make_class_file_line("a", "emu"), make_class_file_line("b", "owl")),
        build_range_index(make_class_file_line("c", "jay"), make_box_file_line("d", "owl", "emu")),
    ]
    assert tabulate_labels(join_ranges(ranges, make_line_reader(b"")).index) == {
        "emu": (2, 1),
        "owl": (2, 1),
        "jay": (1, 0),
    }


def build_range_index(*lines: bytes) -> RangeIndex:
    return index_lines((100 * row, line) for row, line in enumerate(lines))


def test_a_duplicate_in_a_later_range_is_dropped_and_says_where_the_first_is() -> None:
    lines = [
        b"",
        make_class_file_line("a", "owl"),
        make_class_file_line("a", "emu"),
        make_bare_line("b"),
        make_class_file_line("a", "owl"),
    ]
    text = join_lines(*lines)
    ends = [0, *accumulate(len(line) + 1 for line in lines)]
    cuts = [(ends[0], ends[2]), (ends[2], ends[3]), (ends[3], ends[5])]
    resolution = join_ranges(index_ranges(text, cuts, [len(text)]), make_line_reader(text))
    assert map_duplicates(resolution) == {2: 1, 4: 1}
    assert resolution.index.compute_stats().total_labels == 1
    assert [(line.line, line.detail) for line in resolution.iterate_rejected_lines()][1:] == [
        (3, "The source-ref is already on line 2."),
        (5, "The source-ref is already on line 2."),
    ]


def map_duplicates(resolution: Resolution) -> dict[int, int]:
    return dict(zip(resolution.duplicate.tolist(), resolution.original.tolist(), strict=True))


def test_equal_hashes_are_a_duplicate_only_of_the_same_image() -> None:
    text = join_lines(make_bare_line("a"), make_bare_line("b"), make_bare_line("a"))
    ranges = [
        replace(range_index, source=np.full(3, 7, np.uint64))
        for range_index in index_ranges(text, [(0, len(text))], [99])
    ]
    resolution = join_ranges(ranges, make_line_reader(text))
    assert map_duplicates(resolution) == {2: 0}
    assert resolution.index.source.tolist() == [7, 7]
    assert len(set(resolution.sampling_hash.tolist())) == 2


def test_a_rejected_line_is_never_the_first_of_a_duplicate() -> None:
    text = join_lines(b"broken", make_bare_line("a"), b"broken")
    ranges = [
        replace(range_index, source=np.zeros(3, np.uint64))
        for range_index in index_ranges(text, [(0, len(text))], [99])
    ]
    resolution = join_ranges(ranges, make_line_reader(text))
    assert len(resolution.index) == 1
    assert map_duplicates(resolution) == {}


def test_labels_of_images_alone_keep_no_boxes() -> None:
    resolution = join_ranges(
        [
            build_range_index(make_class_file_line("a", "owl")),
            build_range_index(make_class_file_line("b", "emu", "owl")),
        ],
        make_line_reader(b""),
    )
    assert resolution.index.boxes.size == 0


def test_boxes_in_one_range_give_every_entry_its_counts() -> None:
    resolution = join_ranges(
        [
            build_range_index(make_class_file_line("a", "owl")),
            build_range_index(make_box_file_line("b", "emu", "owl")),
        ],
        make_line_reader(b""),
    )
    assert resolution.index.boxes.tolist() == [0, 1, 1]
