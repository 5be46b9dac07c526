"""Bounding boxes of a line (`groundtruth/object-detection`), in pixels from the image's top left corner.

Rules and limits are the developer guide's. Where it is silent:

- A box that leaves the frame by less than EDGE_PIXELS is taken as rounding: COCO's floats are rounded one by one.
- 50 boxes are allowed in an image, so the attribute that passes 50 has the error, and boxes after the 50th do not count.
"""

from typing import Any, NamedTuple

from twofold.manifest.document import Document
from twofold.manifest.faults import Code
from twofold.manifest.findings import Findings, is_number, is_provenance, read_class_map

MIN_IMAGE_PIXELS = 64
MAX_IMAGE_PIXELS = 4096
MAX_BOXES = 50
TRAINING_PIXELS = 1280
EDGE_PIXELS = 0.05

_NUMBERS = frozenset({int, float})
_CLASS_IDS = frozenset({int, str})


class Frame(NamedTuple):
    """An image's size and the side, in its own pixels, that a box must exceed: 1 after training's resize to 1280."""

    width: float
    height: float
    smallest: float


class Box(NamedTuple):
    class_id: str
    left: float
    top: float
    width: float
    height: float


def read_boxes(key: str, value: Any, metadata: Document, findings: Findings) -> None:
    """Adds the labels of the sound boxes of attribute `key`, and its faults."""
    frame = _read_frame(value)
    boxes = _read_annotations(value)
    if frame is None or boxes is None:
        findings.add((key,) if type(value) is dict else (), Code.ATTRIBUTE_FORMAT, key)
        return
    class_map = read_class_map(metadata)
    if class_map is None:
        findings.add((key + "-metadata",), Code.METADATA_FORMAT)
        return
    findings.survivors += 1
    _check_metadata(key, metadata, boxes, class_map, findings)
    if boxes:
        _check_image(key, frame, len(boxes), findings)
        _count_boxes(key, boxes, frame, class_map, findings)


def _read_frame(value: Any) -> Frame | None:
    sizes = value.get("image_size") if type(value) is dict else None
    if type(sizes) is not list or len(sizes) != 1 or type(sizes[0]) is not dict:
        return None
    size: Document = sizes[0]
    width: Any = size.get("width")
    height: Any = size.get("height")
    if not (is_number(width) and is_number(height) and is_number(size.get("depth"))):
        return None
    return Frame(width, height, max(1, width / TRAINING_PIXELS, height / TRAINING_PIXELS))


def _read_annotations(value: Any) -> list[Box] | None:
    annotations = value.get("annotations") if type(value) is dict else None
    if type(annotations) is not list:
        return None
    boxes = []
    for annotation in annotations:
        box = _read_box(annotation)
        if box is None:
            return None
        boxes.append(box)
    return boxes


def _read_box(annotation: Any) -> Box | None:
    try:
        class_id = annotation["class_id"]
        left, top = annotation["left"], annotation["top"]
        width, height = annotation["width"], annotation["height"]
    except (KeyError, TypeError):
        return None
    kinds = {type(left), type(top), type(width), type(height)}
    if type(class_id) not in _CLASS_IDS or not kinds <= _NUMBERS:
        return None
    return Box(str(class_id), left, top, width, height)


def _check_metadata(
    key: str, metadata: Document, boxes: list[Box], class_map: dict[str, str], findings: Findings
) -> None:
    path = (key + "-metadata",)
    objects = metadata.get("objects")
    if type(objects) is not list or not is_provenance(metadata):
        findings.add(path, Code.METADATA_FORMAT)
    if type(objects) is list and not _has_confidences(objects, len(boxes)):
        findings.add(path, Code.MISSING_CONFIDENCE)
    if any(box.class_id not in class_map for box in boxes):
        findings.add(path, Code.MISSING_CLASS_MAP_ID)


def _has_confidences(objects: list[Any], boxes: int) -> bool:
    return len(objects) >= boxes and all(
        type(item) is dict and is_number(item.get("confidence")) for item in objects[:boxes]
    )


def _check_image(key: str, frame: Frame, boxes: int, findings: Findings) -> None:
    smaller, larger = min(frame.width, frame.height), max(frame.width, frame.height)
    if smaller < MIN_IMAGE_PIXELS or larger > MAX_IMAGE_PIXELS:
        findings.add((key,), Code.INVALID_IMAGE_DIMENSION)
    if findings.boxes + boxes > MAX_BOXES:
        findings.add((key,), Code.TOO_MANY_BOUNDING_BOXES)


def _count_boxes(
    key: str, boxes: list[Box], frame: Frame, class_map: dict[str, str], findings: Findings
) -> None:
    nameless = False
    for index, box in enumerate(boxes):
        findings.boxes += 1
        code = _box_fault(box, frame)
        if code is not None:
            findings.add((key, "annotations", index), code)
        elif box.class_id in class_map and findings.boxes <= MAX_BOXES:
            nameless |= not findings.count(class_map[box.class_id], 1)
    if nameless:
        findings.add((key + "-metadata",), Code.INVALID_LABEL_NAME_LENGTH)


def _box_fault(box: Box, frame: Frame) -> Code | None:
    _, left, top, width, height = box
    if left < 0 or top < 0 or width < 0 or height < 0:
        return Code.INVALID_BOUNDING_BOX
    if left + width > frame.width + EDGE_PIXELS or top + height > frame.height + EDGE_PIXELS:
        return Code.INVALID_BOUNDING_BOX
    if width <= frame.smallest or height <= frame.smallest:
        return Code.BOUNDING_BOX_TOO_SMALL
    return None
