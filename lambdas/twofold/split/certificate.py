"""What was reached and how it is known, in exact numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.split.coordination import Previously
from twofold.split.rows import Ints

ALGORITHM_VERSION = 2


@dataclass(frozen=True, slots=True)
class Overlap:
    """With a previous split: how many of the entries were tested and trained on in it and how many
    are new; how many left the test side, and how many entered it that were trained on."""

    tested: int
    trained: int
    new: int
    left: int
    entered: int

    @classmethod
    def of(cls, previous: NDArray[np.uint8], test: NDArray[np.bool_]) -> "Overlap":
        tested, trained = previous == Previously.TESTED, previous == Previously.TRAINED
        return cls(
            tested=int(tested.sum()),
            trained=int(trained.sum()),
            new=len(previous) - int(tested.sum()) - int(trained.sum()),
            left=int((tested & ~test).sum()),
            entered=int((trained & test).sum()),
        )

    def report(self) -> dict[str, int]:
        return {
            "testEntries": self.tested,
            "trainEntries": self.trained,
            "newEntries": self.new,
            "leftTest": self.left,
            "enteredTest": self.entered,
        }


@dataclass(frozen=True, slots=True)
class BoxTable:
    """Boxes of each label, in all and in the test entries."""

    total: Ints
    tested: Ints

    def row(self, label: int, fraction: Fraction) -> dict[str, Any]:
        total, tested = int(self.total[label]), int(self.tested[label])
        return {
            "boxes": total,
            "boxesInTest": tested,
            "boxDeviation": str(abs(tested - fraction * total)),
        }

    def deviation(self, fraction: Fraction) -> Fraction:
        """The sum over labels of |tested - fraction * boxes|."""
        scaled = fraction.denominator * self.tested - fraction.numerator * self.total
        return Fraction(int(np.abs(scaled).sum()), fraction.denominator)


@dataclass(frozen=True, slots=True)
class Certificate:
    """Of a split of `entries` entries with `wanted` = floor(fraction * entries + 1/2).

    `deviation` is the sum over labels of |tested - fraction * images|, unlabelled entries being a
    label of their own; no split of this size has less than `lower_bound`. `proof` says how that is
    known: "integrality floor" (no integers are nearer), "MILP optimum", or what kept the programme
    from an optimum. `swapped` counts the test entries that keys alone would not have tested.
    `pair_deviation` is the same sum over the `pairs` of labels that occur together: it is made
    small, not least, and never at the cost of `deviation`. With groups, `reachable` is the number of
    entries nearest to `wanted` that whole groups add up to.
    """

    entries: int
    groups: int | None
    wanted: int
    reachable: int
    reached: int
    fraction: Fraction
    seed: int
    algorithm_version: int
    deviation: Fraction
    lower_bound: Fraction
    proof: str
    swapped: int
    pairs: int
    pair_deviation: Fraction

    @property
    def gap(self) -> Fraction:
        return self.deviation - self.lower_bound

    @property
    def optimal(self) -> bool:
        return self.gap == 0

    def report(self) -> dict[str, Any]:
        return {
            "algorithmVersion": self.algorithm_version,
            "seed": self.seed,
            "fraction": str(self.fraction),
            "entries": self.entries,
            "groups": self.groups,
            "testEntriesWanted": self.wanted,
            "testEntriesReachable": self.reachable,
            "testEntriesReached": self.reached,
            "deviation": str(self.deviation),
            "lowerBound": str(self.lower_bound),
            "gap": str(self.gap),
            "optimal": self.optimal,
            "proof": self.proof,
            "swappedEntries": self.swapped,
            "pairs": self.pairs,
            "pairDeviation": str(self.pair_deviation),
        }


@dataclass(frozen=True, slots=True)
class Selection:
    """`test[i]` says whether entry `i` is tested. `images` and `tested` count for each of `names`,
    in the order of their bytes; their last value counts the unlabelled entries. `overlap` is there
    where the split was coordinated with a previous one, `boxes` where the entries have any."""

    test: NDArray[np.bool_]
    certificate: Certificate
    names: tuple[str, ...]
    images: Ints
    tested: Ints
    overlap: Overlap | None = None
    boxes: BoxTable | None = None

    def report(self) -> dict[str, Any]:
        """The certificate and a row for each label that has images; JSON-able, deterministic."""
        carried = [i for i in range(len(self.names)) if self.images[i]]
        table = [{"label": self.names[i], **self._row(i), **self._boxes(i)} for i in carried]
        optional: dict[str, Any] = {}
        if self.overlap:
            optional["previous"] = self.overlap.report()
        if self.boxes:
            optional["boxDeviation"] = str(self.boxes.deviation(self.certificate.fraction))
        return {
            "certificate": self.certificate.report(),
            **optional,
            "labels": table,
            "unlabelled": self._row(-1),
            "labelsMissingInTest": [row["label"] for row in table if row["test"] == 0],
            "labelsMissingInTrain": [row["label"] for row in table if row["train"] == 0],
            "rareLabels": [self.names[i] for i in carried if self._is_rare(i)],
        }

    def _row(self, label: int) -> Mapping[str, Any]:
        images, tested = int(self.images[label]), int(self.tested[label])
        return {
            "before": images,
            "train": images - tested,
            "test": tested,
            "share": round(tested / images, 6) if images else None,
            "deviation": str(abs(tested - self.certificate.fraction * images)),
        }

    def _boxes(self, label: int) -> Mapping[str, Any]:
        return self.boxes.row(label, self.certificate.fraction) if self.boxes else {}

    def _is_rare(self, label: int) -> bool:
        """Too few images for one on each side by its share."""
        fraction = self.certificate.fraction
        return min(fraction, 1 - fraction) * int(self.images[label]) < 1
