"""Whether a dataset can be divided into parts."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import LabelSets
from twofold.split.eligibility import NOT_ENOUGH, explain_refusal
from twofold.split.parts.shares import PartShares


def explain_parts_refusal(
    *,
    label_set: NDArray[np.uint32],
    label_sets: LabelSets,
    names: Sequence[str],
    fractions: Sequence[Fraction],
    groups: NDArray[np.uint64] | None = None,
    label_errors: str = "",
) -> str | None:
    """Return a message for the user if the dataset cannot be divided into these parts, or else None.

    Every part must get entries, and at least one label must have an image for two parts. `label_errors`, a sentence on entries
    with unreadable labels, ends a message about labels.
    """
    entries = PartShares.from_fractions(fractions).round_entries(len(label_set))
    empty = [name for name, count in zip(names, entries.tolist(), strict=True) if not count]
    if empty:
        return (
            f"{NOT_ENOUGH} {len(label_set)} entries are too few for {len(names)} parts: "
            f"{', '.join(empty[:5])} would be empty."
        )
    if groups is not None and len(np.unique(groups)) < len(names):
        return f"{NOT_ENOUGH} {len(np.unique(groups))} groups are too few for {len(names)} parts."
    # The rules for labels are those of a split into halves.
    return explain_refusal(
        label_set=label_set,
        label_sets=label_sets,
        fraction=Fraction(1, 2),
        groups=groups,
        label_errors=label_errors,
    )
