"""Manifest files for tests: lines of every fate, put together and cut in arbitrary ways."""

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise

from hypothesis import strategies as st

from tests.unit.any_lines import any_box, any_box_line, any_class_line
from twofold.manifest.pieces import Piece, index_lines
from twofold.manifest.reader import lines_of_range

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
REJECTED = (
    b"",
    b"   ",
    b"not json",
    b"[1]",
    b'{"source": "s3://b/k"}',
    b'{"source-ref": "http://x"}',
)


def class_line(source: str, *labels: str) -> bytes:
    return json.dumps(any_class_line(*labels) | {"source-ref": f"s3://images/{source}"}).encode()


def box_line(source: str, *labels: str) -> bytes:
    """One box for each label."""
    boxes = [any_box(number) for number in range(len(labels))]
    line = any_box_line(*boxes, names=labels)
    return json.dumps(line | {"source-ref": f"s3://images/{source}"}).encode()


def bare_line(source: str) -> bytes:
    """An entry without a label."""
    return json.dumps({"source-ref": f"s3://images/{source}"}).encode()


sources = st.text("abcé", min_size=1, max_size=2)
labels = st.sampled_from(["owl", "emu", "Großtrappe", "jay", "kea"])
entries = (
    st.builds(bare_line, sources)
    | st.builds(
        lambda source, some: class_line(source, *some), sources, st.lists(labels, max_size=3)
    )
    | st.builds(
        lambda source, some: box_line(source, *some),
        sources,
        st.lists(labels, max_size=4, unique=True),
    )
)
any_lines = st.lists(entries | st.sampled_from(REJECTED), min_size=1, max_size=25)


@st.composite
def files(draw: st.DrawFn, lines: st.SearchStrategy[list[bytes]] = any_lines) -> bytes:
    """A manifest with either terminator, with or without a byte order mark and a last newline."""
    drawn = draw(lines)
    ends = draw(
        st.lists(st.sampled_from([b"\n", b"\r\n"]), min_size=len(drawn), max_size=len(drawn))
    )
    text = b"".join(line + end for line, end in zip(drawn, ends, strict=True))
    if draw(st.booleans()):
        text = text.removesuffix(b"\n")
    return draw(st.sampled_from([b"", BYTE_ORDER_MARK])) + text


@st.composite
def cuts(draw: st.DrawFn, size: int) -> list[tuple[int, int]]:
    """Ranges [start, end) that cover `size` bytes, one at least."""
    inner = draw(st.lists(st.integers(1, max(1, size - 1)), max_size=6)) if size > 1 else []
    return list(pairwise([*sorted({0, *inner} - {size}), size])) or [(0, 0)]


def chunked(data: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    """The data in chunks of these sizes, over and over."""
    position, turn = 0, 0
    while position < len(data):
        size = sizes[turn % len(sizes)]
        yield data[position : position + size]
        position, turn = position + size, turn + 1


chunk_sizes = st.lists(st.integers(1, 40), min_size=1, max_size=4)


def pieces_of(data: bytes, ranges: Sequence[tuple[int, int]], sizes: Sequence[int]) -> list[Piece]:
    """What the workers of these ranges find."""
    return [
        index_lines(lines_of_range(chunked(data[max(start - 1, 0) :], sizes), start, end))
        for start, end in ranges
    ]


def lines_in(data: bytes) -> list[bytes]:
    """The file's lines by their plainest definition."""
    text = data.removeprefix(BYTE_ORDER_MARK)
    whole = text.split(b"\n")
    return [line.removesuffix(b"\r") for line in (whole if whole[-1] else whole[:-1])]
