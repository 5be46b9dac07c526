"""Numbers of entries of the parts: by largest remainder, and the nearest numbers that whole groups add up to."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import product
from math import prod

from twofold_verify.bounds import find_nearest_sum

MAX_BITS = 4_000_000
MAX_WORK = 4_000_000_000
MAX_CANDIDATES = 200_000
"""Limits of the exhaustive search: bits of a state, bits times groups, and vectors that would be nearer."""


class TooManySizesError(Exception):
    """The exhaustive search for nearer numbers of entries exceeds its limits."""


def round_by_largest_remainder(entries: int, fractions: Sequence[Fraction]) -> list[int]:
    """Returns whole numbers that add up to `entries`; of equal remainders the later part's is rounded up."""
    counts = [int(fraction * entries) for fraction in fractions]
    by_remainder = sorted(
        range(len(fractions)),
        key=lambda part: (fractions[part] * entries - counts[part], part),
        reverse=True,
    )
    for part in by_remainder[: entries - sum(counts)]:
        counts[part] += 1
    return counts


def measure_distance(left: Iterable[int], right: Iterable[int]) -> int:
    return sum(abs(a - b) for a, b in zip(left, right, strict=True))


def find_nearer_sizes(
    sizes: Sequence[int], wanted: Sequence[int], distance: int
) -> Sequence[int] | None:
    """Returns numbers of entries nearer to `wanted` than `distance`, None if there are none.

    `sizes` has the entries of each group. Raises TooManySizesError if the search would exceed the limits.
    """
    if distance == 0 or distance <= _bound_distance(sizes, wanted):
        return None
    # The last of these parts gets the remaining groups, so its number follows from the others.
    order = sorted(range(len(wanted)), key=lambda part: wanted[part])
    free = [wanted[part] for part in order[:-1]]
    widths = [count + distance + max(sizes) + 1 for count in free]
    bits = prod(widths)
    if bits > MAX_BITS or bits * len(sizes) * len(free) > MAX_WORK:
        raise TooManySizesError
    if (2 * distance + 1) ** len(free) > MAX_CANDIDATES:
        raise TooManySizesError
    reachable = _find_reachable(sizes, [count + distance for count in free], widths)
    for steps in product(range(-distance, distance + 1), repeat=len(free)):
        counts = [count + step for count, step in zip(free, steps, strict=True)]
        if min(counts) < 0 or not reachable >> _compute_index(counts, widths) & 1:
            continue
        everything = [*counts, sum(sizes) - sum(counts)]
        if measure_distance(everything, [wanted[part] for part in order]) < distance:
            return everything
    return None


def _bound_distance(sizes: Sequence[int], wanted: Sequence[int]) -> int:
    """A lower bound: each part alone is a subset sum. What some parts lack others have too many, so the distance is even."""
    alone = sum(abs(find_nearest_sum(sizes, count) - count) for count in wanted)
    return alone + alone % 2


def _find_reachable(sizes: Sequence[int], caps: Sequence[int], widths: Sequence[int]) -> int:
    """The numbers of entries of all parts but one, as bits: bit `_compute_index(numbers)` is set if groups add up to them."""
    mask = 1
    stride = 1
    strides = []
    for cap, width in zip(caps, widths, strict=True):
        strides.append(stride)
        # Copies of the mask at all numbers up to the cap of this part.
        copies = mask
        for _ in range(cap):
            copies = copies << stride | mask
        mask, stride = copies, stride * width
    reachable = 1
    for size in sizes:
        moved = reachable
        for step in strides:
            moved |= reachable << size * step
        reachable = moved & mask
    return reachable


def _compute_index(counts: Sequence[int], widths: Sequence[int]) -> int:
    index, stride = 0, 1
    for count, width in zip(counts, widths, strict=True):
        index, stride = index + count * stride, stride * width
    return index
