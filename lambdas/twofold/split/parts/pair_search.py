"""Improve two parts at a time: units change between them, and every label counts in both.

A pair of parts is a window of the solver for two: the later part is its test set. A unit that moves changes its labels in
both parts, each with a target of its own, so the window has every label twice: label `l` for the later part, with the target
f_q n_l, and label `L + l` for the earlier part, with the target (images of both parts) - f_p n_l. The costs of the window are
then the costs of the pair, and all moves of the solver for two apply.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from random import Random

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import Ints, compute_offsets
from twofold.split.label_matrix import LabelMatrix
from twofold.split.local_search import improve_by_swaps
from twofold.split.neighbourhoods import improve_by_double_swaps
from twofold.split.parts.shares import PartShares
from twofold.split.parts.table import SignatureTable
from twofold.split.window import KEY_BITS, Window

MAX_ROUNDS = 6
MAX_PAIRS = 300
"""Pairs of a round: all pairs of 25 parts."""

MAX_SIGNATURES = 20_000
"""Open signatures of a pair: those with units nearest to the threshold."""

MAX_DISTURBANCES, MIN_DISTURBANCES, MAX_FAILURES = 1_500, 50, 300
SMALL_VALUES = 500
"""Values of a table, over all parts, whose programme is solved faster than disturbances help."""

_DISTURBED_VALUES = 40_000_000
"""Disturbances times the values of the table and a constant: bounds the work on large tables."""

_SHORTENED = np.uint64(64 - KEY_BITS)


@dataclass(frozen=True, slots=True)
class PartState:
    """An allocation with its images, int64[parts, labels]."""

    table: SignatureTable
    shares: PartShares
    images: Ints
    x: Ints
    part_images: Ints

    @classmethod
    def build(cls, table: SignatureTable, shares: PartShares, images: Ints, x: Ints) -> "PartState":
        return cls(table, shares, images, x, table.count_images(x, len(images)))

    def move_units(self, pair: tuple[int, int], signatures: Ints, moved: Ints) -> "PartState":
        """The state with `moved` units of `signatures` moved from the first part of the pair to the second."""
        x, part_images = self.x.copy(), self.part_images.copy()
        matrix = self.table.matrix.take_rows(signatures)
        moved_images = matrix.sum_by_label(moved, len(self.images))
        for part, sign in zip(pair, (-1, 1), strict=True):
            x[signatures, part] += sign * moved
            part_images[part] += sign * moved_images
        return replace(self, x=x, part_images=part_images)

    def compute_cost(self) -> int:
        return self.shares.compute_cost(self.images, self.part_images)

    def compute_pair_cost(self, pair: tuple[int, int]) -> int:
        rows = list(pair)
        deviation = self.shares.denominator * self.part_images - self.shares.scale(self.images)
        return int(np.abs(deviation[rows]).sum())

    def compute_pair_floor(self, pair: tuple[int, int]) -> int:
        return self.shares.compute_pair_floor(self.images, self.part_images, pair)


def improve_pairs(state: PartState) -> PartState:
    """Improve pairs of parts by swaps until no pair gets better, then disturb and improve pairs again.

    A disturbance makes a few swaps at random, in a fixed sequence; the result is kept unless it is worse. The number of
    disturbances depends on the size of the table alone.
    """
    state = _improve_until_settled(state)
    sequence = Random(0)  # noqa: S311
    pairs = list_pairs(len(state.shares))
    floor, cost, failures = state.shares.compute_floor(state.images), state.compute_cost(), 0
    for _ in range(_limit_disturbances(state)):
        if cost == floor or failures == MAX_FAILURES:
            break
        state = _disturb_pair(state, pairs[sequence.randrange(len(pairs))], sequence)
        failures = failures + 1 if state.compute_cost() == cost else 0
        cost = state.compute_cost()
    return state


def list_pairs(part_count: int) -> list[tuple[int, int]]:
    """All pairs of parts; for many parts the pairs at most `MAX_PAIRS // part_count` places apart, in a circle."""
    pairs = combinations(range(part_count), 2)
    if part_count * (part_count - 1) // 2 <= MAX_PAIRS:
        return list(pairs)
    reach = MAX_PAIRS // part_count
    return [
        pair for pair in pairs if min(pair[1] - pair[0], pair[0] + part_count - pair[1]) <= reach
    ]


def _limit_disturbances(state: PartState) -> int:
    values = len(state.table.matrix.labels)
    if values * len(state.shares) <= SMALL_VALUES:
        return 0
    return min(MAX_DISTURBANCES, max(MIN_DISTURBANCES, _DISTURBED_VALUES // (values + 50_000)))


def _improve_until_settled(state: PartState) -> PartState:
    settled: set[tuple[int, int]] = set()
    floor = state.shares.compute_floor(state.images)
    for _ in range(MAX_ROUNDS):
        for pair in list_pairs(len(state.shares)):
            if state.compute_cost() == floor:
                return state
            improved = None if pair in settled else _improve_pair(state, pair)
            if improved is None:
                settled.add(pair)
                continue
            state = improved
            # Pairs that share a part with this pair have other images now.
            settled = {other for other in settled if not set(other) & set(pair)}
        if len(settled) == len(list_pairs(len(state.shares))):
            break
    return state


def _improve_pair(state: PartState, pair: tuple[int, int]) -> PartState | None:
    """The state with a better pair, or None."""
    cost = state.compute_pair_cost(pair)
    if cost == state.compute_pair_floor(pair):
        return None
    signatures, window = open_pair(state, pair)
    before = state.x[signatures, pair[1]]
    after = _swap_units(window, before)
    if window.compute_cost(after) >= cost:
        return None
    return state.move_units(pair, signatures, after - before)


def _disturb_pair(state: PartState, pair: tuple[int, int], sequence: Random) -> PartState:
    """The state after swaps at random and then the best swaps in a pair, or `state` itself if that is better."""
    cost = state.compute_pair_cost(pair)
    if cost == state.compute_pair_floor(pair):
        return state
    signatures, window = open_pair(state, pair)
    before = state.x[signatures, pair[1]]
    after = _swap_units(window, _swap_at_random(window, before, sequence))
    if window.compute_cost(after) > cost:
        return state
    return state.move_units(pair, signatures, after - before)


def _swap_units(window: Window, x: Ints) -> Ints:
    return improve_by_double_swaps(window, improve_by_swaps(window, x))


def _swap_at_random(window: Window, x: Ints, sequence: Random) -> Ints:
    """The allocation after two to four swaps of units of equal size."""
    x = x.copy()
    for _ in range(2 + sequence.randrange(3)):
        entering = np.flatnonzero(x < window.capacity)
        added = int(entering[sequence.randrange(len(entering))]) if len(entering) else 0
        leaving = np.flatnonzero((x > 0) & (window.size == window.size[added]))
        if len(entering) and len(leaving):
            x[added] += 1
            x[leaving[sequence.randrange(len(leaving))]] -= 1
    return x


def open_pair(state: PartState, pair: tuple[int, int]) -> tuple[Ints, Window]:
    """Return the open signatures and the window of a pair (earlier part, later part), with every label twice."""
    first, second = pair
    table, x, scale = state.table, state.x, state.shares.denominator
    signatures, threshold = _select_signatures(state, pair)
    counts = x[signatures][:, [second, first]]
    # Units of the later part come first, lowest key first; then those of the earlier part.
    before = np.stack([x[signatures, part + 1 :].sum(axis=1) for part in (second, first)], axis=1)
    starts = (table.start[signatures][:, None] + before).ravel()
    unit = table.order[_list_ranges(starts, counts.ravel())]
    matrix = table.matrix.take_rows(signatures)
    open_images = matrix.sum_by_label(counts[:, 0], len(state.images))
    fixed = state.part_images[second] - open_images
    together = state.part_images[first] + state.part_images[second]
    scaled = state.shares.scale(state.images)
    # D t - (D together - scaled share of the earlier part), shifted by whole images so that no target is negative.
    shift = np.maximum(0, -((scale * together - scaled[first]) // scale))
    size = table.size[signatures]
    window = Window(
        fraction=Fraction(1, scale),
        threshold=int(threshold >> _SHORTENED),
        needed=int(size @ counts[:, 0]),
        images=np.concatenate((scaled[second], scale * (together + shift) - scaled[first])),
        fixed=np.concatenate((fixed, fixed + shift)),
        matrix=_double_labels(matrix, len(state.images)),
        size=size,
        start=compute_offsets(counts.sum(axis=1)),
        unit=unit,
        short_key=(table.units.key[unit] >> _SHORTENED).astype(np.int64),
        is_complete=False,
    )
    return signatures, window


def _select_signatures(state: PartState, pair: tuple[int, int]) -> tuple[Ints, np.uint64]:
    """Return signatures with units in the pair, nearest to the threshold, and the threshold, the median of their keys.

    The nearest unit of a signature is the last of the later part or the first of the earlier part.
    """
    first, second = pair
    x, table = state.x, state.table
    signatures = np.flatnonzero(x[:, first] + x[:, second])
    end = len(table.order) - 1
    leaving = table.start[signatures] + x[signatures, second:].sum(axis=1) - 1
    entering = table.start[signatures] + x[signatures, first + 1 :].sum(axis=1)
    keys = table.units.key[table.order]
    leaving_key = keys[np.clip(leaving, 0, end)]
    entering_key = keys[np.clip(entering, 0, end)]
    can_leave, can_enter = x[signatures, second] > 0, x[signatures, first] > 0
    inner = np.concatenate((leaving_key[can_leave], entering_key[can_enter]))
    threshold = np.uint64(np.partition(inner, len(inner) // 2)[len(inner) // 2])
    if len(signatures) <= MAX_SIGNATURES:
        return signatures, threshold
    far = np.iinfo(np.uint64).max
    distance = np.minimum(
        np.where(can_leave, _measure(leaving_key, threshold), far),
        np.where(can_enter, _measure(entering_key, threshold), far),
    )
    nearest = np.argsort(distance, kind="stable")[:MAX_SIGNATURES]
    return np.sort(signatures[nearest]), threshold


def _measure(keys: NDArray[np.uint64], threshold: np.uint64) -> NDArray[np.uint64]:
    """The distance of each key from the threshold."""
    return np.where(keys > threshold, keys - threshold, threshold - keys)


def _list_ranges(starts: Ints, lengths: Ints) -> Ints:
    """The numbers of consecutive ranges, each of `lengths[i]` numbers from `starts[i]`."""
    offsets = compute_offsets(lengths)
    return np.arange(offsets[-1], dtype=np.int64) + np.repeat(starts - offsets[:-1], lengths)


def _double_labels(matrix: LabelMatrix, label_count: int) -> LabelMatrix:
    """The matrix with each value twice: in the column of its label, and `label_count` columns further."""
    labels = np.stack((matrix.labels, matrix.labels + np.int32(label_count)), axis=1).ravel()
    return replace(
        matrix, offsets=2 * matrix.offsets, labels=labels, counts=np.repeat(matrix.counts, 2)
    )
