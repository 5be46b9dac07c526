"""Check of label pairs: the deviation of pairs in the certificate, and the tables of co-occurrence in the report."""

from collections import Counter
from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import combinations, islice
from math import comb
from typing import Any

from twofold_verify.balance_checks import build_count_cells, compute_total_deviation
from twofold_verify.manifests import Entry
from twofold_verify.runner import Split, require_equal

MAX_PAIRED_LABELS = 2_000
_BLOCK_ENTRIES = 1 << 16
_LISTED_LABELS = 200
_LISTED_PAIRS = 25
_SQUARE_LABELS = 15

Pair = tuple[str, str]


def check_pairs(split: Split) -> str:
    """Checks the certificate's total deviation of pairs, and the report's tables of the most frequent pairs."""
    images, counts_all_pairs = split.images[0], len(split.label_order) < MAX_PAIRED_LABELS
    listed = sorted(split.label_order, key=lambda label: -images[label])[:_LISTED_LABELS]
    paired_labels = frozenset(split.label_order if counts_all_pairs else listed)
    before, test = (
        _count_pairs(entries, paired_labels)
        for entries in (split.iterate_entries(), split.test.entries)
    )
    _check_tables(split, listed, before, test)
    if not counts_all_pairs:
        split.unchecked.append(
            f"certificate.pairs, certificate.pairDeviation: there are {len(split.label_order)} labels."
        )
        return f"The tables of pairs are right. Not all pairs were counted: {len(split.label_order)} labels."
    deviation = compute_total_deviation(before, test, split.report.fraction)
    require_equal(split.report.certificate["pairs"], len(before), "pairs")
    require_equal(split.report.certificate["pairDeviation"], str(deviation), "deviation of pairs")
    return f"Pairs of labels: {len(before)}. Total deviation: {float(deviation):.1f} images."


def _count_pairs(entries: Iterable[Entry], paired_labels: frozenset[str]) -> Counter[Pair]:
    """Returns the number of entries with both labels, by pair in alphabetical order."""
    counts: Counter[Pair] = Counter()
    remaining = iter(entries)
    while block := [entry.labels & paired_labels for entry in islice(remaining, _BLOCK_ENTRIES)]:
        labels = sorted(frozenset().union(*block))
        distinct = Counter(block)
        if sum(comb(len(label_set), 2) for label_set in distinct) <= comb(len(labels), 2):
            _add_listed_pairs(counts, distinct)
        else:
            _add_intersections(counts, block, labels)
    return counts


def _add_listed_pairs(counts: Counter[Pair], label_sets: Counter[frozenset[str]]) -> None:
    for label_set, times in label_sets.items():
        for pair in combinations(sorted(label_set), 2):
            counts[pair] += times


def _add_intersections(
    counts: Counter[Pair], label_sets: list[frozenset[str]], labels: list[str]
) -> None:
    """Counts by intersections of the entries of two labels: the work is bounded also for entries with many labels."""
    members = {label: bytearray(len(label_sets) // 8 + 1) for label in labels}
    for number, label_set in enumerate(label_sets):
        for label in label_set:
            members[label][number >> 3] |= 1 << (number & 7)
    # An integer with a bit for each entry.
    bits = [int.from_bytes(members[label]) for label in labels]
    for (label, entries), (other_label, other_entries) in combinations(
        zip(labels, bits, strict=True), 2
    ):
        common = (entries & other_entries).bit_count()
        if common:
            counts[label, other_label] += common


def _check_tables(
    split: Split, listed: list[str], before: Counter[Pair], test: Counter[Pair]
) -> None:
    """Raises WrongError unless the report's coOccurrence is right. `listed` has labels in the order of frequency."""
    positions = {label: number for number, label in enumerate(listed)}
    # Pairs of positions in `listed`: a more frequent label first, in the pair and in the order of the pairs.
    pairs = sorted(
        (
            min(positions[label], positions[other_label]),
            max(positions[label], positions[other_label]),
        )
        for label, other_label in before
        if label in positions and other_label in positions
    )
    rows = [
        _build_row((listed[first], listed[second]), before, test, split.report.fraction)
        for first, second in pairs
    ]
    square, images = listed[:_SQUARE_LABELS], split.images[0]
    expected = {
        "labels": len(listed),
        "pairs": len(rows),
        "mostFrequent": _select_highest(rows, lambda row: row["before"]),
        "furthest": _select_highest(rows, lambda row: Fraction(row["deviation"])),
        "matrix": {
            "labels": square,
            "images": [
                [
                    images[row] if row == column else before[_sort_pair(row, column)]
                    for column in square
                ]
                for row in square
            ],
        },
    }
    require_equal(split.report.raw["coOccurrence"], expected, "coOccurrence")


def _select_highest(
    rows: list[dict[str, Any]], value: Callable[[dict[str, Any]], Any]
) -> list[dict[str, Any]]:
    return sorted(rows, key=value, reverse=True)[:_LISTED_PAIRS]


def _build_row(
    pair: Pair, before: Counter[Pair], test: Counter[Pair], fraction: Fraction
) -> dict[str, Any]:
    key = _sort_pair(*pair)
    return {"labels": list(pair), **build_count_cells(before[key], test[key], fraction)}


def _sort_pair(left: str, right: str) -> Pair:
    return (left, right) if left < right else (right, left)
