"""Which labels a line gives its image, and how many boxes of each, by Rekognition Custom Labels' rules for manifests."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

_SUFFIX = "-metadata"
_PREDICTED = "rekognition-custom-labels-evaluation"
_NOT_LABELS = ("source-ref", "cl")
_CLASS = "groundtruth/image-classification"
_CLASSES = "groundtruth/image-classification-multilabel"
_BOXES = "groundtruth/object-detection"

_LONGEST_NAME = 255
_MOST_BOXES = 50
_LONGER_SIDE = 1280
_ROUNDING = 0.05

Json = dict[str, Any]


def labels_of(line: Json) -> dict[str, int]:
    """The labels, with their numbers of boxes; 0 for a label of the image alone.

    A label counts where it can be read and has a name of 1 to 255 characters; in a box, where the box lies in the frame,
    is wider and higher than a pixel of the image as trained on, and is among the image's first 50.
    """
    found: Counter[str] = Counter()
    boxes = 0
    for value, metadata in _attributes(line):
        kind = metadata.get("type")
        if kind == _CLASS or (kind == _CLASSES and "class-name" in metadata):
            found.update(dict.fromkeys(_one_class(value, metadata), 0))
        elif kind == _CLASSES:
            found.update(dict.fromkeys(_many_classes(value, metadata), 0))
        elif kind == _BOXES:
            room = max(0, _MOST_BOXES - boxes)
            names = _boxed(value, metadata)
            found.update(name for name in names[:room] if name is not None)
            boxes += min(room, len(names))
    return {name: found[name] for name in found if 0 < len(name) <= _LONGEST_NAME}


def _attributes(line: Json) -> Iterator[tuple[Any, Json]]:
    """Values with a partner that describes them, in the order of those partners."""
    for partner, metadata in line.items():
        key = partner.removesuffix(_SUFFIX)
        described = key != partner and key in line and type(metadata) is dict
        if described and key not in _NOT_LABELS and not _is_foreign(key):
            yield line[key], metadata


def _is_foreign(key: str) -> bool:
    """Metadata of metadata, and predictions of a trained model."""
    return key.endswith(_SUFFIX) or key.startswith(_PREDICTED)


def _is_whole(value: Any) -> bool:
    """A 64-bit integer; JSON readers differ on larger ones."""
    return type(value) is int and -(1 << 63) <= value < 1 << 64


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _one_class(value: Any, metadata: Json) -> Iterator[str]:
    name = metadata.get("class-name")
    if type(value) in (int, float, str) and type(name) is str:
        yield name


def _many_classes(value: Any, metadata: Json) -> Iterator[str]:
    names = _class_map(metadata) or {}
    if type(value) is list and all(_is_whole(one) or type(one) is str for one in value):
        yield from (names[str(one)] for one in value if str(one) in names)


def _class_map(metadata: Json) -> dict[str, str] | None:
    """The names by class id; None where any of them is not text."""
    names = metadata.get("class-map")
    if type(names) is dict and all(type(name) is str for name in names.values()):
        return names
    return None


def _boxed(value: Any, metadata: Json) -> list[str | None]:
    """For each box its label, or None where it does not count; no boxes where the attribute cannot be read."""
    names = _class_map(metadata)
    if type(value) is not dict or names is None:
        return []
    frame, annotations = _frame(value.get("image_size")), value.get("annotations")
    if frame is None or type(annotations) is not list or not all(map(_is_box, annotations)):
        return []
    return [
        names.get(str(box["class_id"])) if _is_sound(box, *frame) else None for box in annotations
    ]


def _frame(sizes: Any) -> tuple[float, float] | None:
    if type(sizes) is not list or len(sizes) != 1 or type(sizes[0]) is not dict:
        return None
    if not all(_is_number(sizes[0].get(each)) for each in ("width", "height", "depth")):
        return None
    return sizes[0]["width"], sizes[0]["height"]


def _is_box(box: Any) -> bool:
    return (
        type(box) is dict
        and (_is_whole(box.get("class_id")) or type(box.get("class_id")) is str)
        and all(_is_number(box.get(each)) for each in ("left", "top", "width", "height"))
    )


def _is_sound(box: Json, frame_width: float, frame_height: float) -> bool:
    left, top, width, height = box["left"], box["top"], box["width"], box["height"]
    pixel = max(1, frame_width / _LONGER_SIDE, frame_height / _LONGER_SIDE)
    in_width = left >= 0 and left + width <= frame_width + _ROUNDING
    in_height = top >= 0 and top + height <= frame_height + _ROUNDING
    return bool(in_width and in_height and width > pixel and height > pixel)
