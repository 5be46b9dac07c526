"""Checks of the balance: the table of labels, and boxes."""

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from twofold_verify.runner import Split, WrongError, require_equal


def check_labels(split: Split) -> str:
    images, boxes = split.images, _count_boxes(split)
    fraction, claims = split.report.fraction, split.report.raw
    rows = [
        {
            "label": label,
            **build_count_cells(images[0][label], images[1][label], fraction),
            **(_build_box_cells(boxes[0][label], boxes[1][label], fraction) if boxes[0] else {}),
        }
        for label in split.label_order
    ]
    require_equal(claims["labels"], rows, "labels")
    require_equal(
        claims["unlabelled"],
        build_count_cells(images[0][""], images[1][""], fraction),
        "unlabelled",
    )
    for name, labels in _list_labels(rows, fraction).items():
        require_equal(claims[name], labels, name)
    return f"The table of {len(rows)} labels and unlabelled entries is right, in every cell."


def _list_labels(rows: list[dict[str, Any]], fraction: Fraction) -> Mapping[str, list[str]]:
    smaller = min(fraction, 1 - fraction)
    return {
        "labelsMissingInTrain": [row["label"] for row in rows if not row["train"]],
        "labelsMissingInTest": [row["label"] for row in rows if not row["test"]],
        "rareLabels": [row["label"] for row in rows if smaller * row["before"] < 1],
    }


def build_count_cells(before: int, test: int, fraction: Fraction) -> dict[str, Any]:
    """Returns the counts of a row of the report: entries in both sets and each set, test share, deviation in entries."""
    return {
        "before": before,
        "train": before - test,
        "test": test,
        "share": round(test / before, 6) if before else None,
        "deviation": str(abs(test - fraction * before)),
    }


def _build_box_cells(boxes: int, in_test: int, fraction: Fraction) -> dict[str, Any]:
    return {
        "boxes": boxes,
        "boxesInTest": in_test,
        "boxDeviation": str(abs(in_test - fraction * boxes)),
    }


def _count_boxes(split: Split) -> tuple[Counter[str], Counter[str]]:
    """Returns the number of boxes by label, in both sets and in the test set."""
    before, test = (
        Counter[str](label for entry in entries for label, n in entry.boxes for _ in range(n))
        for entries in (split.iterate_entries(), split.test.entries)
    )
    return before, test


def compute_total_deviation(
    before: Counter[Any], test: Counter[Any], fraction: Fraction
) -> Fraction:
    """Returns the sum over all keys of |test - fraction * before|, exactly."""
    unit, part = fraction.denominator, fraction.numerator
    deviations = (abs(unit * test[key] - part * count) for key, count in before.items())
    return Fraction(sum(deviations), unit)


def check_boxes(split: Split) -> str:
    before, test = _count_boxes(split)
    deviation = compute_total_deviation(before, test, split.report.fraction)
    require_equal(
        split.report.raw.get("boxDeviation"), str(deviation) if before else None, "boxDeviation"
    )
    if split.report.balances_boxes:
        split.unchecked.append(
            "parameters.objective: whether exchanges of images could reduce the deviation of boxes further."
        )
    if not before:
        return "No boxes."
    return (
        f"{test.total()} of {before.total()} boxes are in the test set; "
        f"total deviation: {float(deviation):.1f} boxes."
    )


def read_bound(text: str, fraction: Fraction) -> Fraction:
    """Returns the bound. Raises WrongError if no sum of deviations can have this value."""
    bound = Fraction(text)
    if str(bound) != text or fraction.denominator % bound.denominator:
        raise WrongError(
            f"The bound {text} is not a fraction in lowest terms, or not a possible sum of deviations."
        )
    return bound
