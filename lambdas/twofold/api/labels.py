"""ListDatasetLabels."""

from typing import Any

import numpy as np

from twofold.api import tokens
from twofold.api.contract import ListDatasetLabelsRequest
from twofold.api.pages import listing
from twofold.api.service import Service


def list_dataset_labels(service: Service, request: ListDatasetLabelsRequest) -> dict[str, Any]:
    """Labels in the order in which they were first seen; one that no entry has any more is not listed."""
    page = listing(service, request.dataset_arn, request.next_token)
    if not page.folder:
        return {"DatasetLabelDescriptions": []}
    with page.contents() as contents:
        names = contents.names
        entries, boxes = contents.column("label_entries"), contents.column("label_boxes")
    if not 0 <= page.first <= entries.size:
        raise tokens.invalid()
    carried = np.flatnonzero(entries[page.first :]) + page.first
    shown = carried[: request.max_results].tolist()
    result: dict[str, Any] = {
        "DatasetLabelDescriptions": [
            _description(names[i], int(entries[i]), int(boxes[i])) for i in shown
        ]
    }
    if carried.size > len(shown):
        result["NextToken"] = page.token(shown[-1] + 1)
    return result


def _description(name: str, entries: int, boxes: int) -> dict[str, Any]:
    """A label that is on whole images only has no number of boxes."""
    stats = {"EntryCount": entries} | ({"BoundingBoxCount": boxes} if boxes else {})
    return {"LabelName": name, "LabelStats": stats}
