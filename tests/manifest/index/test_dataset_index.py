"""The index gives the same statistics, labels and positions as the lines."""

from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xxhash import xxh3_128_intdigest

from tests.support.label_sets import tabulate_labels
from tests.support.manifest_files import any_lines, make_box_file_line, make_class_file_line
from twofold.errors import DamagedObjectError
from twofold.manifest.index import columns
from twofold.manifest.index.dataset_index import DatasetIndex, DatasetStats
from twofold.manifest.index.hash_collisions import make_line_reader
from twofold.manifest.index.range_indexer import index_lines
from twofold.manifest.index.resolve import join_ranges
from twofold.manifest.index.source_hashes import hash_source_ref
from twofold.manifest.line.entry import Entry, read_entry


def build_index(lines: list[bytes]) -> DatasetIndex:
    starts = [0, *accumulate(len(line) + 1 for line in lines)][: len(lines)]
    text = b"".join(line + b"\n" for line in lines)
    return join_ranges([index_lines(zip(starts, lines, strict=True))], make_line_reader(text)).index


def read_entries(lines: list[bytes]) -> dict[bytes, Entry]:
    """Return the entries by line, and only the first entry of each source-ref."""
    first_entries: dict[str, tuple[bytes, Entry]] = {}
    for line in lines:
        entry = read_entry(line)
        if isinstance(entry, Entry):
            first_entries.setdefault(entry.source_ref, (line, entry))
    return dict(first_entries.values())


def count_by_definition(entries: list[Entry]) -> dict[str, tuple[int, int]]:
    table: dict[str, tuple[int, int]] = {}
    for entry in entries:
        for label, boxes in zip(entry.labels, entry.boxes, strict=True):
            images, before = table.get(label, (0, 0))
            table[label] = (images + 1, before + boxes)
    return table


@settings(deadline=None)
@given(any_lines)
def test_stats_and_labels_are_those_of_the_lines(lines: list[bytes]) -> None:
    index, entries = build_index(lines), list(read_entries(lines).values())
    table = count_by_definition(entries)
    assert index.compute_stats() == DatasetStats(
        total_entries=len(entries),
        labeled_entries=sum(entry.labeled for entry in entries),
        total_labels=len(table),
        error_entries=sum(entry.has_errors for entry in entries),
    )
    assert dict(tabulate_labels(index)) == table


@settings(deadline=None)
@given(any_lines, st.data())
def test_a_part_of_an_index_answers_as_the_index_of_that_part_of_the_lines(
    lines: list[bytes], data: st.DataObject
) -> None:
    index, entry_lines = build_index(lines), list(read_entries(lines))
    chosen = data.draw(
        st.lists(st.booleans(), min_size=len(entry_lines), max_size=len(entry_lines))
    )
    part = index.take_entries(np.array(chosen, bool))
    alone = build_index(
        [line for line, is_chosen in zip(entry_lines, chosen, strict=True) if is_chosen]
    )
    assert part.compute_stats() == alone.compute_stats()
    assert dict(tabulate_labels(part)) == dict(tabulate_labels(alone))
    assert part.manifest_bytes == alone.manifest_bytes
    for column in ("length", "source", "flags"):
        np.testing.assert_array_equal(getattr(part, column), getattr(alone, column))


@settings(deadline=None)
@given(any_lines, st.data())
def test_both_parts_of_an_index_add_up_to_it(lines: list[bytes], data: st.DataObject) -> None:
    index = build_index(lines)
    size = len(index)
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)), bool)
    chosen_part, remaining_part = index.take_entries(chosen), index.take_entries(~chosen)
    assert (
        chosen_part.count_entries_by_label() + remaining_part.count_entries_by_label()
    ).tolist() == (index.count_entries_by_label().tolist())
    assert (
        chosen_part.count_boxes_by_label() + remaining_part.count_boxes_by_label()
    ).tolist() == (index.count_boxes_by_label().tolist())
    assert chosen_part.manifest_bytes + remaining_part.manifest_bytes == index.manifest_bytes


@settings(deadline=None)
@given(any_lines)
def test_an_index_comes_back_from_storage_as_it_was(lines: list[bytes]) -> None:
    stored = build_index(lines).encode()
    again = DatasetIndex.decode(stored)
    assert again.encode() == stored
    assert dict(tabulate_labels(again)) == dict(tabulate_labels(build_index(lines)))


@settings(deadline=None)
@given(any_lines)
def test_starts_and_lengths_find_each_line_in_the_manifest(lines: list[bytes]) -> None:
    index, entry_lines = build_index(lines), list(read_entries(lines))
    manifest = b"".join(line + b"\n" for line in entry_lines)
    spans = zip(index.compute_starts().tolist(), index.length.tolist(), strict=True)
    assert [manifest[start : start + length] for start, length in spans] == entry_lines
    assert index.manifest_bytes == len(manifest)


def test_an_empty_index_answers_with_nothing() -> None:
    empty = build_index([])
    assert empty.compute_stats() == DatasetStats()
    assert dict(tabulate_labels(empty)) == {}
    assert empty.compute_starts().size == empty.manifest_bytes == 0
    assert len(empty.take_entries(np.empty(0, bool))) == 0


def test_positions_beyond_four_gibibytes_are_exact() -> None:
    index = build_index(
        [
            make_class_file_line("a", "owl"),
            make_class_file_line("b", "owl"),
            make_class_file_line("c", "owl"),
        ]
    )
    large = DatasetIndex(
        length=np.full(3, (1 << 32) - 1, np.uint32),
        source=index.source,
        file_name=index.file_name,
        label_set=index.label_set,
        flags=index.flags,
        codes=index.codes,
        boxes=index.boxes,
        set_offsets=index.set_offsets,
        set_labels=index.set_labels,
        names=index.names,
    )
    assert large.compute_starts().tolist() == [0, 1 << 32, 2 << 32]
    assert large.manifest_bytes == 3 << 32


def test_another_kind_of_object_is_no_index() -> None:
    with pytest.raises(DamagedObjectError, match="not the index of a dataset"):
        DatasetIndex.decode(columns.pack_columns({"shard": 3}, {"start": np.arange(3)}))


def test_the_hash_of_a_source_ref_is_xxh3_in_two_halves() -> None:
    low, high = hash_source_ref("s3://images/Großtrappe.png")
    assert (high << 64) + low == xxh3_128_intdigest("s3://images/Großtrappe.png".encode())


def test_an_index_takes_21_bytes_an_entry_and_one_for_each_label_with_boxes() -> None:
    lines = [make_class_file_line(str(number), "owl") for number in range(1000)]
    spent = len(build_index(lines).encode()) - len(build_index(lines[:500]).encode())
    assert spent == pytest.approx(500 * 21, abs=256)
    boxed = [make_box_file_line(str(number), "owl", "emu") for number in range(1000)]
    spent = len(build_index(boxed).encode()) - len(build_index(boxed[:500]).encode())
    assert spent == pytest.approx(500 * 23, abs=256)
