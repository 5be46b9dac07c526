"""The integrality floor of a split: the least deviation that whole numbers of images allow, label by label."""

from fractions import Fraction

from twofold_verify.bounds import (
    compute_covered_floor,
    compute_integrality_floor,
    compute_level_floor,
)
from twofold_verify.manifests import name_column
from twofold_verify.runner import Split


def compute_floor(split: Split, minimum: int) -> Fraction:
    """Returns the integrality floor of labels, plus for each balanced member the least deviation of its levels."""
    before, fraction = split.columns[0], split.report.fraction
    labels = [count for label, count in split.images[0].items() if label]
    unlabelled = split.images[0][""]
    members: dict[str, list[int]] = {}
    for level in split.levels:
        members.setdefault(level[0], []).append(before[name_column(level)])
    floors = (compute_level_floor(counts, fraction, split.test_size) for counts in members.values())
    label_floor = compute_covered_floor(labels, fraction, minimum)
    return (
        label_floor + compute_integrality_floor([unlabelled], fraction) + sum(floors, Fraction(0))
    )
