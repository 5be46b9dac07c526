"""What no split can beat, from the numbers alone."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction


def rounded_share(entries: int, fraction: Fraction) -> int:
    return math.floor(fraction * entries + Fraction(1, 2))


def integrality_floor(images: Iterable[int], fraction: Fraction) -> Fraction:
    """The sum over labels of how far the nearest whole number is from its share."""
    shares = [fraction * count for count in images]
    return sum((min(share % 1, -share % 1) for share in shares), Fraction(0))


def nearest_sum(sizes: Iterable[int], wanted: int) -> int:
    """The sum of some of `sizes` that is nearest to `wanted`; of two, the smaller."""
    limit = (1 << (2 * wanted + 1)) - 1
    reachable = 1
    for size, count in sorted(Counter(sizes).items()):
        for part in _doubling(min(count, 2 * wanted // size)):
            reachable = (reachable | reachable << part * size) & limit
    for distance in range(wanted + 1):
        for candidate in (wanted - distance, wanted + distance):
            if reachable >> candidate & 1:
                return candidate
    raise AssertionError("Nothing at all adds up to zero.")


def _doubling(count: int) -> Iterator[int]:
    """Parts of `count` that add up, chosen freely, to every number up to it."""
    part = 1
    while count:
        yield min(part, count)
        count -= min(part, count)
        part *= 2
