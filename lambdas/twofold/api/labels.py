"""ListDatasetLabels."""

from typing import Any

import numpy as np

from twofold.api import tokens
from twofold.api.context import RequestContext
from twofold.api.listing import open_listing
from twofold.api.requests import ListDatasetLabelsRequest


def list_dataset_labels(
    context: RequestContext, request: ListDatasetLabelsRequest
) -> dict[str, Any]:
    """List a page of labels in the order of the first entries; labels without entries are left out."""
    listing = open_listing(context, request.dataset_arn, request.next_token)
    if not listing.folder:
        return {"DatasetLabelDescriptions": []}
    with listing.open_contents() as contents:
        names = contents.label_names
        entries, boxes = contents.read_column("label_entries"), contents.read_column("label_boxes")
    if not 0 <= listing.first <= entries.size:
        raise tokens.make_invalid_token_error()
    used_labels = np.flatnonzero(entries[listing.first :]) + listing.first
    page_labels = used_labels[: request.max_results].tolist()
    result: dict[str, Any] = {
        "DatasetLabelDescriptions": [
            _describe_label(names[i], int(entries[i]), int(boxes[i])) for i in page_labels
        ]
    }
    if used_labels.size > len(page_labels):
        result["NextToken"] = listing.encode_token(page_labels[-1] + 1)
    return result


def _describe_label(name: str, entries: int, boxes: int) -> dict[str, Any]:
    """Describe a label; without bounding boxes, BoundingBoxCount is left out."""
    stats = {"EntryCount": entries} | ({"BoundingBoxCount": boxes} if boxes else {})
    return {"LabelName": name, "LabelStats": stats}
