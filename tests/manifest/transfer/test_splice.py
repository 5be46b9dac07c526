from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twofold.errors import DamagedObjectError
from twofold.manifest.transfer.shard_transfer import ShardTransfer
from twofold.manifest.transfer.splice import Inserts, splice_chunks

any_text = st.binary(min_size=1, max_size=9).filter(lambda text: b"\n" not in text)


@st.composite
def draw_splice(draw: st.DrawFn) -> tuple[list[bytes], dict[int, bytes], list[bytes]]:
    """Draw (lines of a source, replacements by line number, appended lines)."""
    lines = draw(st.lists(any_text, max_size=12))
    numbers = draw(st.sets(st.integers(0, max(len(lines) - 1, 0)), max_size=len(lines)))
    replaced = {number: draw(any_text) for number in sorted(numbers)}
    appended = draw(st.lists(any_text, max_size=4))
    return lines, replaced, appended


def split_into_chunks(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@given(case=draw_splice(), chunk=st.integers(1, 20), cuts=st.sets(st.integers(1, 15)))
def test_transferring_a_spliced_source_in_any_ranges_gives_the_merged_lines(
    case: tuple[list[bytes], dict[int, bytes], list[bytes]], chunk: int, cuts: set[int]
) -> None:
    lines, replaced, appended = case
    source = b"".join(line + b"\n" for line in lines)
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    inserted = [*replaced.values(), *appended]
    inserts = Inserts(
        np.array([*(starts[i] for i in replaced), *[len(source)] * len(appended)], np.uint64),
        np.array([len(line) for line in inserted], np.uint32),
    )
    stay = [number for number in range(len(lines)) if number not in replaced]
    start, length = inserts.insert_lines(
        np.array([starts[i] for i in stay], np.uint64),
        np.array([len(lines[i]) for i in stay], np.uint32),
    )
    texts = inserts.split_texts(b"".join(line + b"\n" for line in inserted))
    written = bytearray()
    edges = sorted({0, *(cut for cut in cuts if cut < start.size), start.size})
    for first, last in pairwise(edges):
        end = int(start[last - 1]) + int(length[last - 1])
        spliced_range = inserts.locate_range(int(start[first]), end)
        own = slice(spliced_range.first, spliced_range.last)
        chunks = split_into_chunks(
            source[spliced_range.source_start : spliced_range.source_end], chunk
        )
        sides = np.zeros(last - first, np.uint8)
        transfer = ShardTransfer(start[first:last], length[first:last], sides, 1)
        stream = splice_chunks(
            chunks, spliced_range.source_start, inserts.at[own].tolist(), texts[own]
        )
        transfer.run(stream, lambda _, data: written.extend(data))
    expected = [replaced.get(number, line) for number, line in enumerate(lines)] + appended
    assert bytes(written) == b"".join(line + b"\n" for line in expected)


def test_texts_of_another_size_than_planned_are_damage() -> None:
    inserts = Inserts(np.array([0], np.uint64), np.array([3], np.uint32))
    assert inserts.split_texts(b"abc\n") == [b"abc\n"]
    with pytest.raises(DamagedObjectError, match="5 bytes, not 4"):
        inserts.split_texts(b"abcd\n")


def test_nothing_is_inserted_into_nothing() -> None:
    start, length = Inserts.make_empty().insert_lines(
        np.empty(0, np.uint64), np.empty(0, np.uint32)
    )
    assert (start.size, length.size) == (0, 0)
    assert list(splice_chunks([b"a", b"b"], 0, [], [])) == [b"a", b"b"]
