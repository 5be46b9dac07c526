"""The labels of a report as the page shows them: the furthest from their share first, not more than a page can bear."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from twofold.report.text import name

MAX_ROWS = 2_000
"""A page with more is slow to open; report.json has them all."""

NO_LABEL = "(no label)"


@dataclass(frozen=True, slots=True)
class Row:
    """`fraction` is the share of each label that should be tested. `boxes`: in all, and in the test entries, where the
    dataset has any."""

    label: str
    before: int
    test: int
    fraction: Fraction
    is_label: bool = True
    boxes: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        return name(self.label)

    @property
    def train(self) -> int:
        return self.before - self.test

    @property
    def deviation(self) -> Fraction:
        """In images: how many more are tested than the fraction says."""
        return self.test - self.fraction * self.before

    @property
    def as_near_as_possible(self) -> bool:
        """No whole number of images is nearer to its share."""
        return 2 * abs(self.deviation) <= 1


def all_rows(report: dict[str, Any]) -> Iterator[Row]:
    """Every label, and the entries without one if there are any."""
    fraction = Fraction(report["certificate"]["fraction"])
    boxed = "boxDeviation" in report
    for one in report["labels"]:
        boxes = (one["boxes"], one["boxesInTest"]) if boxed else None
        yield Row(one["label"], one["before"], one["test"], fraction, boxes=boxes)
    bare = report["unlabelled"]
    if bare["before"]:
        boxes = (0, 0) if boxed else None
        yield Row(NO_LABEL, bare["before"], bare["test"], fraction, is_label=False, boxes=boxes)


def shown_rows(report: dict[str, Any]) -> list[Row]:
    """At most MAX_ROWS."""
    fraction = Fraction(report["certificate"]["fraction"])
    share, of = fraction.numerator, fraction.denominator

    def order(row: Row) -> tuple[int, int, str]:
        return -abs(of * row.test - share * row.before), -row.before, row.label

    return heapq.nsmallest(MAX_ROWS, all_rows(report), key=order)
