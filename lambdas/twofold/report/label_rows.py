"""Table rows of labels for the page: furthest from the share first, in a limited number."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from twofold.report.formatting import format_name

MAX_ROWS = 2_000
"""A page with more rows is slow to open; report.json has all labels."""

NO_LABEL = "(no label)"


@dataclass(frozen=True, slots=True)
class Row:
    """The counts of a label. `fraction` is the target share in the test set.

    `boxes` counts all boxes and test boxes, or is None if the dataset has no boxes.
    """

    label: str
    before: int
    test: int
    fraction: Fraction
    is_label: bool = True
    boxes: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        return format_name(self.label)

    @property
    def train(self) -> int:
        return self.before - self.test

    @property
    def deviation(self) -> Fraction:
        """Images in the test set above the target; negative below it."""
        return self.test - self.fraction * self.before

    @property
    def is_nearest(self) -> bool:
        """Whether no whole number of images is nearer to the share."""
        return 2 * abs(self.deviation) <= 1


def iterate_rows(report: dict[str, Any]) -> Iterator[Row]:
    """Yield a row for every label, and for unlabelled entries if there are any."""
    fraction = Fraction(report["certificate"]["fraction"])
    has_boxes = "boxDeviation" in report
    for label in report["labels"]:
        boxes = (label["boxes"], label["boxesInTest"]) if has_boxes else None
        yield Row(label["label"], label["before"], label["test"], fraction, boxes=boxes)
    unlabelled = report["unlabelled"]
    if unlabelled["before"]:
        boxes = (0, 0) if has_boxes else None
        yield Row(
            NO_LABEL,
            unlabelled["before"],
            unlabelled["test"],
            fraction,
            is_label=False,
            boxes=boxes,
        )


def rank_row(row: Row) -> tuple[int, int, str]:
    """The sort key of rows with one fraction: furthest from the share first."""
    # In integers, the deviation times the denominator: fractions are slow for many labels.
    numerator, denominator = row.fraction.numerator, row.fraction.denominator
    return -abs(denominator * row.test - numerator * row.before), -row.before, row.label


def select_rows(report: dict[str, Any]) -> list[Row]:
    """The MAX_ROWS rows furthest from the share, furthest first."""
    return heapq.nsmallest(MAX_ROWS, iterate_rows(report), key=rank_row)
