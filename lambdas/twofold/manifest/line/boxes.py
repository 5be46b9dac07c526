"""Bounding boxes of a line (`groundtruth/object-detection`), in pixels from the top left corner of the image.

Rules and limits follow the developer guide. Decisions where the guide is silent:

- A box may leave the image by EDGE_PIXELS: COCO rounds each float separately.
- An image may have 50 boxes. The attribute with box 51 has the error, and further boxes do not count.
- A box must be wider and higher than one pixel of the training image, whose longer side is at most 1280 pixels.
"""

from operator import itemgetter
from typing import Any, NamedTuple

from twofold.manifest.line.document import Document
from twofold.manifest.line.errors import ErrorCode
from twofold.manifest.line.findings import NUMBERS, Findings, has_provenance, read_class_map
from twofold.manifest.line.limits import (
    EDGE_PIXELS,
    MAX_BOXES,
    MAX_IMAGE_PIXELS,
    MIN_IMAGE_PIXELS,
    TRAINING_PIXELS,
)

DETECTION_TYPE = "groundtruth/object-detection"

_CLASS_ID_TYPES = frozenset({int, str})
_get_size = itemgetter("width", "height", "depth")
_get_box = itemgetter("class_id", "left", "top", "width", "height")
_get_confidence = itemgetter("confidence")


class BoxAnnotations(NamedTuple):
    """The boxes of an attribute: class ids, and the error codes of invalid boxes by position."""

    class_ids: list[str]
    codes: dict[int, ErrorCode]


def read_boxes(key: str, value: Any, metadata: Document, findings: Findings) -> None:
    """Add the labels of valid boxes of attribute `key`, and the errors of the attribute."""
    try:
        width, height = _read_size(value["image_size"])
        boxes = _read_annotations(value["annotations"], width, height)
    except (KeyError, TypeError, ValueError):
        findings.add_error((key,) if type(value) is dict else (), ErrorCode.ATTRIBUTE_FORMAT, key)
        return
    class_map = read_class_map(metadata)
    if class_map is None:
        findings.add_error((key + "-metadata",), ErrorCode.METADATA_FORMAT)
        return
    findings.valid_attributes += 1
    labels = list(map(class_map.get, boxes.class_ids))
    _check_metadata(key + "-metadata", metadata, labels, findings)
    if labels:
        if min(width, height) < MIN_IMAGE_PIXELS or max(width, height) > MAX_IMAGE_PIXELS:
            findings.add_error((key,), ErrorCode.INVALID_IMAGE_DIMENSION)
        _count_boxes(key, labels, boxes.codes, findings)


def _read_size(sizes: Any) -> tuple[float, float]:
    """Return (width, height). Raises KeyError, TypeError or ValueError for an invalid format; so does `_read_annotations`."""
    if type(sizes) is not list:
        raise TypeError
    (size,) = sizes
    width, height, depth = _get_size(size)
    if type(width) not in NUMBERS or type(height) not in NUMBERS or type(depth) not in NUMBERS:
        raise TypeError
    return width, height


def _read_annotations(annotations: Any, image_width: float, image_height: float) -> BoxAnnotations:
    if type(annotations) is not list:
        raise TypeError
    # Limits of the right and bottom edges, computed once for all boxes.
    right, bottom = image_width + EDGE_PIXELS, image_height + EDGE_PIXELS
    min_side = compute_min_side(image_width, image_height)
    class_ids: list[Any] = []
    codes: dict[int, ErrorCode] = {}
    for class_id, left, top, width, height in map(_get_box, annotations):
        # `type(...)`, not isinstance: a bool is no number here.
        if (
            type(left) not in NUMBERS
            or type(top) not in NUMBERS
            or type(width) not in NUMBERS
            or type(height) not in NUMBERS
        ):
            raise TypeError
        if left < 0 or top < 0 or left + width > right or top + height > bottom:
            codes[len(class_ids)] = ErrorCode.INVALID_BOUNDING_BOX
        elif width <= min_side or height <= min_side:
            is_negative = width < 0 or height < 0
            codes[len(class_ids)] = (
                ErrorCode.INVALID_BOUNDING_BOX if is_negative else ErrorCode.BOUNDING_BOX_TOO_SMALL
            )
        class_ids.append(class_id)
    if not _CLASS_ID_TYPES.issuperset(map(type, class_ids)):
        raise TypeError
    return BoxAnnotations([*map(str, class_ids)], codes)


def compute_min_side(image_width: float, image_height: float) -> float:
    """Return the length, in pixels of the image, that both sides of a box must exceed."""
    # A comparison is faster than max(), and this runs for every line.
    longer = image_width if image_width > image_height else image_height
    return longer / TRAINING_PIXELS if longer > TRAINING_PIXELS else 1


def _check_metadata(
    metadata_key: str, metadata: Document, labels: list[str | None], findings: Findings
) -> None:
    objects = metadata.get("objects")
    if type(objects) is not list or not has_provenance(metadata):
        findings.add_error((metadata_key,), ErrorCode.METADATA_FORMAT)
    if type(objects) is list and not _has_confidences(objects, len(labels)):
        findings.add_error((metadata_key,), ErrorCode.MISSING_CONFIDENCE)
    if None in labels:
        findings.add_error((metadata_key,), ErrorCode.MISSING_CLASS_MAP_ID)


def _has_confidences(objects: list[Any], boxes: int) -> bool:
    try:
        confidence_types = map(type, map(_get_confidence, objects[:boxes]))
        return NUMBERS.issuperset(confidence_types) and len(objects) >= boxes
    except (KeyError, TypeError):
        return False


def _count_boxes(
    key: str, labels: list[str | None], codes: dict[int, ErrorCode], findings: Findings
) -> None:
    """Count each valid box for its label, up to MAX_BOXES boxes of the line, and add the errors of invalid boxes."""
    remaining = MAX_BOXES - findings.boxes
    if len(labels) > remaining:
        findings.add_error((key,), ErrorCode.TOO_MANY_BOUNDING_BOXES)
    findings.boxes += min(remaining, len(labels))
    for index, code in codes.items():
        findings.add_error((key, "annotations", index), code)
        # An invalid box has no label below, but counts for MAX_BOXES.
        labels[index] = None
    counts = findings.labels
    for label in labels[:remaining]:
        if label in counts:
            counts[label] += 1
        elif label is not None:
            # The first box of a label: check its name.
            findings.count_label(label, 1, key + "-metadata")
