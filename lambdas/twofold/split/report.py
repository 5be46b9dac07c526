"""What the report of a split says wherever it is written: in the service and at the terminal."""

from collections.abc import Mapping
from typing import Any

from twofold import __version__
from twofold.split.boxes import Objective
from twofold.split.certificate import Selection


def split_report(
    selection: Selection,
    group_by: str | None = None,
    previous: Mapping[str, str] | None = None,
    objective: Objective = Objective.LABELS,
) -> dict[str, Any]:
    """Version, parameters, certificate and tables: enough to make the same split again.

    `previous` names the manifests of the split that was kept, by their digests.
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
    return {"twofold": __version__, "parameters": parameters, **selection.report()}


def dataset_report(manifest: str, *, entries: int, size: int, digest: str) -> dict[str, Any]:
    """One side: where its manifest lies, and what proves that it is whole."""
    return {"manifest": manifest, "entries": entries, "bytes": size, "digest": digest}
