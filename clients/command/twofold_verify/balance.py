"""Checks of the balance: the table of labels, the optimum, boxes."""

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from twofold_verify.bounds import integrality_floor
from twofold_verify.checking import Split, WrongError, require
from twofold_verify.order import count_labels_of_groups
from twofold_verify.swaps import Kind, search_better

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
            **build_counts(images[0][label], images[1][label], fraction),
            **(_build_box_counts(boxes[0][label], boxes[1][label], fraction) if boxes[0] else {}),
        }
        for label in split.label_order
    ]
    require(claims["labels"], rows, "labels")
    if any(str(row["share"]).startswith("-") for row in (*claims["labels"], claims["unlabelled"])):
        raise WrongError("A share is written as -0.0; it is 0.0.")
    require(
        claims["unlabelled"], build_counts(images[0][""], images[1][""], fraction), "unlabelled"
    )
    for name, labels in _lists_of_labels(rows, fraction).items():
        require(claims[name], labels, name)
    return f"The table of {len(rows)} labels and unlabelled entries is right, in every cell."


def _lists_of_labels(rows: list[dict[str, Any]], fraction: Fraction) -> Mapping[str, list[str]]:
    smaller = min(fraction, 1 - fraction)
    return {
        "labelsMissingInTrain": [row["label"] for row in rows if not row["train"]],
        "labelsMissingInTest": [row["label"] for row in rows if not row["test"]],
        "rareLabels": [row["label"] for row in rows if smaller * row["before"] < 1],
    }


def build_counts(before: int, test: int, fraction: Fraction) -> dict[str, Any]:
    """The cells of a row of the report: entries in all and on both sides, test share, and deviation in entries."""
    return {
        "before": before,
        "train": before - test,
        "test": test,
        "share": round(test / before, 6) if before else None,
        "deviation": str(abs(test - fraction * before)),
    }


def _build_box_counts(boxes: int, in_test: int, fraction: Fraction) -> dict[str, Any]:
    return {
        "boxes": boxes,
        "boxesInTest": in_test,
        "boxDeviation": str(abs(in_test - fraction * boxes)),
    }


def _count_boxes(split: Split) -> tuple[Counter[str], Counter[str]]:
    """Boxes of each label in all and in test."""
    before, test = (
        Counter[str](label for entry in entries for label, n in entry.boxes for _ in range(n))
        for entries in (split.entries(), split.test.entries)
    )
    return before, test


def sum_deviations(before: Counter[Any], test: Counter[Any], fraction: Fraction) -> Fraction:
    """The sum of |test - fraction * before|."""
    unit, part = fraction.denominator, fraction.numerator
    return Fraction(sum(abs(unit * test[one] - part * n) for one, n in before.items()), unit)


def check_boxes(split: Split) -> str:
    before, test = _count_boxes(split)
    deviation = sum_deviations(before, test, split.report.fraction)
    require(
        split.report.raw.get("boxDeviation"), str(deviation) if before else None, "boxDeviation"
    )
    if split.report.balances_boxes:
        split.unchecked.append(
            "parameters.objective: that boxes were brought as near to their share as exchanges of images do."
        )
    if not before:
        return "There are none."
    return (
        f"{test.total()} of {before.total()} boxes are in test entries; "
        f"the deviations add up to {float(deviation):.1f}."
    )


def check_optimum(split: Split) -> str:
    before, test = split.images
    fraction, certificate = split.report.fraction, split.report.certificate
    deviation = sum_deviations(before, test, fraction)
    floor = integrality_floor(before.values(), fraction)
    require(certificate["deviation"], str(deviation), "summed deviation")
    bound = _read_bound(certificate["lowerBound"], fraction)
    if not floor <= bound <= deviation:
        raise WrongError(f"The bound {bound} is not between {floor} and {deviation}.")
    require(certificate["gap"], str(deviation - bound), "gap")
    require(certificate["optimal"], deviation == bound, "optimal")
    _check_proof(certificate, deviation, bound, floor)
    reached = f"The deviations add up to {deviation}"
    if deviation == floor:
        return f"{reached}; no whole numbers are nearer: this is an optimum."
    if bound == floor:
        return f"{reached}; the integrality floor is {floor}, so no optimum is claimed."
    return f"{reached}; {floor} would be the integrality floor. {_check_swaps(split, bound)}"


def _read_bound(text: str, fraction: Fraction) -> Fraction:
    """Raises WrongError for what no sum of deviations is."""
    bound = Fraction(text)
    if str(bound) != text or fraction.denominator % bound.denominator:
        raise WrongError(
            f"The bound {text} is not a fraction in lowest terms, or no sum of deviations."
        )
    return bound


def _check_proof(
    certificate: Mapping[str, Any], deviation: Fraction, bound: Fraction, floor: Fraction
) -> None:
    """Raises WrongError where the words of the proof contradict its numbers."""
    proof = certificate["proof"]
    if (proof == _FLOOR) is not (deviation == floor):
        raise WrongError(
            f"The proof is {proof!r}: the integrality floor is {floor}, the deviations add up to {deviation}."
        )
    if (proof == _OPTIMUM) is not (deviation == bound > floor):
        raise WrongError(
            f"The proof is {proof!r}: the bound is {bound}, the deviation {deviation}."
        )
    if proof == _TOO_LARGE and bound != floor:
        raise WrongError(f"The proof is {proof!r}, and the bound {bound}, not {floor}.")
    if proof not in (_FLOOR, _OPTIMUM, *_UNPROVEN):
        raise WrongError(f"The proof is {proof!r}, which is none that Twofold gives.")
    if proof in _UNPROVEN and deviation == bound:
        raise WrongError(f"The proof is {proof!r}, but the deviation reaches the bound.")


def _check_swaps(split: Split, bound: Fraction) -> str:
    """Raises WrongError where a few swaps refute the bound."""
    kinds = [_count_kinds(split, side) for side in (split.train, split.test)]
    search = search_better(kinds[0], kinds[1], split.report.fraction, bound)
    if search.deviation < bound:
        swaps = "one swap" if search.swaps == 1 else f"{search.swaps} swaps"
        raise WrongError(
            f"The bound {bound} is wrong: {swaps} of test entries or groups bring the deviations down to "
            f"{search.deviation}."
        )
    proof = split.report.certificate["proof"]
    split.unchecked.append(
        f"certificate.lowerBound: that {bound} is the least is the solver's word ({proof})."
    )
    if not search.finished:
        split.unchecked.append(
            "certificate.lowerBound: not every swap was tried, there are too many."
        )
        return f"That {bound} is the least is the solver's word ({proof}); the swaps that were tried do not refute it."
    return f"That {bound} is the least is the solver's word ({proof}); no single swap refutes it."


def _count_kinds(split: Split, side: Any) -> Counter[Kind]:
    if split.report.group_by is None:
        return Counter((1, _sorted_counts(entry.labels or ("",))) for entry in side.entries)
    sizes = Counter(entry.group for entry in side.entries)
    counts = count_labels_of_groups(side)
    return Counter(
        (size, tuple(sorted(counts[str(group)].items()))) for group, size in sizes.items()
    )


def _sorted_counts(labels: Any) -> tuple[tuple[str, int], ...]:
    return tuple((label, 1) for label in sorted(labels))
