from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twofold.errors import DamagedObjectError
from twofold.manifest.carve import Carving
from twofold.manifest.splice import Inserts, splice

any_text = st.binary(min_size=1, max_size=9).filter(lambda text: b"\n" not in text)


@st.composite
def any_splice(draw: st.DrawFn) -> tuple[list[bytes], dict[int, bytes], list[bytes]]:
    """Lines of a source, which of them give way to what, and what is appended."""
    lines = draw(st.lists(any_text, max_size=12))
    places = draw(st.sets(st.integers(0, max(len(lines) - 1, 0)), max_size=len(lines)))
    replaced = {place: draw(any_text) for place in sorted(places)}
    appended = draw(st.lists(any_text, max_size=4))
    return lines, replaced, appended


def chunked(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@given(case=any_splice(), chunk=st.integers(1, 20), cuts=st.sets(st.integers(1, 15)))
def test_carving_a_spliced_source_in_any_stretches_gives_the_lines_that_are_meant(
    case: tuple[list[bytes], dict[int, bytes], list[bytes]], chunk: int, cuts: set[int]
) -> None:
    lines, replaced, appended = case
    source = b"".join(one + b"\n" for one in lines)
    starts = [0, *accumulate(len(one) + 1 for one in lines)]
    inserted = [*replaced.values(), *appended]
    inserts = Inserts(
        np.array([*(starts[i] for i in replaced), *[len(source)] * len(appended)], np.uint64),
        np.array([len(one) for one in inserted], np.uint32),
    )
    stay = [number for number in range(len(lines)) if number not in replaced]
    start, length = inserts.into(
        np.array([starts[i] for i in stay], np.uint64),
        np.array([len(lines[i]) for i in stay], np.uint32),
    )
    texts = inserts.texts(b"".join(one + b"\n" for one in inserted))
    written = bytearray()
    edges = sorted({0, *(cut for cut in cuts if cut < start.size), start.size})
    for first, last in pairwise(edges):
        end = int(start[last - 1]) + int(length[last - 1])
        stretch = inserts.stretch(int(start[first]), end)
        own = slice(stretch.first, stretch.last)
        chunks = chunked(source[stretch.source_start : stretch.source_end], chunk)
        sides = np.zeros(last - first, np.uint8)
        carving = Carving(start[first:last], length[first:last], sides, 1)
        stream = splice(chunks, stretch.source_start, inserts.at[own].tolist(), texts[own])
        carving.run(stream, lambda _, data: written.extend(data))
    expected = [replaced.get(number, line) for number, line in enumerate(lines)] + appended
    assert bytes(written) == b"".join(one + b"\n" for one in expected)


def test_texts_of_another_size_than_planned_are_damage() -> None:
    inserts = Inserts(np.array([0], np.uint64), np.array([3], np.uint32))
    assert inserts.texts(b"abc\n") == [b"abc\n"]
    with pytest.raises(DamagedObjectError, match="5 bytes, not 4"):
        inserts.texts(b"abcd\n")


def test_nothing_is_inserted_into_nothing() -> None:
    start, length = Inserts.none().into(np.empty(0, np.uint64), np.empty(0, np.uint32))
    assert (start.size, length.size) == (0, 0)
    assert list(splice([b"a", b"b"], 0, [], [])) == [b"a", b"b"]
