"""Byte ranges yield every line once, for any cut of the file."""

import re
from collections.abc import Iterator
from itertools import chain, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.manifest_files import (
    BYTE_ORDER_MARK,
    chunk_sizes,
    draw_ranges,
    split_into_chunks,
)
from twofold.manifest.line import byte_ranges
from twofold.manifest.line.byte_ranges import OffsetLine, read_lines, split_into_ranges
from twofold.manifest.line.limits import MAX_LINE_BYTES

LIMIT = 6
"""Replaces MAX_LINE_BYTES, so that short lines are too long."""

texts = st.lists(
    st.sampled_from([b"\n", b"\r", b"\r\n", b"a", b"bc", b"0123456", BYTE_ORDER_MARK]), max_size=30
).map(b"".join)


def split_by_definition(data: bytes, limit: int) -> list[OffsetLine]:
    """Return (offset, line) of all lines, by a regular expression."""
    offset_lines: list[OffsetLine] = []
    position = 0
    for terminated in re.findall(rb"[^\n]*\n|[^\n]+", data):
        line = terminated.removesuffix(b"\n").removesuffix(b"\r")
        mark = len(BYTE_ORDER_MARK) if not position and line.startswith(BYTE_ORDER_MARK) else 0
        if len(line) - mark > limit:
            offset_lines.append((position, None))
        else:
            offset_lines.append((position + mark, line[mark:]))
        position += len(terminated)
    return offset_lines


class CountingChunks:
    """Chunks that record the sizes of all requested chunks."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.chunks = chunks
        self.asked: list[int] = []

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            self.asked.append(len(chunk))
            yield chunk


@settings(deadline=None)
@given(st.data(), texts, chunk_sizes)
def test_all_ranges_together_yield_every_line_once_at_its_offset(
    data: st.DataObject, text: bytes, sizes: list[int]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(byte_ranges, "MAX_LINE_BYTES", LIMIT)
        read = [
            line
            for start, end in data.draw(draw_ranges(len(text)))
            for line in read_lines(split_into_chunks(text[max(start - 1, 0) :], sizes), start, end)
        ]
    assert read == split_by_definition(text, LIMIT)


@settings(deadline=None)
@given(st.data(), texts, chunk_sizes)
def test_no_chunk_is_asked_for_that_is_not_needed(
    data: st.DataObject, text: bytes, sizes: list[int]
) -> None:
    for start, end in data.draw(draw_ranges(len(text))):
        first = max(start - 1, 0)
        counted = CountingChunks(
            chain(
                split_into_chunks(text[first:end], sizes), split_into_chunks(text[end:], sizes[:1])
            )
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(byte_ranges, "MAX_LINE_BYTES", LIMIT)
            list(read_lines(counted, start, end))
        read = first + sum(counted.asked[:-1])
        began = max(text.rfind(b"\n", first, read) + 1, first)
        unfinished = began < end
        settled = read >= end and (began < start or read - began > LIMIT + 4)
        assert not counted.asked or (unfinished and not settled)


def test_a_range_in_the_middle_of_a_line_asks_for_nothing_beyond_its_end() -> None:
    counted = CountingChunks(iter([b"middle", b" of a line\n"]))
    assert list(read_lines(counted, 11, 16)) == []
    assert counted.asked == [6]


@pytest.mark.parametrize("text", [b"", b"\n", b"\n\n\n", b"a", b"a\r", b"\r\n", BYTE_ORDER_MARK])
def test_small_files_have_the_expected_lines(text: bytes) -> None:
    assert list(read_lines([text], 0, len(text))) == split_by_definition(text, MAX_LINE_BYTES)


def test_only_the_range_with_the_first_byte_has_the_line_behind_a_byte_order_mark() -> None:
    text = BYTE_ORDER_MARK + b"line\n"
    assert list(read_lines([text], 0, 1)) == [(3, b"line")]
    assert list(read_lines([text], 1, len(text))) == []


@pytest.mark.parametrize("terminator", [b"\n", b"\r\n", b""])
@pytest.mark.parametrize(
    ("length", "kept"), [(MAX_LINE_BYTES, True), (MAX_LINE_BYTES + 1, False), (2_000_000, False)]
)
@pytest.mark.parametrize("chunk", [65_536, 150_000, 4 << 20])
def test_a_line_is_too_long_from_400_001_bytes_on_whatever_it_spans(
    terminator: bytes, length: int, kept: bool, chunk: int
) -> None:
    long = b"x" * length
    text = b"before\n" + long + terminator + (b"after\n" if terminator else b"")
    expected: list[OffsetLine] = [(0, b"before"), (7, long if kept else None)]
    if terminator:
        expected.append((7 + length + len(terminator), b"after"))
    third = len(text) // 3
    read = [
        line
        for start, end in [(0, third), (third, 2 * third), (2 * third, len(text))]
        for line in read_lines(split_into_chunks(text[max(start - 1, 0) :], [chunk]), start, end)
    ]
    assert read == expected


@pytest.mark.parametrize(("length", "kept"), [(MAX_LINE_BYTES, True), (MAX_LINE_BYTES + 1, False)])
@pytest.mark.parametrize("chunk", [65_536, MAX_LINE_BYTES + 2, 4 << 20])
def test_a_byte_order_mark_does_not_count_to_the_length_of_the_first_line(
    length: int, kept: bool, chunk: int
) -> None:
    long = b"x" * length
    text = BYTE_ORDER_MARK + long + b"\r\nafter\n"
    expected: list[OffsetLine] = [(3, long) if kept else (0, None), (length + 5, b"after")]
    assert list(read_lines(split_into_chunks(text, [chunk]), 0, len(text))) == expected


@settings(deadline=None)
@given(st.integers(0, 10**12), st.integers(1, 10**9))
def test_ranges_cover_the_file_in_near_equal_spans(size: int, span: int) -> None:
    span = max(span, size // 1000)
    cut = split_into_ranges(size, span)
    assert (cut[0][0], cut[-1][1]) == (0, size)
    assert all(left[1] == right[0] for left, right in pairwise(cut))
    widths = [end - start for start, end in cut]
    assert max(widths) - min(widths) <= 1
    assert len(cut) == 1 or (min(widths) * 2 >= span and max(widths) <= span * 3 // 2 + 1)
