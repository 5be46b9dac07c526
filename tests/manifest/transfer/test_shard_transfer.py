"""A transfer writes every line to its side, for any chunks of the source."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xxhash import xxh3_64_intdigest

from tests.support.manifest_files import chunk_sizes, split_into_chunks
from twofold.errors import DamagedObjectError
from twofold.manifest.transfer.shard_transfer import ShardTransfer, SideTotals

SIDES = 3


@dataclass(frozen=True)
class Source:
    """A source that begins with the unused bytes `before`; each line has a side and is followed by some bytes."""

    before: bytes
    lines: list[tuple[bytes, int, bytes]]

    @property
    def text(self) -> bytes:
        return self.before + b"".join(line + after for line, _, after in self.lines)

    def make_transfer(self) -> ShardTransfer:
        start, position = [], len(self.before)
        for line, _, after in self.lines:
            start.append(position)
            position += len(line) + len(after)
        return ShardTransfer(
            np.array(start, np.uint64),
            np.array([len(line) for line, _, _ in self.lines], np.uint32),
            np.array([side for _, side, _ in self.lines], np.uint8),
            SIDES,
        )

    def list_side(self, side: int) -> list[bytes]:
        return [line for line, line_side, _ in self.lines if line_side == side]


lines = st.binary(min_size=1, max_size=12).map(lambda line: line.replace(b"\n", b"_"))
gaps = st.just(b"\n") | st.sampled_from([b"\r\n", b"\n\n", b"\n" + b"dropped" * 20 + b"\n"])
any_source = st.builds(
    Source, st.binary(max_size=5), st.lists(st.tuples(lines, st.integers(0, SIDES - 1), gaps))
)


def run_transfer(
    source: Source, text: bytes, sizes: list[int]
) -> tuple[list[bytes], list[SideTotals]]:
    written = [bytearray() for _ in range(SIDES)]
    chunks = split_into_chunks(text[len(source.before) :], sizes)
    totals = source.make_transfer().run(chunks, lambda side, data: written[side].extend(data))
    return [bytes(side_data) for side_data in written], totals


@settings(deadline=None)
@given(any_source, chunk_sizes)
def test_each_side_gets_exactly_its_lines_in_order(source: Source, sizes: list[int]) -> None:
    written, _ = run_transfer(source, source.text, sizes)
    for side in range(SIDES):
        assert written[side] == b"".join(line + b"\n" for line in source.list_side(side))


@settings(deadline=None)
@given(any_source, chunk_sizes)
def test_totals_count_what_was_written(source: Source, sizes: list[int]) -> None:
    written, totals = run_transfer(source, source.text, sizes)
    for side, side_totals in enumerate(totals):
        hashes = [xxh3_64_intdigest(line) for line in source.list_side(side)]
        assert side_totals == SideTotals(len(hashes), len(written[side]), sum(hashes) % 2**64)


@settings(deadline=None)
@given(any_source, chunk_sizes)
def test_a_last_line_without_newline_gets_one(source: Source, sizes: list[int]) -> None:
    text = source.text
    last = len(source.lines[-1][2]) if source.lines else 0
    whole, _ = run_transfer(source, text, sizes)
    assert run_transfer(source, text[: len(text) - last], sizes)[0] == whole


@settings(deadline=None)
@given(any_source.filter(lambda source: bool(source.lines)), chunk_sizes, st.data())
def test_a_source_that_ends_early_is_damaged(
    source: Source, sizes: list[int], data: st.DataObject
) -> None:
    *_, (_, _, after) = source.lines
    needed = len(source.text) - len(after)
    size = data.draw(st.integers(len(source.before), needed - 1))
    with pytest.raises(DamagedObjectError, match="ends before its last line"):
        run_transfer(source, source.text[:size], sizes)


@settings(deadline=None)
@given(any_source, chunk_sizes)
def test_a_chunk_is_handed_over_with_one_write_of_whole_lines_for_each_side(
    source: Source, sizes: list[int]
) -> None:
    chunks = split_into_chunks(source.text[len(source.before) :], sizes)
    written: list[list[int]] = []

    def counted() -> Iterator[bytes]:
        for chunk in chunks:
            written.append([])
            yield chunk

    def write(side: int, data: bytes) -> None:
        assert data.endswith(b"\n")
        written[-1].append(side)

    source.make_transfer().run(counted(), write)
    assert all(len(sides) == len(set(sides)) for sides in written)


def test_lines_beyond_four_gibibytes_are_found() -> None:
    transfer = ShardTransfer(
        np.array([1 << 40, (1 << 40) + 4], np.uint64),
        np.array([3, 3], np.uint32),
        np.array([1, 1], np.uint8),
        2,
    )
    written = bytearray()
    transfer.run([b"owl", b"\nemu\n"], lambda _, data: written.extend(data))
    assert written == b"owl\nemu\n"


def test_nothing_to_carve_is_nothing_written() -> None:
    assert run_transfer(Source(b"", []), b"", [1]) == ([b""] * SIDES, [SideTotals()] * SIDES)
