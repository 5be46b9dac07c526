"""Bounding boxes of a line (`groundtruth/object-detection`), in pixels from the image's top left corner.

Rules and limits are the developer guide's. Where it is silent:

- A box that leaves the frame by no more than EDGE_PIXELS is taken as rounding: COCO's floats are rounded one by one.
- 50 boxes are allowed in an image, so the attribute that passes 50 has the error, and boxes after the 50th do not count.
- A box must be wider and higher than one pixel of the image as training sees it, its longer side at most 1280.
"""

from operator import itemgetter
from typing import Any, NamedTuple

from twofold.manifest.document import Document
from twofold.manifest.faults import Code
from twofold.manifest.findings import NUMBERS, Findings, is_provenance, read_class_map

BOXES = "groundtruth/object-detection"
MIN_IMAGE_PIXELS = 64
MAX_IMAGE_PIXELS = 4096
MAX_BOXES = 50
TRAINING_PIXELS = 1280
EDGE_PIXELS = 0.05

_CLASS_IDS = frozenset({int, str})
_size_of = itemgetter("width", "height", "depth")
_box_of = itemgetter("class_id", "left", "top", "width", "height")
_confidence_of = itemgetter("confidence")


class Boxes(NamedTuple):
    """The boxes of one attribute: their class ids, and by index the few that break a rule."""

    ids: list[str]
    faults: dict[int, Code]


def read_boxes(key: str, value: Any, metadata: Document, findings: Findings) -> None:
    """Adds the labels of the sound boxes of attribute `key`, and its faults."""
    try:
        width, height = _read_size(value["image_size"])
        boxes = _read_annotations(value["annotations"], width, height)
    except (KeyError, TypeError, ValueError):
        findings.add((key,) if type(value) is dict else (), Code.ATTRIBUTE_FORMAT, key)
        return
    class_map = read_class_map(metadata)
    if class_map is None:
        findings.add((key + "-metadata",), Code.METADATA_FORMAT)
        return
    findings.survivors += 1
    labels = list(map(class_map.get, boxes.ids))
    _check_metadata(key + "-metadata", metadata, labels, findings)
    if labels:
        if min(width, height) < MIN_IMAGE_PIXELS or max(width, height) > MAX_IMAGE_PIXELS:
            findings.add((key,), Code.INVALID_IMAGE_DIMENSION)
        _count(key, labels, boxes.faults, findings)


def _read_size(sizes: Any) -> tuple[float, float]:
    """Raises KeyError, TypeError or ValueError where the format is wrong; so does `_read_annotations`."""
    if type(sizes) is not list:
        raise TypeError
    (size,) = sizes
    width, height, depth = _size_of(size)
    if type(width) not in NUMBERS or type(height) not in NUMBERS or type(depth) not in NUMBERS:
        raise TypeError
    return width, height


def _read_annotations(annotations: Any, frame_width: float, frame_height: float) -> Boxes:
    if type(annotations) is not list:
        raise TypeError
    right, bottom = frame_width + EDGE_PIXELS, frame_height + EDGE_PIXELS
    smallest = smallest_side(frame_width, frame_height)
    ids: list[Any] = []
    faults: dict[int, Code] = {}
    for class_id, left, top, width, height in map(_box_of, annotations):
        if (
            type(left) not in NUMBERS
            or type(top) not in NUMBERS
            or type(width) not in NUMBERS
            or type(height) not in NUMBERS
        ):
            raise TypeError
        if left < 0 or top < 0 or left + width > right or top + height > bottom:
            faults[len(ids)] = Code.INVALID_BOUNDING_BOX
        elif width <= smallest or height <= smallest:
            negative = width < 0 or height < 0
            faults[len(ids)] = (
                Code.INVALID_BOUNDING_BOX if negative else Code.BOUNDING_BOX_TOO_SMALL
            )
        ids.append(class_id)
    if not _CLASS_IDS.issuperset(map(type, ids)):
        raise TypeError
    return Boxes([*map(str, ids)], faults)


def smallest_side(frame_width: float, frame_height: float) -> float:
    """What a side of a box must exceed, in pixels of the image."""
    # Compared, not max(): called for every line.
    longer = frame_width if frame_width > frame_height else frame_height
    return longer / TRAINING_PIXELS if longer > TRAINING_PIXELS else 1


def _check_metadata(
    metadata_key: str, metadata: Document, labels: list[str | None], findings: Findings
) -> None:
    objects = metadata.get("objects")
    if type(objects) is not list or not is_provenance(metadata):
        findings.add((metadata_key,), Code.METADATA_FORMAT)
    if type(objects) is list and not _has_confidences(objects, len(labels)):
        findings.add((metadata_key,), Code.MISSING_CONFIDENCE)
    if None in labels:
        findings.add((metadata_key,), Code.MISSING_CLASS_MAP_ID)


def _has_confidences(objects: list[Any], boxes: int) -> bool:
    try:
        kinds = map(type, map(_confidence_of, objects[:boxes]))
        return NUMBERS.issuperset(kinds) and len(objects) >= boxes
    except (KeyError, TypeError):
        return False


def _count(key: str, labels: list[str | None], faults: dict[int, Code], findings: Findings) -> None:
    room = MAX_BOXES - findings.boxes
    if len(labels) > room:
        findings.add((key,), Code.TOO_MANY_BOUNDING_BOXES)
    findings.boxes += min(room, len(labels))
    for index, code in faults.items():
        findings.add((key, "annotations", index), code)
        labels[index] = None
    totals = findings.labels
    for label in labels[:room]:
        if label in totals:
            totals[label] += 1
        elif label is not None:
            findings.count(label, 1, key + "-metadata")
