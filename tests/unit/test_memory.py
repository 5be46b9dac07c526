"""What a worker holds depends on its chunks and its number of lines, not on the bytes that pass through it."""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.peak import peak_of
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


def index() -> int:
    return len(index_batches(batches_of_range(chunks(), 0, SIZE)))


def test_indexing_holds_some_chunks_and_some_bytes_a_line() -> None:
    indexed, peak = peak_of(index)
    assert indexed == LINES
    assert peak < 4 * MIB + 200 * LINES


def read_an_endless_line() -> list[tuple[int, bytes | None]]:
    return list(lines_of_range((b"x" * MIB for _ in range(64)), 0, 64 * MIB))


def test_an_endless_line_is_not_held() -> None:
    found, peak = peak_of(read_an_endless_line)
    assert found == [(0, None)]
    assert peak < 6 * MIB


def carve(runs: int) -> int:
    """Lines to the two sides by turns, so many in a row; their bytes."""
    start = np.arange(LINES, dtype=np.uint64) * np.uint64(len(LINE) + 1)
    side = (np.arange(LINES) // runs % 2).astype(np.uint8)
    carving = Carving(start, np.full(LINES, len(LINE), np.uint32), side, 2)
    carving.run(chunks(), lambda _, __: None)
    return sum(tally.bytes for tally in carving.tallies)


@pytest.mark.parametrize("runs", [1, 100])
def test_carving_holds_some_chunks(runs: int) -> None:
    carved, peak = peak_of(carve, runs)
    assert carved == SIZE
    assert peak < 4 * MIB
