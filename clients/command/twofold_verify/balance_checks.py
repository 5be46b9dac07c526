"""Checks of the balance: the table of labels, the optimum, boxes."""

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from twofold_verify.floors import compute_floor
from twofold_verify.order import count_labels_by_group
from twofold_verify.runner import Split, WrongError, require_equal
from twofold_verify.swaps import Signature, search_improvement

_FLOOR = "integrality floor"
_OPTIMUM = "MILP optimum"
_TOO_LARGE = "too large for a MILP"
_UNPROVEN = (_TOO_LARGE, "node limit", "work limit", "inexact MILP")


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


def check_optimum(split: Split) -> str:
    before, test = split.columns
    fraction, certificate = split.report.fraction, split.report.certificate
    deviation = compute_total_deviation(before, test, fraction)
    floor = compute_floor(split, split.report.min_per_label)
    require_equal(certificate["deviation"], str(deviation), "summed deviation")
    bound = read_bound(certificate["lowerBound"], fraction)
    if not floor <= bound <= deviation:
        raise WrongError(f"The bound {bound} is not between {floor} and {deviation}.")
    require_equal(certificate["gap"], str(deviation - bound), "gap")
    require_equal(certificate["optimal"], deviation == bound, "optimal")
    _check_proof(certificate, deviation, bound, floor)
    total = f"Total deviation: {deviation} images"
    if deviation == floor:
        return f"{total}, which equals the integrality floor: this is an optimum."
    if bound == floor:
        return f"{total}; the integrality floor is {floor}, and no optimum is claimed."
    return f"{total}; integrality floor: {floor}. {_check_swaps(split, bound)}"


def read_bound(text: str, fraction: Fraction) -> Fraction:
    """Returns the bound. Raises WrongError if no sum of deviations can have this value."""
    bound = Fraction(text)
    if str(bound) != text or fraction.denominator % bound.denominator:
        raise WrongError(
            f"The bound {text} is not a fraction in lowest terms, or not a possible sum of deviations."
        )
    return bound


def _check_proof(
    certificate: Mapping[str, Any], deviation: Fraction, bound: Fraction, floor: Fraction
) -> None:
    """Raises WrongError if the name of the proof contradicts the numbers."""
    proof = certificate["proof"]
    if (proof == _FLOOR) is not (deviation == floor):
        raise WrongError(
            f"The proof is {proof!r}: the integrality floor is {floor}, the total deviation {deviation}."
        )
    if (proof == _OPTIMUM) is not (deviation == bound > floor):
        raise WrongError(
            f"The proof is {proof!r}: the bound is {bound}, the deviation {deviation}."
        )
    if proof == _TOO_LARGE and bound != floor:
        raise WrongError(f"The proof is {proof!r}, and the bound {bound}, not {floor}.")
    if proof not in (_FLOOR, _OPTIMUM, *_UNPROVEN):
        raise WrongError(f"The proof is {proof!r}, which Twofold does not use.")
    if proof in _UNPROVEN and deviation == bound:
        raise WrongError(f"The proof is {proof!r}, but the deviation reaches the bound.")


def _check_swaps(split: Split, bound: Fraction) -> str:
    """Raises WrongError if swaps refute the bound, by a total deviation below the bound."""
    signatures = [_count_signatures(split, side) for side in (split.train, split.test)]
    search = search_improvement(
        signatures[0], signatures[1], split.report.fraction, bound, limits=_list_limits(split)
    )
    if search.deviation < bound:
        swaps = "one swap" if search.swaps == 1 else f"{search.swaps} swaps"
        raise WrongError(
            f"The bound {bound} is wrong: {swaps} of test entries or groups reduce the total deviation to "
            f"{search.deviation}."
        )
    proof = split.report.certificate["proof"]
    split.unchecked.append(
        f"certificate.lowerBound: {bound} is the minimum only by the solver's claim ({proof})."
    )
    if not search.finished:
        split.unchecked.append(
            "certificate.lowerBound: not every swap was tried; there are too many."
        )
        return f"The solver claims the minimum {bound} ({proof}); the swaps that were tried do not refute it."
    return f"The solver claims the minimum {bound} ({proof}); no single swap refutes it."


def _list_limits(split: Split) -> dict[str, tuple[int, int]]:
    """Returns the least and the largest number of test images of each label of which a number on each side is demanded."""
    minimum, images = split.report.min_per_label, split.images[0]
    return {
        label: (minimum, images[label] - minimum)
        for label in split.label_order
        if minimum and images[label] >= 2 * minimum
    }


def _count_signatures(split: Split, side: Any) -> Counter[Signature]:
    if split.report.group_by is None:
        return Counter((1, _count_labels(entry.columns)) for entry in side.entries)
    sizes = Counter(entry.group for entry in side.entries)
    counts = count_labels_by_group(side)
    return Counter(
        (size, tuple(sorted(counts[str(group)].items()))) for group, size in sizes.items()
    )


def _count_labels(labels: Any) -> tuple[tuple[str, int], ...]:
    return tuple((label, 1) for label in sorted(labels))
