"""The result of a split: the selection, and a certificate of its quality in exact numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import Ints
from twofold.levels import Levels
from twofold.split.dual_bound import DualBound
from twofold.split.sampling import PreviousSide

ALGORITHM_VERSION = 3


def compute_total_deviation(images: Ints, test_images: Ints, fraction: Fraction) -> Fraction:
    """The sum over labels of |test_images - fraction * images|."""
    # Integers, so the sum is exact.
    scaled = fraction.denominator * test_images - fraction.numerator * images
    return Fraction(int(np.abs(scaled).sum()), fraction.denominator)


@dataclass(frozen=True, slots=True)
class Overlap:
    """The overlap with a previous split.

    `test`, `training` and `new` count the entries by their side of the previous split. `left_test` entries left the test set,
    `entered_test` entries of the previous training set entered the test set.
    """

    test: int
    training: int
    new: int
    left_test: int
    entered_test: int

    @classmethod
    def from_sides(cls, previous: NDArray[np.uint8], test_mask: NDArray[np.bool_]) -> "Overlap":
        """Count from the PreviousSide of each entry and the test set."""
        was_test, was_training = previous == PreviousSide.TEST, previous == PreviousSide.TRAINING
        return cls(
            test=int(was_test.sum()),
            training=int(was_training.sum()),
            new=len(previous) - int(was_test.sum()) - int(was_training.sum()),
            left_test=int((was_test & ~test_mask).sum()),
            entered_test=int((was_training & test_mask).sum()),
        )

    def build_report(self) -> dict[str, int]:
        return {
            "testEntries": self.test,
            "trainEntries": self.training,
            "newEntries": self.new,
            "leftTest": self.left_test,
            "enteredTest": self.entered_test,
        }


@dataclass(frozen=True, slots=True)
class BoxTable:
    """Boxes of each label, in all entries and in the test set."""

    total: Ints
    test: Ints

    def build_row(self, label: int, fraction: Fraction) -> dict[str, Any]:
        """The boxes of a label in the report."""
        total, test = int(self.total[label]), int(self.test[label])
        return {
            "boxes": total,
            "boxesInTest": test,
            "boxDeviation": str(abs(test - fraction * total)),
        }

    def compute_deviation(self, fraction: Fraction) -> Fraction:
        """The sum over labels of |test boxes - fraction * boxes|."""
        return compute_total_deviation(self.total, self.test, fraction)


@dataclass(frozen=True, slots=True)
class LevelCounts:
    """Entries of each level, in all entries and in the test set."""

    levels: Levels
    total: Ints
    test: Ints

    def build_rows(self, fraction: Fraction) -> list[dict[str, Any]]:
        """The rows of the report, in the order of `Levels.names`."""
        return [
            {"member": member, "level": level, **build_count_row(total, test, fraction)}
            for (member, level), total, test in zip(
                self.levels.names, self.total.tolist(), self.test.tolist(), strict=True
            )
        ]

    def divide_deviation(self, deviation: Fraction, fraction: Fraction) -> dict[str, Any]:
        """The parts of the deviation that labels and levels have."""
        level_deviation = compute_total_deviation(self.total, self.test, fraction)
        return {
            "labelDeviation": str(deviation - level_deviation),
            "levelDeviation": str(level_deviation),
        }


def build_count_row(total: int, test: int, fraction: Fraction) -> dict[str, Any]:
    """The counts of a label or level in the report."""
    return {
        "before": total,
        "train": total - test,
        "test": test,
        "share": round(test / total, 6) if total else None,
        "deviation": str(abs(test - fraction * total)),
    }


@dataclass(frozen=True, slots=True)
class CoverageCost:
    """The demanded images of each label on each side, and the deviation of the best known split without the demand."""

    minimum: int
    deviation_without: Fraction

    def build_report(self, rows: list[dict[str, Any]], deviation: Fraction) -> dict[str, Any]:
        """The report of the coverage; `rows` are those of the labels."""
        return {
            "labelsWithTooFewImages": [
                row["label"] for row in rows if row["before"] < 2 * self.minimum
            ],
            "deviationWithout": str(self.deviation_without),
            "cost": str(deviation - self.deviation_without),
        }


@dataclass(frozen=True, slots=True)
class Certificate:
    """The certificate of a split of `entries` entries with `wanted` = floor(fraction * entries + 1/2).

    `deviation` is the sum over labels and levels of |test images - fraction * images|, where unlabelled entries are a label of
    their own.
    No split of this size has less than `lower_bound`. `proof` names the proof of the bound: "integrality floor" (no integers
    are nearer to the shares), "dual bound" (the multipliers of `dual_bound`, which can be checked without a solver), "MILP
    optimum" (by HiGHS), or the reason for the lack of a proof. `swapped` counts the test entries not
    selected by bottom-k sampling alone. `pair_deviation` is the same sum over the `pairs` of labels that occur together:
    small, not minimal, and never at the cost of `deviation`. With groups, `reachable` is the subset sum of the groups nearest
    to `wanted`; `reached` differs from it only if HiGHS stops at a limit before it finds the sum.
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
    dual_bound: DualBound

    @property
    def gap(self) -> Fraction:
        return self.deviation - self.lower_bound

    @property
    def optimal(self) -> bool:
        return self.gap == 0

    def build_report(self) -> dict[str, Any]:
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
    """A split: `test_mask[i]` says whether entry `i` is in the test set.

    `images` and `test_images` have a count for each of `names`, in the order of their bytes, and a last count for unlabelled
    entries. `overlap` is set if the split is coordinated with a previous split, `boxes` if the entries have boxes, `levels` if
    levels are balanced, `coverage` if a number of images on each side is demanded.
    """

    test_mask: NDArray[np.bool_]
    certificate: Certificate
    names: tuple[str, ...]
    images: Ints
    test_images: Ints
    overlap: Overlap | None = None
    boxes: BoxTable | None = None
    levels: LevelCounts | None = None
    coverage: CoverageCost | None = None

    def build_report(self) -> dict[str, Any]:
        """The certificate and a row for each label with images, as JSON values in a fixed order."""
        used = [label for label in range(len(self.names)) if self.images[label]]
        rows = [
            {"label": self.names[i], **self._build_row(i), **self._build_box_row(i)} for i in used
        ]
        optional: dict[str, Any] = {}
        if self.overlap:
            optional["previous"] = self.overlap.build_report()
        if self.boxes:
            optional["boxDeviation"] = str(self.boxes.compute_deviation(self.certificate.fraction))
        if self.levels:
            optional["levels"] = self.levels.build_rows(self.certificate.fraction)
        if self.coverage:
            deviation = self.certificate.deviation
            optional["coverage"] = self.coverage.build_report(rows, deviation)
        return {
            "certificate": {
                **self.certificate.build_report(),
                "dualBound": self._build_dual_bound(),
                **self._build_parts(),
            },
            **optional,
            "labels": rows,
            # The last count of `images` is that of unlabelled entries.
            "unlabelled": self._build_row(-1),
            "labelsMissingInTest": [row["label"] for row in rows if row["test"] == 0],
            "labelsMissingInTrain": [row["label"] for row in rows if row["train"] == 0],
            "rareLabels": [self.names[label] for label in used if self._is_rare(label)],
        }

    def _build_dual_bound(self) -> dict[str, Any]:
        """The dual bound with the multipliers that are not zero."""
        dual_bound = self.certificate.dual_bound
        # The columns of labels, of levels, and of unlabelled entries.
        *multipliers, unlabelled = dual_bound.labels.tolist()
        label_count = len(self.names)
        rows = [{"label": name} for name in self.names]
        levels: dict[str, Any] = {}
        if self.levels:
            level_rows = [
                {"member": name, "level": level} for name, level in self.levels.levels.names
            ]
            levels["levels"] = _add_multipliers(level_rows, multipliers[label_count:])
        return {
            "bound": str(dual_bound.bound),
            "value": str(dual_bound.value),
            "denominator": dual_bound.denominator,
            "entries": dual_bound.entries,
            "labels": _add_multipliers(rows, multipliers[:label_count]),
            **levels,
            "unlabelled": unlabelled,
        }

    def _build_parts(self) -> dict[str, Any]:
        """The parts of the deviation, if levels are balanced."""
        certificate = self.certificate
        if self.levels is None:
            return {}
        return self.levels.divide_deviation(certificate.deviation, certificate.fraction)

    def _build_row(self, label: int) -> Mapping[str, Any]:
        images, test_images = int(self.images[label]), int(self.test_images[label])
        return build_count_row(images, test_images, self.certificate.fraction)

    def _build_box_row(self, label: int) -> Mapping[str, Any]:
        return self.boxes.build_row(label, self.certificate.fraction) if self.boxes else {}

    def _is_rare(self, label: int) -> bool:
        """Whether the label's share is less than one image on a side."""
        fraction = self.certificate.fraction
        return min(fraction, 1 - fraction) * int(self.images[label]) < 1


def _add_multipliers(
    rows: Sequence[Mapping[str, Any]], multipliers: Sequence[int]
) -> list[dict[str, Any]]:
    """The rows with a multiplier other than zero."""
    pairs = zip(rows, multipliers, strict=True)
    return [{**row, "multiplier": multiplier} for row, multiplier in pairs if multiplier]
