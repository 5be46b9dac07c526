"""A search for swaps that refute the lower bound in the certificate.

A unit is an entry or a group. The signature of a unit is the size and the label counts. A swap moves a unit into the test set
and a unit of equal size out, so the number of test entries stays. The search applies swaps that reduce the total
deviation until no swap is left. Within the step limit the search therefore refutes every bound that a single swap refutes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

MAX_STEPS = 10_000_000
"""Limit of examined label counts; the search takes about ten seconds."""

Signature = tuple[int, tuple[tuple[str, int], ...]]
"""Size of a unit, and pairs (label, number of entries with the label)."""


@dataclass(frozen=True, slots=True)
class SwapResult:
    """The total deviation after some swaps. `finished` is False if the step limit ended the search."""

    deviation: Fraction
    swaps: int
    finished: bool


@dataclass(slots=True)
class _SearchState:
    """`deviations` has (test images - share) * `scale` by label, `total` is the sum of their absolute values.

    `limits` has the least and the largest deviation of labels with a demanded number of images on each side.
    """

    deviations: dict[str, int]
    scale: int
    total: int
    remaining_steps: int = MAX_STEPS
    swaps: int = 0
    limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    sides: tuple[Counter[Signature], Counter[Signature]] = field(
        default_factory=lambda: (Counter(), Counter())
    )

    def compute_change(self, entering: Signature, leaving: Signature) -> int:
        """Returns the change of `total` by this swap; 0 for a swap that leaves the limits."""
        moved = Counter(dict(entering[1]))
        moved.subtract(dict(leaving[1]))
        self.remaining_steps -= len(moved)
        if self.limits and not all(
            self._is_within_limits(label, difference) for label, difference in moved.items()
        ):
            return 0
        return sum(
            abs(self.deviations[label] + self.scale * difference) - abs(self.deviations[label])
            for label, difference in moved.items()
        )

    def _is_within_limits(self, label: str, difference: int) -> bool:
        deviation = self.deviations[label] + self.scale * difference
        least, largest = self.limits.get(label, (deviation, deviation))
        return least <= deviation <= largest

    def compute_lower_bound(self, kind: Signature, sign: int) -> int:
        """Returns a lower bound on the change of `total` when a unit enters (`sign` 1) or leaves (-1) the test set."""
        self.remaining_steps -= len(kind[1])
        return sum(
            min(0, self._compute_least_change(-sign * self.deviations[label], count))
            for label, count in kind[1]
        )

    def _compute_least_change(self, missing: int, count: int) -> int:
        """Returns the least change of |missing| by 0 to `count` whole images of size `scale`."""
        if missing <= 0:
            return 0
        # The best number of images is one of the two integers around missing / scale.
        below = min(count, missing // self.scale)
        choices = (missing - self.scale * below, self.scale * min(count, below + 1) - missing)
        return min(abs(remainder) for remainder in choices) - missing

    def apply_swap(self, entering: Signature, leaving: Signature, change: int) -> None:
        train, test = self.sides
        for kind, source, target, sign in ((entering, train, test, 1), (leaving, test, train, -1)):
            source[kind] -= 1
            target[kind] += 1
            for label, count in kind[1]:
                self.deviations[label] += sign * self.scale * count
        self.total += change
        self.swaps += 1


def search_improvement(
    train: Counter[Signature],
    test: Counter[Signature],
    fraction: Fraction,
    bound: Fraction,
    max_steps: int = MAX_STEPS,
    limits: Mapping[str, tuple[int, int]] | None = None,
) -> SwapResult:
    """Applies swaps until the total deviation is below `bound`, no swap reduces it, or the step limit is reached.

    `limits` has the least and the largest number of test images of labels; the test set is within them.
    """
    images, test_images = _count_images((train, test)), _count_images((test,))
    scale = fraction.denominator
    off = {
        label: scale * test_images[label] - fraction.numerator * count
        for label, count in images.items()
    }
    total = sum(map(abs, off.values()))
    scaled_limits = {
        label: (
            scale * least - fraction.numerator * images[label],
            scale * largest - fraction.numerator * images[label],
        )
        for label, (least, largest) in (limits or {}).items()
    }
    state = _SearchState(
        off, scale, total, max_steps, limits=scaled_limits, sides=(Counter(train), Counter(test))
    )
    best_swap: tuple[Signature, Signature, int] | None
    while state.total >= bound * scale and (best_swap := next(_find_improving_swaps(state), None)):
        state.apply_swap(*best_swap)
    return SwapResult(Fraction(state.total, scale), state.swaps, state.remaining_steps > 0)


def _count_images(sides: Iterable[Counter[Signature]]) -> Counter[str]:
    images: Counter[str] = Counter()
    for side in sides:
        for (_, labels), units in side.items():
            for label, count in labels:
                images[label] += count * units
    return images


def _find_improving_swaps(state: _SearchState) -> Iterator[tuple[Signature, Signature, int]]:
    """Yields swaps that reduce the total deviation, by ascending lower bound."""
    train, test = (
        _rank_by_size(state, side, sign) for side, sign in zip(state.sides, (1, -1), strict=True)
    )
    for size in train.keys() & test.keys():
        for entering_bound, entering in train[size]:
            for leaving_bound, leaving in test[size]:
                # Both lists ascend, so no later unit can give a negative sum of bounds.
                if entering_bound + leaving_bound >= 0 or state.remaining_steps <= 0:
                    break
                change = state.compute_change(entering, leaving)
                if change < 0:
                    yield entering, leaving, change


def _rank_by_size(
    state: _SearchState, side: Counter[Signature], sign: int
) -> dict[int, list[tuple[int, Signature]]]:
    """Returns the (lower bound, signature) pairs by unit size, lowest bound first."""
    by_size: dict[int, list[tuple[int, Signature]]] = {}
    for kind, times in side.items():
        if times and state.remaining_steps > 0:
            by_size.setdefault(kind[0], []).append((state.compute_lower_bound(kind, sign), kind))
    return {size: sorted(kinds) for size, kinds in by_size.items()}
