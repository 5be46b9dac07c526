"""Whether a distribution can be made at all."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from twofold.split.rows import LabelSets, Rows, canonical_rows, spans
from twofold.split.sizes import nearest_reachable

NOT_ENOUGH = "The manifest file doesn't have enough labeled images to distribute the dataset."
_NAMED = 5


def rounded_share(entries: int, fraction: Fraction) -> int:
    """floor(fraction * entries + 1/2), in exact arithmetic."""
    return int(fraction * entries + Fraction(1, 2))


def refusal(
    *,
    label_set: NDArray[np.uint32],
    label_sets: LabelSets,
    fraction: Fraction = Fraction(1, 5),
    min_images_per_label: int = 1,
    groups: NDArray[np.uint64] | None = None,
    label_errors: str = "",
) -> str | None:
    """Why no distribution can be made, as a message for the user, or None if one can.

    It can when both sides get entries, at least one label can be on both and every label has at
    least `min_images_per_label` images. `label_errors` is a sentence on entries whose labels could not
    be read; a refusal for want of labels ends with it.
    """
    rows, order = canonical_rows(label_sets)
    times = np.bincount(label_set, minlength=len(rows))
    images = rows.totals(times, len(order) + 1)[:-1]
    entries = len(label_set)
    wanted = rounded_share(entries, fraction)
    if wanted in (0, entries):
        side = "test" if wanted == 0 else "training"
        return f"{NOT_ENOUGH} {fraction} of {entries} entries leaves the {side} dataset empty."
    remark = f" {label_errors}" if label_errors else ""
    if not np.any(images >= 2):
        return f"{NOT_ENOUGH} No label has two images, so none can be in both datasets.{remark}"
    if groups is not None:
        if not np.any(_spans_groups(rows, label_set, groups, len(order))):
            return (
                f"{NOT_ENOUGH} No label is in two groups, so none can be in both datasets.{remark}"
            )
        if _whole_groups(groups, wanted) in (0, entries):
            return (
                f"{NOT_ENOUGH} Whole groups leave one dataset empty: no choice of them is nearer to "
                f"{wanted} of {entries} entries."
            )
    few = np.flatnonzero((images > 0) & (images < min_images_per_label)).tolist()
    reason = _too_few([(label_sets.names[order[i]], images[i]) for i in few], min_images_per_label)
    return reason and f"{reason}{remark}"


def labels_in_one_group(
    label_set: NDArray[np.uint32], label_sets: LabelSets, groups: NDArray[np.uint64]
) -> list[str]:
    """Labels with two images or more, all of them in one group: no split of whole groups has them on both sides."""
    rows, order = canonical_rows(label_sets)
    images = rows.totals(np.bincount(label_set, minlength=len(rows)), len(order) + 1)[:-1]
    confined = (images >= 2) & ~_spans_groups(rows, label_set, groups, len(order))
    return [label_sets.names[order[label]] for label in np.flatnonzero(confined).tolist()]


def _too_few(labels: Sequence[tuple[str, int]], least: int) -> str | None:
    if not labels:
        return None
    named = ", ".join(f"'{name}' ({images})" for name, images in labels[:_NAMED])
    rest = f" and {len(labels) - _NAMED} more" if len(labels) > _NAMED else ""
    return f"{NOT_ENOUGH} Every label must have at least {least} images; fewer have {named}{rest}."


def _whole_groups(groups: NDArray[np.uint64], wanted: int) -> int:
    """The number of entries nearest to `wanted` that whole groups add up to."""
    _, sizes = np.unique(groups, return_counts=True)
    return nearest_reachable(sizes.astype(np.int64), wanted)


def _spans_groups(
    rows: Rows, label_set: NDArray[np.uint32], groups: NDArray[np.uint64], unlabelled: int
) -> NDArray[np.bool_]:
    """Of each label, whether its entries are in two groups or more."""
    lowest = np.full(len(rows), np.iinfo(np.uint64).max, dtype=np.uint64)
    highest = np.zeros(len(rows), dtype=np.uint64)
    np.minimum.at(lowest, label_set, groups)
    np.maximum.at(highest, label_set, groups)
    low = np.full(unlabelled + 1, np.iinfo(np.uint64).max, dtype=np.uint64)
    high = np.zeros(unlabelled + 1, dtype=np.uint64)
    for first, last in spans(rows.offsets):
        labels = rows.labels[rows.offsets[first] : rows.offsets[last]]
        lengths = np.diff(rows.offsets[first : last + 1])
        np.minimum.at(low, labels, np.repeat(lowest[first:last], lengths))
        np.maximum.at(high, labels, np.repeat(highest[first:last], lengths))
    spans_groups: NDArray[np.bool_] = (low < high)[:unlabelled]
    return spans_groups
