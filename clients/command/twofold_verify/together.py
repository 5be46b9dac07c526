"""Checks of labels that occur together: their pairs, and the tables of them."""

from collections import Counter
from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import combinations
from typing import Any

from twofold_verify.balance import build_counts, sum_deviations
from twofold_verify.checking import Split, require
from twofold_verify.reading import Entry

MAX_PAIRED_LABELS = 2_000
_LISTED_LABELS = 200
_LISTED_PAIRS = 25
_SQUARE_LABELS = 15

Pair = tuple[str, str]


def check_pairs(split: Split) -> str:
    """The certificate's sum over pairs of labels, and the report's tables of the most frequent ones."""
    images, few = split.images[0], len(split.label_order) < MAX_PAIRED_LABELS
    listed = sorted(split.label_order, key=lambda label: -images[label])[:_LISTED_LABELS]
    among = frozenset(split.label_order if few else listed)
    before, test = (
        _count_pairs(entries, among) for entries in (split.entries(), split.test.entries)
    )
    _check_tables(split, listed, before, test)
    if not few:
        split.unchecked.append(
            f"certificate.pairs, certificate.pairDeviation: there are {len(split.label_order)} labels."
        )
        return (
            f"The tables of pairs are right. Not all were counted: {len(split.label_order)} labels."
        )
    deviation = sum_deviations(before, test, split.report.fraction)
    require(split.report.certificate["pairs"], len(before), "pairs")
    require(split.report.certificate["pairDeviation"], str(deviation), "deviation of pairs")
    return f"The deviations of {len(before)} pairs of labels add up to {float(deviation):.1f}."


def _count_pairs(entries: Iterable[Entry], among: frozenset[str]) -> Counter[Pair]:
    """Entries with both labels, by pair in the order of their names."""
    counts: Counter[Pair] = Counter()
    for labels, times in Counter(entry.labels for entry in entries).items():
        for pair in combinations(sorted(labels & among), 2):
            counts[pair] += times
    return counts


def _check_tables(
    split: Split, listed: list[str], before: Counter[Pair], test: Counter[Pair]
) -> None:
    """Raises WrongError where the report's coOccurrence is not that of the `listed` labels, the most frequent first."""
    place = {label: number for number, label in enumerate(listed)}
    pairs = sorted(
        (place[one], place[other]) if place[one] < place[other] else (place[other], place[one])
        for one, other in before
        if one in place and other in place
    )
    rows = [
        _build_row((listed[one], listed[other]), before, test, split.report.fraction)
        for one, other in pairs
    ]
    square, images = listed[:_SQUARE_LABELS], split.images[0]
    found = {
        "labels": len(listed),
        "pairs": len(rows),
        "mostFrequent": _highest(rows, lambda row: row["before"]),
        "furthest": _highest(rows, lambda row: Fraction(row["deviation"])),
        "matrix": {
            "labels": square,
            "images": [
                [images[one] if one == other else before[_ordered(one, other)] for other in square]
                for one in square
            ],
        },
    }
    require(split.report.raw["coOccurrence"], found, "coOccurrence")


def _highest(
    rows: list[dict[str, Any]], value: Callable[[dict[str, Any]], Any]
) -> list[dict[str, Any]]:
    return sorted(rows, key=value, reverse=True)[:_LISTED_PAIRS]


def _build_row(
    pair: Pair, before: Counter[Pair], test: Counter[Pair], fraction: Fraction
) -> dict[str, Any]:
    key = _ordered(*pair)
    return {"labels": list(pair), **build_counts(before[key], test[key], fraction)}


def _ordered(one: str, other: str) -> Pair:
    return (one, other) if one < other else (other, one)
