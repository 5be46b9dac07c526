"""Labels and numbers of boxes of a manifest line, by the rules of Rekognition Custom Labels."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

_SUFFIX = "-metadata"
_PREDICTED = "rekognition-custom-labels-evaluation"
_NOT_LABELS = ("source-ref", "cl")
_CLASS = "groundtruth/image-classification"
_CLASSES = "groundtruth/image-classification-multilabel"
_BOXES = "groundtruth/object-detection"

_MAX_NAME_CHARACTERS = 255
_MAX_BOXES = 50
_MAX_SIDE_PIXELS = 1280
_ROUNDING_TOLERANCE = 0.05

Json = dict[str, Any]


def read_labels(line: Json) -> dict[str, int]:
    """Returns the number of boxes by label; 0 for an image-level label.

    A label counts if it can be parsed and its name has 1 to 255 characters. The label of a box counts if the box is inside the
    frame, is wider and higher than a pixel of the resized image, and is among the first 50 boxes of the image.
    """
    box_counts: Counter[str] = Counter()
    boxes = 0
    for value, metadata in _iterate_label_attributes(line):
        kind = metadata.get("type")
        if kind == _CLASS or (kind == _CLASSES and "class-name" in metadata):
            box_counts.update(dict.fromkeys(_read_single_class(value, metadata), 0))
        elif kind == _CLASSES:
            box_counts.update(dict.fromkeys(_read_multiple_classes(value, metadata), 0))
        elif kind == _BOXES:
            remaining = max(0, _MAX_BOXES - boxes)
            names = _read_box_labels(value, metadata)
            box_counts.update(name for name in names[:remaining] if name is not None)
            boxes += min(remaining, len(names))
    return {name: box_counts[name] for name in box_counts if 0 < len(name) <= _MAX_NAME_CHARACTERS}


def _iterate_label_attributes(line: Json) -> Iterator[tuple[Any, Json]]:
    """Yields (value, metadata) of the label attributes, in the order of the metadata."""
    for metadata_key, metadata in line.items():
        key = metadata_key.removesuffix(_SUFFIX)
        is_attribute = key != metadata_key and key in line and type(metadata) is dict
        if is_attribute and key not in _NOT_LABELS and not _is_foreign(key):
            yield line[key], metadata


def _is_foreign(key: str) -> bool:
    """Returns whether the key is metadata of metadata, or a prediction of a trained model."""
    return key.endswith(_SUFFIX) or key.startswith(_PREDICTED)


def _is_whole(value: Any) -> bool:
    """Returns whether the value is a 64-bit integer; JSON parsers differ on larger integers."""
    return type(value) is int and -(1 << 63) <= value < 1 << 64


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _read_single_class(value: Any, metadata: Json) -> Iterator[str]:
    name = metadata.get("class-name")
    if type(value) in (int, float, str) and type(name) is str:
        yield name


def _read_multiple_classes(value: Any, metadata: Json) -> Iterator[str]:
    names = _read_class_map(metadata) or {}
    if type(value) is list and all(_is_whole(item) or type(item) is str for item in value):
        yield from (names[str(item)] for item in value if str(item) in names)


def _read_class_map(metadata: Json) -> dict[str, str] | None:
    """Returns the names by class id, or None if a name is not a string."""
    names = metadata.get("class-map")
    if type(names) is dict and all(type(name) is str for name in names.values()):
        return names
    return None


def _read_box_labels(value: Any, metadata: Json) -> list[str | None]:
    """Returns the label of each box, None for a box that does not count, and an empty list for an invalid attribute."""
    names = _read_class_map(metadata)
    if type(value) is not dict or names is None:
        return []
    frame, annotations = _read_frame(value.get("image_size")), value.get("annotations")
    if frame is None or type(annotations) is not list or not all(map(_is_box, annotations)):
        return []
    return [
        names.get(str(box["class_id"])) if _is_inside_frame(box, *frame) else None
        for box in annotations
    ]


def _read_frame(sizes: Any) -> tuple[float, float] | None:
    if type(sizes) is not list or len(sizes) != 1 or type(sizes[0]) is not dict:
        return None
    if not all(_is_number(sizes[0].get(name)) for name in ("width", "height", "depth")):
        return None
    return sizes[0]["width"], sizes[0]["height"]


def _is_box(box: Any) -> bool:
    return (
        type(box) is dict
        and (_is_whole(box.get("class_id")) or type(box.get("class_id")) is str)
        and all(_is_number(box.get(name)) for name in ("left", "top", "width", "height"))
    )


def _is_inside_frame(box: Json, frame_width: float, frame_height: float) -> bool:
    x, y, width, height = box["left"], box["top"], box["width"], box["height"]
    pixel = max(1, frame_width / _MAX_SIDE_PIXELS, frame_height / _MAX_SIDE_PIXELS)
    in_width = x >= 0 and x + width <= frame_width + _ROUNDING_TOLERANCE
    in_height = y >= 0 and y + height <= frame_height + _ROUNDING_TOLERANCE
    return bool(in_width and in_height and width > pixel and height > pixel)
