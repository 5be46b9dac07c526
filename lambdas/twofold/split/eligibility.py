"""Whether a dataset can be distributed."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import LabelSets, compute_lengths, iterate_chunks
from twofold.split.label_matrix import LabelMatrix, build_label_matrix
from twofold.split.subset_sum import find_nearest_sum

NOT_ENOUGH = "The manifest file doesn't have enough labeled images to distribute the dataset."
_MAX_NAMED = 5


def round_share(entries: int, fraction: Fraction) -> int:
    """floor(fraction * entries + 1/2), in exact arithmetic."""
    return int(fraction * entries + Fraction(1, 2))


def explain_refusal(
    *,
    label_set: NDArray[np.uint32],
    label_sets: LabelSets,
    fraction: Fraction = Fraction(1, 5),
    min_images_per_label: int = 1,
    groups: NDArray[np.uint64] | None = None,
    label_errors: str = "",
) -> str | None:
    """Return a message for the user if the dataset cannot be distributed, or else None.

    Both sides must get entries, at least one label must have an image for each side, and every label must have at least
    `min_images_per_label` images. `label_errors`, a sentence on entries with unreadable labels, ends a message about labels.
    """
    matrix, order = build_label_matrix(label_sets)
    times = np.bincount(label_set, minlength=len(matrix))
    # Without the last column, "unlabelled".
    images = matrix.sum_by_label(times, len(order) + 1)[:-1]
    entries = len(label_set)
    test_entries = round_share(entries, fraction)
    if test_entries in (0, entries):
        side = "test" if test_entries == 0 else "training"
        return f"{NOT_ENOUGH} {fraction} of {entries} entries leaves the {side} dataset empty."
    remark = f" {label_errors}" if label_errors else ""
    if not np.any(images >= 2):
        return f"{NOT_ENOUGH} No label has two images, so none can be in both datasets.{remark}"
    if groups is not None:
        if not np.any(_mark_labels_across_groups(matrix, label_set, groups, len(order))):
            return (
                f"{NOT_ENOUGH} No label is in two groups, so none can be in both datasets.{remark}"
            )
        if _find_group_sum(groups, test_entries) in (0, entries):
            return (
                f"{NOT_ENOUGH} Whole groups leave one dataset empty: no choice of them is nearer to "
                f"{test_entries} of {entries} entries."
            )
    few = np.flatnonzero((images > 0) & (images < min_images_per_label)).tolist()
    labels = [(label_sets.names[order[label]], images[label]) for label in few]
    reason = _explain_few_images(labels, min_images_per_label)
    return reason and f"{reason}{remark}"


def find_labels_in_one_group(
    label_set: NDArray[np.uint32], label_sets: LabelSets, groups: NDArray[np.uint64]
) -> list[str]:
    """Labels with two or more images, all in the same group: no split of whole groups has the label on both sides."""
    matrix, order = build_label_matrix(label_sets)
    times = np.bincount(label_set, minlength=len(matrix))
    images = matrix.sum_by_label(times, len(order) + 1)[:-1]
    is_across = _mark_labels_across_groups(matrix, label_set, groups, len(order))
    confined = np.flatnonzero((images >= 2) & ~is_across)
    return [label_sets.names[order[label]] for label in confined.tolist()]


def _explain_few_images(labels: Sequence[tuple[str, int]], minimum: int) -> str | None:
    if not labels:
        return None
    named = ", ".join(f"'{name}' ({images})" for name, images in labels[:_MAX_NAMED])
    more = f" and {len(labels) - _MAX_NAMED} more" if len(labels) > _MAX_NAMED else ""
    return (
        f"{NOT_ENOUGH} Every label must have at least {minimum} images; fewer have {named}{more}."
    )


def _find_group_sum(groups: NDArray[np.uint64], wanted: int) -> int:
    """The number of entries of whole groups nearest to `wanted`."""
    _, sizes = np.unique(groups, return_counts=True)
    return find_nearest_sum(sizes.astype(np.int64), wanted)


def _mark_labels_across_groups(
    matrix: LabelMatrix,
    label_set: NDArray[np.uint32],
    groups: NDArray[np.uint64],
    label_count: int,
) -> NDArray[np.bool_]:
    """Whether the entries of each label are in two or more groups: its lowest and highest group hashes differ."""
    max_hash = np.iinfo(np.uint64).max
    # First for each label set, then for each label and for "unlabelled".
    set_low, set_high = np.full(len(matrix), max_hash, np.uint64), np.zeros(len(matrix), np.uint64)
    # Unbuffered minimum and maximum over the entries of each label set.
    np.minimum.at(set_low, label_set, groups)
    np.maximum.at(set_high, label_set, groups)
    low, high = np.full(label_count + 1, max_hash, np.uint64), np.zeros(label_count + 1, np.uint64)
    for first, last in iterate_chunks(matrix.offsets):
        labels = matrix.labels[matrix.offsets[first] : matrix.offsets[last]]
        lengths = compute_lengths(matrix.offsets[first : last + 1])
        np.minimum.at(low, labels, np.repeat(set_low[first:last], lengths))
        np.maximum.at(high, labels, np.repeat(set_high[first:last], lengths))
    is_across: NDArray[np.bool_] = (low < high)[:label_count]
    return is_across
