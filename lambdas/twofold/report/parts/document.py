"""The contents of report.json for a split into parts. Lists by part are in the order of the parameter `parts`."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold import __version__
from twofold.split import LabelSets, find_labels_in_one_group
from twofold.split.parts import PARTS_VERSION, PartsSelection

FORMAT = "parts-1"
"""The member `format`, which reports of a split into two do not have."""


def build_parts_report(
    selection: PartsSelection,
    *,
    names: Sequence[str],
    label_set: NDArray[np.uint32],
    label_sets: LabelSets,
    groups: NDArray[np.uint64] | None = None,
    group_by: str | None = None,
    singles: int | None = None,
) -> dict[str, Any]:
    """The version, parameters, certificate and tables of a split into parts: enough to reproduce it.

    `names` has the names of the parts. `singles`, the number of entries that are groups of their own, is None if such entries
    are refused.
    """
    certificate = selection.certificate
    fractions = certificate.fractions
    parameters: dict[str, Any] = {
        "parts": [
            {"name": name, "fraction": str(fraction)}
            for name, fraction in zip(names, fractions, strict=True)
        ],
        "seed": certificate.seed,
    }
    optional = {"groupBy": group_by, "ungrouped": singles is not None and "single"}
    parameters |= {name: value for name, value in optional.items() if value}
    report = {
        "twofold": __version__,
        "format": FORMAT,
        "parameters": parameters,
        "certificate": _build_certificate(selection),
        **_build_label_tables(selection, names),
    }
    if groups is not None and len(groups):
        report["groups"] = count_part_groups(groups, selection.part, len(names))
        report["groups"]["labelsInOneGroup"] = find_labels_in_one_group(
            label_set, label_sets, groups
        )
        if singles is not None:
            report["groups"]["ungrouped"] = singles
    return report


def _build_certificate(selection: PartsSelection) -> dict[str, Any]:
    certificate = selection.certificate
    return {
        "algorithmVersion": PARTS_VERSION,
        "seed": certificate.seed,
        "entries": certificate.entries,
        "groups": certificate.groups,
        "entriesWanted": list(certificate.wanted),
        "entriesReached": list(certificate.reached),
        "deviation": str(certificate.deviation),
        "lowerBound": str(certificate.lower_bound),
        "gap": str(certificate.gap),
        "optimal": certificate.gap == 0,
        "proof": certificate.proof,
        "movedEntries": certificate.moved,
    }


def _build_label_tables(selection: PartsSelection, names: Sequence[str]) -> dict[str, Any]:
    fractions = selection.certificate.fractions
    counts = zip(selection.images.tolist(), selection.part_images.T.tolist(), strict=True)
    rows = [_build_row(before, parts, fractions) for before, parts in counts]
    labels = [
        {"label": label, **row}
        # The last row is that of unlabelled entries.
        for label, row in zip(selection.names, rows[:-1], strict=True)
        if row["before"]
    ]
    smallest = min(fractions)
    return {
        "labels": labels,
        "unlabelled": rows[-1],
        "labelsMissing": {
            name: [row["label"] for row in labels if not row["parts"][number]]
            for number, name in enumerate(names)
        },
        "rareLabels": [row["label"] for row in labels if smallest * row["before"] < 1],
    }


def _build_row(
    before: int, parts: Sequence[int], fractions: Sequence[Fraction]
) -> Mapping[str, Any]:
    deviations = [
        abs(count - fraction * before) for count, fraction in zip(parts, fractions, strict=True)
    ]
    return {"before": before, "parts": list(parts), "deviation": str(sum(deviations))}


def count_part_groups(
    groups: NDArray[np.uint64], part: NDArray[np.uint8], part_count: int
) -> dict[str, Any]:
    """Groups of each part by size, in classes of 1, 2-3, 4-7, 8-15 entries and so on."""
    _, first, sizes = np.unique(groups, return_index=True, return_counts=True)
    part_of_group = part[first].astype(np.int64)
    size_class = np.frexp(sizes)[1].astype(np.int64) - 1
    classes = int(size_class.max()) + 1
    table = np.bincount(size_class * part_count + part_of_group, minlength=classes * part_count)
    table = table.reshape(classes, part_count)
    return {
        "groups": len(sizes),
        "largestGroup": int(sizes.max()),
        "parts": table.sum(axis=0).tolist(),
        "sizes": [
            {"from": 1 << i, "to": (2 << i) - 1, "parts": table[i].tolist()}
            for i in np.flatnonzero(table.any(axis=1)).tolist()
        ],
    }
