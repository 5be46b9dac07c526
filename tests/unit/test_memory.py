"""What a worker holds depends on its chunks and its number of lines, not on the bytes that pass through it."""

import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.unit.any_manifests import class_line
from twofold.manifest.carve import Carving
from twofold.manifest.pieces import index_batches
from twofold.manifest.reader import batches_of_range, lines_of_range

MIB = 1 << 20
LINE = class_line("owl.jpg", "owl")[:-1] + b', "note": "' + b"x" * 4000 + b'"}'
LINES = 6_000
SIZE = LINES * (len(LINE) + 1)


def chunks(size: int = MIB // 2) -> Iterator[bytes]:
    """About 25 MB, of which there is never more than a chunk."""
    several = (LINE + b"\n") * (2 * size // len(LINE))
    left = SIZE
    position = 0
    while left:
        chunk = several[position : position + min(size, left)]
        yield chunk
        left -= len(chunk)
        position = (position + len(chunk)) % (len(LINE) + 1)


def peak_of(work: Callable[[], Any]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_indexing_holds_some_chunks_and_some_bytes_a_line() -> None:
    peak = peak_of(lambda: len(index_batches(batches_of_range(chunks(), 0, SIZE))))
    assert peak < 4 * MIB + 200 * LINES


def test_an_endless_line_is_not_held() -> None:
    endless = (b"x" * MIB for _ in range(64))
    found: list[object] = []
    peak = peak_of(lambda: found.extend(lines_of_range(endless, 0, 64 * MIB)))
    assert found == [(0, None)]
    assert peak < 6 * MIB


@pytest.mark.parametrize("runs", [1, 100])
def test_carving_holds_some_chunks(runs: int) -> None:
    start = np.arange(LINES, dtype=np.uint64) * np.uint64(len(LINE) + 1)
    side = (np.arange(LINES) // runs % 2).astype(np.uint8)
    carving = Carving(start, np.full(LINES, len(LINE), np.uint32), side, 2)
    peak = peak_of(lambda: carving.run(chunks(), lambda _, __: None))
    assert sum(tally.bytes for tally in carving.tallies) == SIZE
    assert peak < 4 * MIB
