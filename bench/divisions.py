"""Divisions of a dataset into parts: their shares and exact sizes."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Division:
    """The share of each part, which add up to 1. The first part is the training set, the last the test set."""

    title: str
    shares: tuple[Fraction, ...]

    @property
    def folds(self) -> bool:
        """Whether all parts have the same share."""
        return len(set(self.shares)) == 1

    def apportion(self, count: int) -> list[int]:
        """The sizes of the parts of `count` entries, by largest remainder; of equal remainders the smaller share is first."""
        exact = [share * count for share in self.shares]
        sizes = [int(size) for size in exact]
        by_remainder = sorted(
            range(len(exact)), key=lambda part: (sizes[part] - exact[part], self.shares[part], part)
        )
        for part in by_remainder[: count - sum(sizes)]:
            sizes[part] += 1
        return sizes

    def count_misplaced(self, sizes: list[int]) -> int:
        """The number of entries to move for exact sizes. Parts of equal shares may swap sizes."""
        order = [
            sorted(zip(self.shares, part_sizes, strict=True), reverse=True)
            for part_sizes in (sizes, self.apportion(sum(sizes)))
        ]
        return (
            sum(abs(part[1] - exact[1]) for part, exact in zip(order[0], order[1], strict=True))
            // 2
        )


TWO_WAY = Division("80/20", (Fraction(4, 5), Fraction(1, 5)))
THREE_WAY = Division("70/15/15", (Fraction(7, 10), Fraction(3, 20), Fraction(3, 20)))
FIVE_FOLDS = Division("five folds", (Fraction(1, 5),) * 5)

DIVISIONS = {"two": TWO_WAY, "three": THREE_WAY, "folds": FIVE_FOLDS}
