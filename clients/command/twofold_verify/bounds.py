"""Lower bounds on the deviation and sizes of any split, from counts alone."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction


def round_share(entries: int, fraction: Fraction) -> int:
    return math.floor(fraction * entries + Fraction(1, 2))


def compute_integrality_floor(images: Iterable[int], fraction: Fraction) -> Fraction:
    """Returns the sum over labels of the distance between the share and its nearest integer."""
    shares = [fraction * count for count in images]
    return sum((min(share % 1, -share % 1) for share in shares), Fraction(0))


def compute_covered_floor(images: Iterable[int], fraction: Fraction, minimum: int) -> Fraction:
    """Returns the integrality floor of labels of which those with twice `minimum` images have `minimum` on each side."""
    return sum((_compute_label_floor(count, fraction, minimum) for count in images), Fraction(0))


def _compute_label_floor(count: int, fraction: Fraction, minimum: int) -> Fraction:
    share = fraction * count
    least, largest = (minimum, count - minimum) if count >= 2 * minimum else (0, count)
    if not least <= share <= largest:
        return max(least - share, share - largest)
    return min(share % 1, -share % 1)


def compute_level_floor(entries: Iterable[int], fraction: Fraction, total: int) -> Fraction:
    """Returns the least sum of distances from the shares of a member's levels to whole numbers that add up to `total`.

    Every entry has one level of a member, so the test entries of the levels add up to the size of the test set.
    """
    shares = [fraction * count for count in entries]
    missing = total - sum(math.floor(share) for share in shares)
    # The change by the first entry more of each level; a further entry, or an entry fewer, changes the sum by 1.
    steps = sorted(1 - 2 * (share % 1) for share in shares)[: max(missing, 0)]
    remainders = sum((share % 1 for share in shares), Fraction(0))
    return remainders + sum(steps, Fraction(0)) + abs(missing - len(steps))


def find_nearest_sum(sizes: Iterable[int], wanted: int) -> int:
    """Returns the sum of a subset of `sizes` that is nearest to `wanted`; of two equally near sums the smaller."""
    # Bit i of `reachable` is set if a subset adds up to i. Sums above 2 * wanted are farther away than the empty subset.
    limit = (1 << (2 * wanted + 1)) - 1
    reachable = 1
    for size, count in sorted(Counter(sizes).items()):
        for part in _split_into_powers_of_two(min(count, 2 * wanted // size)):
            reachable = (reachable | reachable << part * size) & limit
    for distance in range(wanted + 1):
        for candidate in (wanted - distance, wanted + distance):
            if reachable >> candidate & 1:
                return candidate
    raise AssertionError("Nothing at all adds up to zero.")


def _split_into_powers_of_two(count: int) -> Iterator[int]:
    """Yields parts of `count`, subsets of which add up to every number from 0 to `count`."""
    part = 1
    while count:
        yield min(part, count)
        count -= min(part, count)
        part *= 2
