"""Manifest files for tests: valid lines, lines with errors and rejected lines, with any terminators and cut into any ranges."""

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise

from hypothesis import strategies as st

from tests.support.manifest_lines import make_box, make_box_line, make_class_line
from twofold.manifest.index.range_index import RangeIndex
from twofold.manifest.index.range_indexer import index_lines
from twofold.manifest.line.byte_ranges import read_lines

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
REJECTED = (
    b"",
    b"   ",
    b"not json",
    b"[1]",
    b'{"source": "s3://b/k"}',
    b'{"source-ref": "http://x"}',
)


def make_class_file_line(source: str, *labels: str) -> bytes:
    return json.dumps(make_class_line(*labels) | {"source-ref": f"s3://images/{source}"}).encode()


def make_box_file_line(source: str, *labels: str) -> bytes:
    """Return a line with one box for each label."""
    boxes = [make_box(number) for number in range(len(labels))]
    line = make_box_line(*boxes, names=labels)
    return json.dumps(line | {"source-ref": f"s3://images/{source}"}).encode()


def make_bare_line(source: str) -> bytes:
    """Return a line without a label."""
    return json.dumps({"source-ref": f"s3://images/{source}"}).encode()


sources = st.text("abcé", min_size=1, max_size=2)
labels = st.sampled_from(["owl", "emu", "Großtrappe", "jay", "kea"])
entries = (
    st.builds(make_bare_line, sources)
    | st.builds(
        lambda source, some: make_class_file_line(source, *some),
        sources,
        st.lists(labels, max_size=3),
    )
    | st.builds(
        lambda source, some: make_box_file_line(source, *some),
        sources,
        st.lists(labels, max_size=4, unique=True),
    )
)
any_lines = st.lists(entries | st.sampled_from(REJECTED), min_size=1, max_size=25)


@st.composite
def draw_file(draw: st.DrawFn, lines: st.SearchStrategy[list[bytes]] = any_lines) -> bytes:
    """Draw a manifest with mixed terminators, and with or without a byte order mark and a last newline."""
    drawn = draw(lines)
    ends = draw(
        st.lists(st.sampled_from([b"\n", b"\r\n"]), min_size=len(drawn), max_size=len(drawn))
    )
    text = b"".join(line + end for line, end in zip(drawn, ends, strict=True))
    if draw(st.booleans()):
        text = text.removesuffix(b"\n")
    return draw(st.sampled_from([b"", BYTE_ORDER_MARK])) + text


@st.composite
def draw_ranges(draw: st.DrawFn, size: int) -> list[tuple[int, int]]:
    """Draw at least one range [start, end); the ranges cover `size` bytes."""
    inner = draw(st.lists(st.integers(1, max(1, size - 1)), max_size=6)) if size > 1 else []
    return list(pairwise([*sorted({0, *inner} - {size}), size])) or [(0, 0)]


def split_into_chunks(data: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    """Yield the data in chunks of these sizes, in turn."""
    position, turn = 0, 0
    while position < len(data):
        size = sizes[turn % len(sizes)]
        yield data[position : position + size]
        position, turn = position + size, turn + 1


chunk_sizes = st.lists(st.integers(1, 40), min_size=1, max_size=4)


def index_ranges(
    data: bytes, ranges: Sequence[tuple[int, int]], sizes: Sequence[int]
) -> list[RangeIndex]:
    """Return the index of each range."""
    return [
        index_lines(read_lines(split_into_chunks(data[max(start - 1, 0) :], sizes), start, end))
        for start, end in ranges
    ]


def split_lines(data: bytes) -> list[bytes]:
    """Return the lines of a file, by a direct definition."""
    text = data.removeprefix(BYTE_ORDER_MARK)
    whole = text.split(b"\n")
    return [line.removesuffix(b"\r") for line in (whole if whole[-1] else whole[:-1])]
