"""Lines of byte ranges: every line once, whatever the cut."""

import re
from collections.abc import Iterator
from itertools import chain, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.any_manifests import BYTE_ORDER_MARK, chunk_sizes, chunked, cuts
from twofold.manifest import reader
from twofold.manifest.reader import MAX_LINE_BYTES, Line, lines_of_range, ranges

LIMIT = 6
"""Instead of MAX_LINE_BYTES, so that over-long lines are small."""

texts = st.lists(
    st.sampled_from([b"\n", b"\r", b"\r\n", b"a", b"bc", b"0123456", BYTE_ORDER_MARK]), max_size=30
).map(b"".join)


def lines_by_definition(data: bytes, limit: int) -> list[Line]:
    """(offset at which the line is told, line) of all lines."""
    found: list[Line] = []
    position = 0
    for terminated in re.findall(rb"[^\n]*\n|[^\n]+", data):
        line = terminated.removesuffix(b"\n").removesuffix(b"\r")
        mark = len(BYTE_ORDER_MARK) if not position and line.startswith(BYTE_ORDER_MARK) else 0
        if len(line) - mark > limit:
            found.append((position, None))
        else:
            found.append((position + mark, line[mark:]))
        position += len(terminated)
    return found


class Counted:
    """Chunks that count how many bytes were asked for."""

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
        patch.setattr(reader, "MAX_LINE_BYTES", LIMIT)
        found = [
            line
            for start, end in data.draw(cuts(len(text)))
            for line in lines_of_range(chunked(text[max(start - 1, 0) :], sizes), start, end)
        ]
    assert found == lines_by_definition(text, LIMIT)


@settings(deadline=None)
@given(st.data(), texts, chunk_sizes)
def test_no_chunk_is_asked_for_that_is_not_needed(
    data: st.DataObject, text: bytes, sizes: list[int]
) -> None:
    for start, end in data.draw(cuts(len(text))):
        first = max(start - 1, 0)
        counted = Counted(chain(chunked(text[first:end], sizes), chunked(text[end:], sizes[:1])))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reader, "MAX_LINE_BYTES", LIMIT)
            list(lines_of_range(counted, start, end))
        read = first + sum(counted.asked[:-1])
        began = max(text.rfind(b"\n", first, read) + 1, first)
        unfinished = began < end
        settled = read >= end and (began < start or read - began > LIMIT + 4)
        assert not counted.asked or (unfinished and not settled)


def test_a_range_in_the_middle_of_a_line_asks_for_nothing_beyond_its_end() -> None:
    counted = Counted(iter([b"middle", b" of a line\n"]))
    assert list(lines_of_range(counted, 11, 16)) == []
    assert counted.asked == [6]


@pytest.mark.parametrize("text", [b"", b"\n", b"\n\n\n", b"a", b"a\r", b"\r\n", BYTE_ORDER_MARK])
def test_small_files_have_the_lines_that_one_would_say(text: bytes) -> None:
    assert list(lines_of_range([text], 0, len(text))) == lines_by_definition(text, MAX_LINE_BYTES)


def test_only_the_range_with_the_first_byte_has_the_line_behind_a_byte_order_mark() -> None:
    text = BYTE_ORDER_MARK + b"line\n"
    assert list(lines_of_range([text], 0, 1)) == [(3, b"line")]
    assert list(lines_of_range([text], 1, len(text))) == []


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
    expected: list[Line] = [(0, b"before"), (7, long if kept else None)]
    if terminator:
        expected.append((7 + length + len(terminator), b"after"))
    third = len(text) // 3
    found = [
        line
        for start, end in [(0, third), (third, 2 * third), (2 * third, len(text))]
        for line in lines_of_range(chunked(text[max(start - 1, 0) :], [chunk]), start, end)
    ]
    assert found == expected


@pytest.mark.parametrize(("length", "kept"), [(MAX_LINE_BYTES, True), (MAX_LINE_BYTES + 1, False)])
@pytest.mark.parametrize("chunk", [65_536, MAX_LINE_BYTES + 2, 4 << 20])
def test_a_byte_order_mark_does_not_count_to_the_length_of_the_first_line(
    length: int, kept: bool, chunk: int
) -> None:
    long = b"x" * length
    text = BYTE_ORDER_MARK + long + b"\r\nafter\n"
    expected: list[Line] = [(3, long) if kept else (0, None), (length + 5, b"after")]
    assert list(lines_of_range(chunked(text, [chunk]), 0, len(text))) == expected


@settings(deadline=None)
@given(st.integers(0, 10**12), st.integers(1, 10**9))
def test_ranges_cover_the_file_in_near_equal_spans(size: int, span: int) -> None:
    span = max(span, size // 1000)
    cut = ranges(size, span)
    assert (cut[0][0], cut[-1][1]) == (0, size)
    assert all(one[1] == other[0] for one, other in pairwise(cut))
    widths = [end - start for start, end in cut]
    assert max(widths) - min(widths) <= 1
    assert len(cut) == 1 or (min(widths) * 2 >= span and max(widths) <= span * 3 // 2 + 1)
