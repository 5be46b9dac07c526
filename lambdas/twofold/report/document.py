"""The contents of report.json, for the service and for the command."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold import __version__
from twofold.report.label_pairs import count_label_pairs
from twofold.split import LabelSets, Objective, Selection, find_labels_in_one_group


def build_split_report(
    selection: Selection,
    *,
    label_set: NDArray[np.uint32],
    label_sets: LabelSets,
    groups: NDArray[np.uint64] | None = None,
    group_by: str | None = None,
    singles: int | None = None,
    previous: Mapping[str, str] | None = None,
    objective: Objective = Objective.LABELS,
) -> dict[str, Any]:
    """The version, parameters, certificate and tables of a split: enough to reproduce the split.

    `label_set`, `label_sets` and `groups` are the arrays of the selection. `previous` has the digests of the manifests of the
    previous split. `singles`, the number of entries that are groups of their own, is None if such entries are refused.
    """
    certificate = selection.certificate
    optional = {
        "groupBy": group_by,
        "ungrouped": None if singles is None else "single",
        "balanceBy": selection.levels and list(selection.levels.levels.members),
        "minPerLabel": selection.coverage and selection.coverage.minimum,
        "objective": None if objective is Objective.LABELS else objective.value,
        "previous": None if previous is None else dict(previous),
    }
    parameters = {
        "testFraction": str(certificate.fraction),
        "seed": certificate.seed,
        **{name: value for name, value in optional.items() if value is not None},
    }
    report = {"twofold": __version__, "parameters": parameters, **selection.build_report()}
    report["coOccurrence"] = count_label_pairs(
        label_set, label_sets, selection.test_mask, certificate.fraction
    )
    if groups is not None and len(groups):
        report["groups"] = count_group_sizes(groups, selection.test_mask)
        if singles is not None:
            report["groups"]["ungrouped"] = singles
        report["groups"]["labelsInOneGroup"] = find_labels_in_one_group(
            label_set, label_sets, groups
        )
    return report


def build_dataset_report(manifest: str, *, entries: int, size: int, digest: str) -> dict[str, Any]:
    """The manifest of a side: location, entries, size in bytes, and digest."""
    return {"manifest": manifest, "entries": entries, "bytes": size, "digest": digest}


def count_group_sizes(groups: NDArray[np.uint64], test_mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Groups of each side by size, in classes of 1, 2-3, 4-7, 8-15 entries and so on."""
    _, first, sizes = np.unique(groups, return_index=True, return_counts=True)
    # A group is on one side: its first entry says which.
    in_test = test_mask[first]
    size_class = np.frexp(sizes)[1].astype(np.int64) - 1
    classes = int(size_class.max()) + 1
    all_groups = np.bincount(size_class, minlength=classes)
    test_groups = np.bincount(size_class[in_test], minlength=classes)
    return {
        "groups": len(sizes),
        "testGroups": int(np.count_nonzero(in_test)),
        "largestGroup": int(sizes.max()),
        "sizes": [
            {
                "from": 1 << i,
                "to": (2 << i) - 1,
                "train": int(all_groups[i] - test_groups[i]),
                "test": int(test_groups[i]),
            }
            for i in np.flatnonzero(all_groups).tolist()
        ],
    }
