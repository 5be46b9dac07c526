"""The memory of a worker depends on the size of chunks and the number of lines, not on the bytes that it reads."""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.support.manifest_files import make_class_file_line
from tests.support.peak_memory import measure_peak
from twofold.manifest.index.range_indexer import index_batches
from twofold.manifest.line.byte_ranges import read_batches, read_lines
from twofold.manifest.transfer.shard_transfer import ShardTransfer

MIB = 1 << 20
LINE = make_class_file_line("owl.jpg", "owl")[:-1] + b', "note": "' + b"x" * 4000 + b'"}'
LINES = 6_000
SIZE = LINES * (len(LINE) + 1)


def generate_chunks(size: int = MIB // 2) -> Iterator[bytes]:
    """Yield about 25 MB, with one chunk in memory at a time."""
    several = (LINE + b"\n") * (2 * size // len(LINE))
    remaining = SIZE
    position = 0
    while remaining:
        chunk = several[position : position + min(size, remaining)]
        yield chunk
        remaining -= len(chunk)
        position = (position + len(chunk)) % (len(LINE) + 1)


def index_manifest() -> int:
    return len(index_batches(read_batches(generate_chunks(), 0, SIZE)))


def test_indexing_holds_some_chunks_and_some_bytes_a_line() -> None:
    indexed, peak = measure_peak(index_manifest)
    assert indexed == LINES
    assert peak < 4 * MIB + 200 * LINES


def read_an_endless_line() -> list[tuple[int, bytes | None]]:
    return list(read_lines((b"x" * MIB for _ in range(64)), 0, 64 * MIB))


def test_an_endless_line_is_not_held() -> None:
    lines, peak = measure_peak(read_an_endless_line)
    assert lines == [(0, None)]
    assert peak < 6 * MIB


def transfer_lines(runs: int) -> int:
    """Transfer runs of lines to two sides in turn, and return the written bytes."""
    start = np.arange(LINES, dtype=np.uint64) * np.uint64(len(LINE) + 1)
    side = (np.arange(LINES) // runs % 2).astype(np.uint8)
    transfer = ShardTransfer(start, np.full(LINES, len(LINE), np.uint32), side, 2)
    transfer.run(generate_chunks(), lambda _, __: None)
    return sum(side_totals.bytes for side_totals in transfer.totals)


@pytest.mark.parametrize("runs", [1, 100])
def test_a_transfer_holds_some_chunks(runs: int) -> None:
    transferred, peak = measure_peak(transfer_lines, runs)
    assert transferred == SIZE
    assert peak < 4 * MIB
