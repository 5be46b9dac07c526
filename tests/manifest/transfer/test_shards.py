"""S3 accepts the planned shards and parts for any lines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from twofold.manifest.transfer import shards
from twofold.manifest.transfer.shards import (
    MIB,
    MIN_PART_BYTES,
    PART_BYTES,
    PartGroup,
    Shard,
    cut_shards,
    plan_parts,
)


@dataclass(frozen=True)
class Lines:
    """Lines of a source. `gap` bytes separate a line from the newline of the line before."""

    start: NDArray[np.uint64]
    length: NDArray[np.uint32]
    side: NDArray[np.uint8]

    @classmethod
    def from_lines(
        cls,
        length: Sequence[int] | NDArray[np.uint32],
        side: Sequence[int] | NDArray[np.uint8],
        gap: Sequence[int] | None = None,
    ) -> "Lines":
        sizes = np.asarray(length, np.uint32)
        spans = sizes.astype(np.uint64) + np.uint64(1)
        before = np.asarray(gap if gap is not None else np.zeros(len(length)), np.uint64)
        start = np.cumsum(spans + before, dtype=np.uint64) - spans
        return cls(start, sizes, np.asarray(side, np.uint8))

    def cut(self, shard_bytes: int = shards.SHARD_BYTES) -> list[Shard]:
        return cut_shards(self.start, self.length, self.side, 2, shard_bytes)


@dataclass(frozen=True)
class Sizes:
    """The limits of S3 and of Twofold at a smaller scale."""

    minimum: int
    part: int
    shard: int
    parts: int

    def patch(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(shards, "MIN_PART_BYTES", self.minimum)
        patch.setattr(shards, "PART_BYTES", self.part)
        patch.setattr(shards, "MAX_PARTS", self.parts)
        patch.setattr(shards, "MAX_SHARD_BYTES", self.shard * 12)


small = st.builds(
    lambda minimum, part, shard, parts: Sizes(minimum, minimum * part, minimum * shard, parts),
    st.integers(1, 20),
    st.integers(2, 8),
    st.integers(2, 8),
    st.integers(4, 40),
)


@st.composite
def draw_lines(draw: st.DrawFn) -> Lines:
    count = draw(st.integers(1, 80))
    several = st.lists(st.integers(1, 30) | st.just(300), min_size=count, max_size=count)
    gaps = st.lists(st.just(0) | st.integers(1, 500), min_size=count, max_size=count)
    share = draw(st.sampled_from([(0,), (1,), (0, 1), (0,) * 20 + (1,), (0, 0, 0, 0, 1)]))
    sides = st.lists(st.sampled_from(share), min_size=count, max_size=count)
    side = draw(sides | sides.map(sorted) | sides.map(lambda drawn: sorted(drawn, reverse=True)))
    return Lines.from_lines(draw(several), side, draw(gaps))


def iterate_parts(
    groups: Sequence[PartGroup], cut: Sequence[Shard], side: int
) -> Iterator[tuple[int, int]]:
    """Yield (number, bytes) of each part of the upload that Move and Publish write."""
    for group in groups:
        size = sum(cut[number].side_bytes[side] for number in group.shards)
        part_bytes = size // group.part_count
        for turn in range(group.part_count):
            is_last = turn == group.part_count - 1
            part = size - part_bytes * turn if is_last else part_bytes
            yield group.first_part + turn, part


def require_legal(lines: Lines, cut: Sequence[Shard]) -> None:
    for side in (0, 1):
        groups = plan_parts(cut, side)
        parts = list(iterate_parts(groups, cut, side))
        written = int((lines.length[lines.side == side].astype(np.int64) + 1).sum())
        assert sum(size for _, size in parts) == written
        assert [number for number, _ in parts] == list(range(1, len(parts) + 1))
        assert len(parts) <= shards.MAX_PARTS
        assert all(size >= shards.MIN_PART_BYTES for _, size in parts[:-1])
        numbers = [number for group in groups for number in group.shards]
        assert numbers == [shard.number for shard in cut if shard.side_lines[side]]
        assert all(group.part_count == 1 for group in groups if group.is_joined)


@settings(deadline=None)
@given(draw_lines(), small)
def test_parts_are_in_order_large_enough_not_too_many_and_hold_every_byte_once(
    lines: Lines, sizes: Sizes
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        sizes.patch(patch)
        require_legal(lines, lines.cut(sizes.shard))


@settings(deadline=None)
@given(draw_lines(), small)
def test_shards_are_runs_of_lines_that_cover_them_all(lines: Lines, sizes: Sizes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        sizes.patch(patch)
        found = lines.cut(sizes.shard)
    assert [shard.number for shard in found] == list(range(len(found)))
    assert [shard.first for shard in found] == [0, *(shard.last for shard in found[:-1])]
    assert found[-1].last == lines.start.size
    for shard in found:
        run = slice(shard.first, shard.last)
        assert shard.start == lines.start[shard.first]
        assert shard.end == lines.start[shard.last - 1] + lines.length[shard.last - 1]
        for side in (0, 1):
            chosen = lines.length[run][lines.side[run] == side]
            assert shard.side_lines[side] == chosen.size
            assert shard.side_bytes[side] == int(chosen.sum()) + chosen.size


def test_no_lines_are_no_shards_and_no_parts() -> None:
    assert Lines.from_lines([], []).cut() == []
    assert plan_parts([], 0) == []


RNG = np.random.default_rng(20)
EIGHTY_TWENTY = (RNG.random(1_000_000) < 0.2).astype(np.uint8)


@pytest.mark.parametrize(
    "side",
    [
        EIGHTY_TWENTY,
        np.sort(EIGHTY_TWENTY),
        np.sort(EIGHTY_TWENTY)[::-1],
        np.arange(1_000_000) % 50_000 == 0,
        np.arange(1_000_000) == 0,
        np.arange(1_000_000) == 999_999,
        np.zeros(1_000_000),
        np.ones(1_000_000),
        np.arange(1_000_000) < 16_000,
    ],
    ids=["mixed", "last", "first", "rare", "head", "tail", "none", "all", "barely one part"],
)
@pytest.mark.parametrize("length", [40, 600, 400_000])
def test_real_sizes_are_legal_in_pathological_orders(side: NDArray[np.uint8], length: int) -> None:
    lines = Lines.from_lines(np.full(side.size, length, np.uint32), side)
    found = lines.cut()
    require_legal(lines, found)
    widest = max(shard.end - shard.start for shard in found)
    assert widest <= shards.MAX_SHARD_BYTES * 3 // 2


@pytest.mark.parametrize(
    ("source", "largest"), [(100 << 30, 2 * PART_BYTES), (1 << 40, 256 * MIB), (5 << 40, 5 << 30)]
)
def test_huge_manifests_stay_within_ten_thousand_parts(source: int, largest: int) -> None:
    count = source // 400_001
    lines = Lines.from_lines(np.full(count, 400_000, np.uint32), np.zeros(count, np.uint8))
    found = lines.cut()
    require_legal(lines, found)
    assert max(size for _, size in iterate_parts(plan_parts(found, 0), found, 0)) <= largest


def test_an_ordinary_split_writes_both_sides_in_place() -> None:
    lines = Lines.from_lines(np.full(1_000_000, 300, np.uint32), EIGHTY_TWENTY)
    found = lines.cut()
    assert len(found) > 3
    assert not [group for side in (0, 1) for group in plan_parts(found, side) if group.is_joined]


def test_a_small_dataset_is_one_shard() -> None:
    (shard,) = Lines.from_lines([300] * 1000, [0, 0, 0, 0, 1] * 200).cut()
    assert shard.side_bytes == (800 * 301, 200 * 301)
    assert plan_parts([shard], 1) == [PartGroup(1, 1, (0,))]


def test_small_outputs_are_joined_with_their_neighbours_until_they_fill_a_part() -> None:
    sizes = [MIB, MIB, 4 * MIB, MIN_PART_BYTES, 2 * MIB, MIB]
    found = [
        Shard(number, number, number + 1, 0, 0, (size,), (1,)) for number, size in enumerate(sizes)
    ]
    assert plan_parts(found, 0) == [
        PartGroup(1, 1, (0, 1, 2)),
        PartGroup(2, 1, (3,)),
        PartGroup(3, 1, (4, 5)),
    ]


def test_a_gap_between_shards_is_read_by_none_of_them() -> None:
    gap = 10**12
    lines = Lines.from_lines([100, 100, 100, 100], [0, 1, 0, 1], [0, 0, gap, 0])
    assert sum(shard.end - shard.start for shard in lines.cut()) < 1000
