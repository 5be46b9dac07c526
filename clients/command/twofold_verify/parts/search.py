"""Exchanges of entries, or of groups of one size, between two parts that reduce the total deviation."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import lcm

MAX_EXCHANGES = 300_000
"""Exchanges that are tried."""

Signature = tuple[int, tuple[tuple[str, int], ...]]
"""The entries of a unit, and its images by label."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The deviation after the best exchanges, their number, and whether all exchanges were tried."""

    deviation: Fraction
    exchanges: int
    finished: bool


class _Search:
    def __init__(
        self, parts: Sequence[Mapping[Signature, int]], fractions: Sequence[Fraction]
    ) -> None:
        self.parts = [Counter(part) for part in parts]
        self.scale = lcm(*(fraction.denominator for fraction in fractions))
        images: Counter[str] = Counter()
        counts = [Counter[str]() for _ in parts]
        for part, count in zip(self.parts, counts, strict=True):
            for (_, labels), units in part.items():
                for label, times in labels:
                    count[label] += units * times
            images += count
        # The scaled deviation of each part and label.
        self.off = [
            {
                label: self.scale * count[label] - int(self.scale * f * n)
                for label, n in images.items()
            }
            for count, f in zip(counts, fractions, strict=True)
        ]
        self.remaining = MAX_EXCHANGES

    def compute_cost(self) -> int:
        return sum(abs(value) for off in self.off for value in off.values())

    def exchange_any(self, first: int, second: int) -> bool:
        """Makes the first exchange between two parts that reduces the cost. Returns whether there is one."""
        for outgoing in list(self.parts[first]):
            for incoming in list(self.parts[second]):
                if outgoing[0] != incoming[0] or outgoing == incoming:
                    continue
                self.remaining -= 1
                if self.remaining < 0:
                    return False
                moved = Counter(dict(outgoing[1]))
                moved.subtract(dict(incoming[1]))
                if self._compute_change(first, second, moved) < 0:
                    self._move(first, second, outgoing, incoming, moved)
                    return True
        return False

    def _compute_change(self, first: int, second: int, moved: Mapping[str, int]) -> int:
        change = 0
        for label, times in moved.items():
            for part, sign in ((first, -1), (second, 1)):
                off = self.off[part][label]
                change += abs(off + sign * times * self.scale) - abs(off)
        return change

    def _move(
        self,
        first: int,
        second: int,
        outgoing: Signature,
        incoming: Signature,
        moved: Mapping[str, int],
    ) -> None:
        for part, lost, gained, sign in (
            (first, outgoing, incoming, -1),
            (second, incoming, outgoing, 1),
        ):
            self.parts[part][gained] += 1
            self.parts[part][lost] -= 1
            if not self.parts[part][lost]:
                del self.parts[part][lost]
            for label, times in moved.items():
                self.off[part][label] += sign * times * self.scale


def search_exchanges(
    parts: Sequence[Mapping[Signature, int]], fractions: Sequence[Fraction], bound: Fraction
) -> SearchResult:
    """Exchanges units until no exchange reduces the deviation, until it is below the bound, or for MAX_EXCHANGES tries."""
    search, exchanges = _Search(parts, fractions), 0
    pairs = list(combinations(range(len(parts)), 2))
    while Fraction(search.compute_cost(), search.scale) >= bound:
        if not any(search.exchange_any(*pair) for pair in pairs):
            break
        exchanges += 1
    deviation = Fraction(search.compute_cost(), search.scale)
    return SearchResult(deviation, exchanges, search.remaining >= 0)
