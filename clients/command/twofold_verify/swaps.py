"""Whether a few swaps refute the bound that a report claims.

A unit is what is tested as a whole: an entry, or a group. Units of one size and with equal label counts are alike. One unit
in and one of its size out keeps the number of test entries; as long as that brings the labels nearer to their shares the
search goes on from there, so a bound that one swap refutes is always found within the limit.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

MAX_STEPS = 10_000_000
"""So many label counts are looked at, in some ten seconds."""

Kind = tuple[int, tuple[tuple[str, int], ...]]
"""Size of a unit, and how many of its entries have each label."""


@dataclass(frozen=True, slots=True)
class Refutation:
    """The sum of deviations after some swaps. `finished` is False where the limit ended the search."""

    deviation: Fraction
    swaps: int
    finished: bool


@dataclass(slots=True)
class _State:
    """Deviations of the test set from the shares, times `scale`, by label; steps that are left."""

    off: dict[str, int]
    scale: int
    total: int
    steps: int = MAX_STEPS
    swaps: int = 0
    sides: tuple[Counter[Kind], Counter[Kind]] = field(
        default_factory=lambda: (Counter(), Counter())
    )

    def change(self, entering: Kind, leaving: Kind) -> int:
        """How much further from their shares the labels are after this swap."""
        moved = Counter(dict(entering[1]))
        moved.subtract(dict(leaving[1]))
        self.steps -= len(moved)
        return sum(
            abs(self.off[label] + self.scale * by) - abs(self.off[label])
            for label, by in moved.items()
        )

    def most(self, kind: Kind, sign: int) -> int:
        """A lower bound on what such a unit adds to the deviations when it enters (`sign` 1) or leaves (-1)."""
        self.steps -= len(kind[1])
        return sum(
            min(0, self._nearest(-sign * self.off[label], count)) for label, count in kind[1]
        )

    def _nearest(self, missing: int, count: int) -> int:
        """The change of |missing| when up to `count` whole images make good for it, as many as serve best."""
        if missing <= 0:
            return 0
        below = min(count, missing // self.scale)
        choices = (missing - self.scale * below, self.scale * min(count, below + 1) - missing)
        return min(abs(rest) for rest in choices) - missing

    def swap(self, entering: Kind, leaving: Kind, change: int) -> None:
        train, test = self.sides
        for kind, source, target, sign in ((entering, train, test, 1), (leaving, test, train, -1)):
            source[kind] -= 1
            target[kind] += 1
            for label, count in kind[1]:
                self.off[label] += sign * self.scale * count
        self.total += change
        self.swaps += 1


def search_better(
    train: Counter[Kind],
    test: Counter[Kind],
    fraction: Fraction,
    bound: Fraction,
    max_steps: int = MAX_STEPS,
) -> Refutation:
    """Swaps units until the sum of deviations is below `bound`, no swap brings it down, or the steps are used up."""
    images, tested = _count_images((train, test)), _count_images((test,))
    scale = fraction.denominator
    off = {
        label: scale * tested[label] - fraction.numerator * count for label, count in images.items()
    }
    total = sum(map(abs, off.values()))
    state = _State(off, scale, total, max_steps, sides=(Counter(train), Counter(test)))
    found: tuple[Kind, Kind, int] | None
    while state.total >= bound * scale and (found := next(_improving_swaps(state), None)):
        state.swap(*found)
    return Refutation(Fraction(state.total, scale), state.swaps, state.steps > 0)


def _count_images(sides: Iterable[Counter[Kind]]) -> Counter[str]:
    images: Counter[str] = Counter()
    for side in sides:
        for (_, labels), times in side.items():
            for label, count in labels:
                images[label] += count * times
    return images


def _improving_swaps(state: _State) -> Iterator[tuple[Kind, Kind, int]]:
    """Swaps of units of one size that bring the deviations down, the most promising first."""
    train, test = (
        _rank(state, side, sign) for side, sign in zip(state.sides, (1, -1), strict=True)
    )
    for size in train.keys() & test.keys():
        for least_in, entering in train[size]:
            for least_out, leaving in test[size]:
                if least_in + least_out >= 0 or state.steps <= 0:
                    break
                change = state.change(entering, leaving)
                if change < 0:
                    yield entering, leaving, change


def _rank(state: _State, side: Counter[Kind], sign: int) -> dict[int, list[tuple[int, Kind]]]:
    """The kinds of each size with their lower bounds, lowest first."""
    by_size: dict[int, list[tuple[int, Kind]]] = {}
    for kind, times in side.items():
        if times and state.steps > 0:
            by_size.setdefault(kind[0], []).append((state.most(kind, sign), kind))
    return {size: sorted(kinds) for size, kinds in by_size.items()}
