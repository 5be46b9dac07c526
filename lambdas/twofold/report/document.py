"""What the report of a split says wherever it is written: in the service and at the terminal."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold import __version__
from twofold.report.together import label_pairs
from twofold.split import LabelSets, Objective, Selection, labels_in_one_group


def split_report(
    selection: Selection,
    *,
    label_set: NDArray[np.uint32],
    label_sets: LabelSets,
    groups: NDArray[np.uint64] | None = None,
    group_by: str | None = None,
    previous: Mapping[str, str] | None = None,
    objective: Objective = Objective.LABELS,
) -> dict[str, Any]:
    """Version, parameters, certificate and tables: enough to make the same split again.

    The arrays are those that the selection was made from. `previous` names the manifests of the split that was kept, by
    their digests.
    """
    certificate = selection.certificate
    parameters: dict[str, Any] = {
        "testFraction": str(certificate.fraction),
        "seed": certificate.seed,
    }
    if group_by is not None:
        parameters["groupBy"] = group_by
    if objective is not Objective.LABELS:
        parameters["objective"] = objective.value
    if previous is not None:
        parameters["previous"] = dict(previous)
    report = {"twofold": __version__, "parameters": parameters, **selection.report()}
    report["coOccurrence"] = label_pairs(
        label_set, label_sets, selection.test, certificate.fraction
    )
    if groups is not None and len(groups):
        report["groups"] = group_sizes(groups, selection.test)
        report["groups"]["labelsInOneGroup"] = labels_in_one_group(label_set, label_sets, groups)
    return report


def dataset_report(manifest: str, *, entries: int, size: int, digest: str) -> dict[str, Any]:
    """One side: where its manifest lies, and what proves that it is whole."""
    return {"manifest": manifest, "entries": entries, "bytes": size, "digest": digest}


def group_sizes(groups: NDArray[np.uint64], test: NDArray[np.bool_]) -> dict[str, Any]:
    """How many groups there are on each side, and how large: in classes 1, 2-3, 4-7, 8-15 and so on."""
    _, first, sizes = np.unique(groups, return_index=True, return_counts=True)
    tested = test[first]
    size_class = np.frexp(sizes)[1].astype(np.int64) - 1
    classes = int(size_class.max()) + 1
    both = np.bincount(size_class, minlength=classes)
    of_test = np.bincount(size_class[tested], minlength=classes)
    return {
        "groups": len(sizes),
        "testGroups": int(np.count_nonzero(tested)),
        "largestGroup": int(sizes.max()),
        "sizes": [
            {
                "from": 1 << i,
                "to": (2 << i) - 1,
                "train": int(both[i] - of_test[i]),
                "test": int(of_test[i]),
            }
            for i in np.flatnonzero(both).tolist()
        ],
    }
