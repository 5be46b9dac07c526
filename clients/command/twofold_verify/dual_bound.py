"""The dual bound of the certificate, recomputed with whole numbers.

Let q be the denominator of the fraction f, p its numerator, n the images of a label, and K the test entries. A label has a
multiplier u, an entry the multiplier w; each is a whole number over `denominator`. For every split with K test entries

    sum over labels of |t - f n|  =  sum over labels of (|t - f n| - u t)  +  sum over labels of u t

where t is the number of test images of the label. The first sum is at least the sum of its minima over all possible t. The
second sum is w K plus, for each test unit, the multipliers of its labels less w times its size. So it is at least w K plus the
negative ones of these numbers, over all units. Both together are the `value`. A level of a balanced member is like a label.

The `bound` is the least possible sum of deviations from `value` on. Let m be the distance of p n from the nearest multiple of
q. |q t - p n| exceeds m by a multiple of q, or by q - 2 m and a multiple of q. So the sum exceeds the sum of all m by a
multiple of q and by q - 2 m for some labels. It has the parity of q T - p n, summed over all labels, where T is the number of
labels of all test entries.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd

from twofold_verify.swaps import Signature

MAX_DENOMINATOR = 1_000
"""For fractions with larger denominators, the bound is rounded up by its parity alone."""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """All units by signature, with the images of each label, the fraction, and the number of test entries.

    `limits` has the least and the largest number of test images of some labels; other labels have from none to all.
    """

    units: Counter[Signature]
    images: Mapping[str, int]
    fraction: Fraction
    test_entries: int
    limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Multipliers:
    """Multipliers of labels (and levels) and of an entry, times `denominator`; other labels have zero."""

    denominator: int
    entries: int
    labels: Mapping[str, int]


def is_reduced(multipliers: Multipliers) -> bool:
    """Returns whether the multipliers and their denominator have no common divisor."""
    return gcd(multipliers.denominator, multipliers.entries, *multipliers.labels.values()) == 1


def compute_value(relaxation: Relaxation, multipliers: Multipliers) -> Fraction:
    """Returns the total deviation that the multipliers prove for every split."""
    scale = relaxation.fraction.denominator * multipliers.denominator
    total = multipliers.entries * relaxation.test_entries * relaxation.fraction.denominator
    for label in relaxation.images:
        multiplier = multipliers.labels.get(label, 0)
        total += _compute_label_cost(relaxation, multipliers.denominator, label, multiplier)
    for signature, count in relaxation.units.items():
        reduced_cost = _compute_reduced_cost(signature, multipliers)
        total += count * min(0, reduced_cost) * relaxation.fraction.denominator
    return Fraction(total, scale)


def _compute_label_cost(
    relaxation: Relaxation, denominator: int, label: str, multiplier: int
) -> int:
    """Returns the least |t - f n| - u t over all possible t, times the denominators of the fraction and the multipliers."""
    fraction, images = relaxation.fraction, relaxation.images[label]
    least, largest = relaxation.limits.get(label, (0, images))
    share = fraction.numerator * images // fraction.denominator
    # The cost is convex in t, and linear between the limits and both neighbours of the share.
    return min(
        denominator * abs(fraction.denominator * t - fraction.numerator * images)
        - fraction.denominator * multiplier * t
        for t in (
            least,
            max(least, min(share, largest)),
            max(least, min(share + 1, largest)),
            largest,
        )
    )


def _compute_reduced_cost(signature: Signature, multipliers: Multipliers) -> int:
    size, labels = signature
    prices = sum(multipliers.labels.get(label, 0) * count for label, count in labels)
    return prices - multipliers.entries * size


def find_loose_multipliers(relaxation: Relaxation, multipliers: Multipliers) -> Iterator[str]:
    """Yields the multipliers that prove as much one step nearer to zero: labels in apostrophes, or "entries"."""
    step = _get_sign(multipliers.entries)
    nearer = Multipliers(multipliers.denominator, multipliers.entries - step, multipliers.labels)
    if step and compute_value(relaxation, nearer) >= compute_value(relaxation, multipliers):
        yield "entries"
    changes = _compute_unit_changes(relaxation.units, multipliers)
    for label, multiplier in multipliers.labels.items():
        costs = [
            _compute_label_cost(relaxation, multipliers.denominator, label, changed)
            for changed in (multiplier - _get_sign(multiplier), multiplier)
        ]
        if costs[0] - costs[1] + changes[label] * relaxation.fraction.denominator >= 0:
            yield f"'{label}'" if label else "unlabelled"


def _compute_unit_changes(units: Counter[Signature], multipliers: Multipliers) -> Counter[str]:
    """Returns for each label the change of all negative reduced costs if its multiplier moves one step towards zero."""
    changes: Counter[str] = Counter()
    for signature, units_of_signature in units.items():
        reduced_cost = _compute_reduced_cost(signature, multipliers)
        for label, count in signature[1]:
            moved = reduced_cost - _get_sign(multipliers.labels.get(label, 0)) * count
            changes[label] += units_of_signature * (min(0, moved) - min(0, reduced_cost))
    return changes


def _get_sign(number: int) -> int:
    return (number > 0) - (number < 0)


def round_up(relaxation: Relaxation, value: Fraction) -> Fraction:
    """Returns the least possible sum of deviations that is at least `value`."""
    fraction, scale = relaxation.fraction, relaxation.fraction.denominator
    remainders = [fraction.numerator * count % scale for count in relaxation.images.values()]
    floors = [min(remainder, scale - remainder) for remainder in remainders]
    floor = sum(floors)
    excess = max(0, -(-value * scale // 1) - floor)
    modulus = 2 * scale if scale <= MAX_DENOMINATOR else 2
    least_sums = {0: 0, scale % modulus: scale} if modulus > 2 else {0: 0, 1: 1}
    if modulus > 2:
        _add_label_sums(least_sums, Counter(scale - 2 * floor for floor in floors), modulus)
    parity = _find_parity(relaxation)
    candidates = (
        max(least, excess + (residue - excess) % modulus)
        for residue, least in least_sums.items()
        if parity is None or (floor + residue) % 2 == parity
    )
    return Fraction(floor + min(candidates), scale)


def _add_label_sums(least_sums: dict[int, int], steps: Counter[int], modulus: int) -> None:
    """Adds sums of some of the steps: to `least_sums`, the least sum for each residue."""
    for step, count in steps.items():
        for _ in range(count):
            changed = {
                (total + step) % modulus: total + step
                for total in least_sums.values()
                if total + step < least_sums.get((total + step) % modulus, total + step + 1)
            }
            if not changed:
                break
            least_sums.update(changed)


def _find_parity(relaxation: Relaxation) -> int | None:
    """Returns the parity of all sums of deviations times q, or None if both are possible."""
    fraction = relaxation.fraction
    constant = fraction.numerator * sum(relaxation.images.values())
    if fraction.denominator % 2 == 0:
        return constant % 2
    parities = {
        (size % 2, sum(count for _, count in labels) % 2) for size, labels in relaxation.units
    }
    if all(labels == 0 for _, labels in parities):
        return constant % 2
    if all(labels == size for size, labels in parities):
        return (relaxation.test_entries + constant) % 2
    return None
