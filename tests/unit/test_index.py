"""The index answers as the lines themselves would."""

from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xxhash import xxh3_128_intdigest

from tests.unit.any_manifests import any_lines, box_line, class_line
from twofold.errors import DamagedObjectError
from twofold.manifest import columns
from twofold.manifest.identity import reading
from twofold.manifest.index import Index, Stats, label_table, source_hash
from twofold.manifest.lines import Entry, read_entry
from twofold.manifest.pieces import index_lines
from twofold.manifest.resolve import resolve


def index_of(lines: list[bytes]) -> Index:
    starts = [0, *accumulate(len(line) + 1 for line in lines)][: len(lines)]
    text = b"".join(line + b"\n" for line in lines)
    return resolve([index_lines(zip(starts, lines, strict=True))], reading(text)).index


def entries_of(lines: list[bytes]) -> dict[bytes, Entry]:
    """Entries by their line; of lines with one source-ref the first."""
    found: dict[str, tuple[bytes, Entry]] = {}
    for line in lines:
        entry = read_entry(line)
        if isinstance(entry, Entry):
            found.setdefault(entry.source_ref, (line, entry))
    return dict(found.values())


def table_of(entries: list[Entry]) -> dict[str, tuple[int, int]]:
    table: dict[str, tuple[int, int]] = {}
    for entry in entries:
        for label, boxes in zip(entry.labels, entry.boxes, strict=True):
            images, before = table.get(label, (0, 0))
            table[label] = (images + 1, before + boxes)
    return table


@settings(deadline=None)
@given(any_lines)
def test_stats_and_labels_are_those_of_the_lines(lines: list[bytes]) -> None:
    index, entries = index_of(lines), list(entries_of(lines).values())
    table = table_of(entries)
    assert index.stats() == Stats(
        total_entries=len(entries),
        labeled_entries=sum(entry.labeled for entry in entries),
        total_labels=len(table),
        error_entries=sum(entry.has_errors for entry in entries),
    )
    assert dict(label_table(index)) == table


@settings(deadline=None)
@given(any_lines, st.data())
def test_a_part_of_an_index_answers_as_the_index_of_that_part_of_the_lines(
    lines: list[bytes], data: st.DataObject
) -> None:
    index, kept = index_of(lines), list(entries_of(lines))
    chosen = data.draw(st.lists(st.booleans(), min_size=len(kept), max_size=len(kept)))
    part = index.take(np.array(chosen, bool))
    alone = index_of([line for line, wanted in zip(kept, chosen, strict=True) if wanted])
    assert part.stats() == alone.stats()
    assert dict(label_table(part)) == dict(label_table(alone))
    assert part.manifest_bytes == alone.manifest_bytes
    for column in ("length", "source", "flags"):
        np.testing.assert_array_equal(getattr(part, column), getattr(alone, column))


@settings(deadline=None)
@given(any_lines, st.data())
def test_both_parts_of_an_index_add_up_to_it(lines: list[bytes], data: st.DataObject) -> None:
    index = index_of(lines)
    size = len(index)
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)), bool)
    one, other = index.take(chosen), index.take(~chosen)
    assert (one.entries_by_label() + other.entries_by_label()).tolist() == (
        index.entries_by_label().tolist()
    )
    assert (one.boxes_by_label() + other.boxes_by_label()).tolist() == (
        index.boxes_by_label().tolist()
    )
    assert one.manifest_bytes + other.manifest_bytes == index.manifest_bytes


@settings(deadline=None)
@given(any_lines)
def test_an_index_comes_back_from_storage_as_it_was(lines: list[bytes]) -> None:
    stored = index_of(lines).encode()
    again = Index.decode(stored)
    assert again.encode() == stored
    assert dict(label_table(again)) == dict(label_table(index_of(lines)))


@settings(deadline=None)
@given(any_lines)
def test_starts_and_lengths_find_each_line_in_the_manifest(lines: list[bytes]) -> None:
    index, kept = index_of(lines), list(entries_of(lines))
    manifest = b"".join(line + b"\n" for line in kept)
    places = zip(index.starts().tolist(), index.length.tolist(), strict=True)
    assert [manifest[start : start + length] for start, length in places] == kept
    assert index.manifest_bytes == len(manifest)


def test_an_empty_index_answers_with_nothing() -> None:
    empty = index_of([])
    assert empty.stats() == Stats()
    assert dict(label_table(empty)) == {}
    assert empty.starts().size == empty.manifest_bytes == 0
    assert len(empty.take(np.empty(0, bool))) == 0


def test_positions_beyond_four_gibibytes_are_exact() -> None:
    index = index_of([class_line("a", "owl"), class_line("b", "owl"), class_line("c", "owl")])
    large = Index(
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
    assert large.starts().tolist() == [0, 1 << 32, 2 << 32]
    assert large.manifest_bytes == 3 << 32


def test_another_kind_of_object_is_no_index() -> None:
    with pytest.raises(DamagedObjectError, match="not the index of a dataset"):
        Index.decode(columns.pack({"shard": 3}, {"start": np.arange(3)}))


def test_the_hash_of_a_source_ref_is_xxh3_in_two_halves() -> None:
    low, high = source_hash("s3://images/Großtrappe.png")
    assert (high << 64) + low == xxh3_128_intdigest("s3://images/Großtrappe.png".encode())


def test_an_index_takes_21_bytes_an_entry_and_one_for_each_label_with_boxes() -> None:
    lines = [class_line(str(number), "owl") for number in range(1000)]
    spent = len(index_of(lines).encode()) - len(index_of(lines[:500]).encode())
    assert spent == pytest.approx(500 * 21, abs=256)
    boxed = [box_line(str(number), "owl", "emu") for number in range(1000)]
    spent = len(index_of(boxed).encode()) - len(index_of(boxed[:500]).encode())
    assert spent == pytest.approx(500 * 23, abs=256)
