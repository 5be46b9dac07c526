"""Checks of what balance means: the table of labels, the optimum, pairs of labels, boxes."""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from typing import Any

from twofold_verify.bounds import integrality_floor
from twofold_verify.checking import Split, WrongError, require
from twofold_verify.reading import Entry

_FLOOR = "integrality floor"
_PAIRED_LABELS = 2_000


def labels(split: Split) -> str:
    tables = [
        Counter(label for entry in side.entries for label in entry.labels)
        for side in (split.train, split.test)
    ]
    claimed = {row["label"]: row for row in split.report.claim("labels")}
    require(sorted(claimed), sorted(set(tables[0]) | set(tables[1])), "labels")
    for label, row in claimed.items():
        _check_row(split, label, row, tables[0][label], tables[1][label])
    bare = [sum(not entry.labels for entry in side.entries) for side in (split.train, split.test)]
    _check_row(split, "(no label)", split.report.claim("unlabelled"), bare[0], bare[1])
    for member, table in (("labelsMissingInTrain", tables[0]), ("labelsMissingInTest", tables[1])):
        missing = sorted(label for label in claimed if not table[label])
        require(sorted(split.report.claim(member)), missing, member)
    return f"The table of {len(claimed)} labels and unlabelled entries is right, in every cell."


def _check_row(split: Split, label: str, row: dict[str, Any], train: int, test: int) -> None:
    deviation = abs(test - split.report.fraction * (train + test))
    found = {"before": train + test, "train": train, "test": test, "deviation": str(deviation)}
    for member, value in found.items():
        require(row.get(member), value, f"{member} of {label!r}")


def _images(split: Split) -> tuple[Counter[str], Counter[str]]:
    """Images of each label in all and in test; unlabelled entries are the label ''."""
    before, test = (
        Counter(label for entry in entries for label in entry.labels or ("",))
        for entries in (split.entries(), split.test.entries)
    )
    return before, test


def optimum(split: Split) -> str:
    before, test = _images(split)
    fraction = split.report.fraction
    deviation = sum(
        (abs(test[label] - fraction * images) for label, images in before.items()), Fraction(0)
    )
    require(split.report.number("certificate", "deviation"), deviation, "summed deviation")
    bound = split.report.number("certificate", "lowerBound")
    floor = integrality_floor(before.values(), fraction)
    require(split.report.number("certificate", "gap"), deviation - bound, "gap")
    require(split.report.claim("certificate", "optimal"), deviation == bound, "optimal")
    if not floor <= bound <= deviation:
        raise WrongError(f"The bound {bound} is not between {floor} and {deviation}.")
    if deviation == floor:
        return f"The deviations add up to {deviation}; no whole numbers are nearer: this is an optimum."
    if split.report.claim("certificate", "proof") == _FLOOR:
        raise WrongError(f"The integrality floor is {floor}; the deviations add up to {deviation}.")
    return (
        f"The deviations add up to {deviation}; {floor} would be the integrality floor. That {bound} "
        f"is the least is the solver's word ({split.report.claim('certificate', 'proof')})."
    )


def pairs(split: Split) -> str:
    names = {label for entry in split.entries() for label in entry.labels}
    if len(names) + 1 > _PAIRED_LABELS:
        return f"Not counted: there are more than {_PAIRED_LABELS} labels."
    before, test = (_pair_counts(each) for each in (split.entries(), split.test.entries))
    require(split.report.claim("certificate", "pairs"), len(before), "pairs")
    fraction = split.report.fraction
    deviation = sum(
        (abs(test[pair] - fraction * images) for pair, images in before.items()), Fraction(0)
    )
    require(split.report.number("certificate", "pairDeviation"), deviation, "deviation of pairs")
    return f"The deviations of {len(before)} pairs of labels add up to {float(deviation):.1f}."


def _pair_counts(entries: Iterator[Entry] | list[Entry]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for labels, times in Counter(entry.labels for entry in entries).items():
        for pair in combinations(sorted(labels), 2):
            found[pair] += times
    return found


def boxes(split: Split) -> str:
    """Boxes of each label, where the report tells them."""
    before, test = (
        Counter[str](label for entry in entries for label, n in entry.boxes for _ in range(n))
        for entries in (split.entries(), split.test.entries)
    )
    if "boxDeviation" not in split.report.raw:
        if before:
            raise WrongError(
                f"There are {before.total()} boxes, of which the report knows nothing."
            )
        return "There are none."
    fraction = split.report.fraction
    for row in split.report.claim("labels"):
        label = row["label"]
        off = str(abs(test[label] - fraction * before[label]))
        found = {"boxes": before[label], "boxesInTest": test[label], "boxDeviation": off}
        for member, value in found.items():
            require(row.get(member), value, f"{member} of {label}")
    total = sum((abs(test[each] - fraction * before[each]) for each in before), Fraction(0))
    require(split.report.number("boxDeviation"), total, "summed deviation of boxes")
    return f"{test.total()} of {before.total()} boxes are in test entries; the deviations add up to {float(total):.1f}."
