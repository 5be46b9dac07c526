"""Decoders for common lines: msgspec checks types and limits while it parses.

One decoder reads lines without boxes. Another is built for each *schema*: the members of a line with boxes in a single
attribute. A decoder refuses every line with an error by the rules (`document`, `attributes`, `boxes`).
"""

from collections.abc import Callable
from functools import lru_cache, partial
from types import NoneType
from typing import Annotated, Any, Literal, NamedTuple

from msgspec import UNSET, Meta, Struct, UnsetType, defstruct, field
from msgspec.json import Decoder

from twofold.manifest.line.attributes import (
    CLASS_VALUE_TYPES,
    CLASSIFICATION_TYPES,
    METADATA_SUFFIX,
    is_attribute_key,
)
from twofold.manifest.line.boxes import DETECTION_TYPE, compute_min_side
from twofold.manifest.line.document import Document
from twofold.manifest.line.limits import (
    EDGE_PIXELS,
    MAX_BOXES,
    MAX_IMAGE_PIXELS,
    MIN_IMAGE_PIXELS,
)

MAX_MEMBERS = 64


class FastEntry(NamedTuple):
    """An entry without errors.

    `classes` has the label of each box (None if missing in the class map) or of each image-level attribute; labels may repeat.
    `boxes_per_class` is 1 for boxes and 0 for image-level labels. `strings` is the number of strings in the text of the line
    if no key appears twice.
    """

    source_ref: str
    classes: list[str | None]
    boxes_per_class: int
    strings: int


# Runs once for each line, and takes two thirds of the time of FastEntry(...).
_make_entry: Callable[[tuple[str, list[str | None], int, int]], FastEntry] = partial(
    tuple.__new__, FastEntry
)

DecodeLine = Callable[[bytes], FastEntry | None]
"""Returns None or raises ValueError (of msgspec or UTF-8) for a line that the rules must read."""

LineSchema = tuple[tuple[str, Any], ...]
"""(key, type of the value) for each member of an object; the type of an object with typed members is a schema."""

_Share = Annotated[float, Meta(ge=0, le=1)]
_Pixels = Annotated[float, Meta(ge=MIN_IMAGE_PIXELS, le=MAX_IMAGE_PIXELS)]
_Offset = Annotated[float, Meta(ge=0)]
_ClassId = Annotated[int, Meta(ge=0, le=1 << 53)]
_HumanAnnotated = Literal["yes", "no"]


class _Class(Struct, forbid_unknown_fields=True, gc=False):
    """The metadata of an image-level label."""

    name: str = field(name="class-name")
    confidence: _Share
    human_annotated: _HumanAnnotated = field(name="human-annotated")
    creation_date: str = field(name="creation-date")
    type: Literal[CLASSIFICATION_TYPES]  # type: ignore[valid-type]
    job_name: str | UnsetType = field(name="job-name", default=UNSET)


class _Size(Struct, forbid_unknown_fields=True, gc=False):
    width: _Pixels
    height: _Pixels
    depth: float


class _Box(Struct, forbid_unknown_fields=True, gc=False):
    class_id: _ClassId
    left: _Offset
    top: _Offset
    width: float
    height: float


class _Boxes(Struct, forbid_unknown_fields=True, gc=False):
    image_size: Annotated[list[_Size], Meta(min_length=1, max_length=1)]
    annotations: Annotated[list[_Box], Meta(min_length=1, max_length=MAX_BOXES)]


class _Confidence(Struct, forbid_unknown_fields=True, gc=False):
    confidence: float


# Numbers of strings (keys and texts) in the JSON text of each part of a line.
_STRINGS_PER_CLASS = 9  # without job-name
_STRINGS_PER_ATTRIBUTE = 5  # image_size, annotations, width, height, depth
_STRINGS_PER_BOX = 6  # the keys of the box and of its confidence

_SCALARS = {str: str, int: float, float: float, bool: bool, NoneType: NoneType}
_BOX_METADATA: dict[str, Any] = {
    "class-map": dict[_ClassId, str],
    "objects": list[_Confidence],
    "human-annotated": _HumanAnnotated,
    "creation-date": str,
    "type": Literal[DETECTION_TYPE],
}
_FIELD_NAMES = {"source-ref": "source_ref", "class-map": "class_map", "objects": "objects"}

_decode_members = Decoder(dict[str, _Class | str | int | float | bool | None]).decode


def decode_class_line(line: bytes) -> FastEntry | None:
    """Decode a line without boxes, perhaps without labels. Labels are in the order of the line."""
    members = _decode_members(line)
    classes: list[str | None] = []
    strings = len(members)
    for key, value in members.items():
        value_type = type(value)
        if isinstance(value, _Class):
            attribute = key[: -len(METADATA_SUFFIX)]
            attribute_type = type(members.get(attribute))
            if attribute_type not in CLASS_VALUE_TYPES or not is_attribute_key(attribute):
                return None
            classes.append(value.name)
            strings += _STRINGS_PER_CLASS + 2 * (value.job_name is not UNSET)
        elif value_type is str:
            strings += 1
        # A metadata key has class metadata, and no other key has.
        if key.endswith(METADATA_SUFFIX) is not (value_type is _Class):
            return None
    source_ref = members.get("source-ref")
    if type(source_ref) is not str or (len(members) > 1 and not classes):
        return None
    return _make_entry((source_ref, classes, 0, strings))


def infer_schema(document: Document) -> LineSchema | None:
    """Return the schema of a line with boxes and without errors; None if no decoder reads such lines."""
    # Only documents with boxes in exactly one attribute, and no other attribute, have a schema.
    attributes = [key for key in document if key + METADATA_SUFFIX in document]
    if len(attributes) != 1 or len(document) > MAX_MEMBERS or not is_attribute_key(attributes[0]):
        return None
    (key,) = attributes
    metadata = document[key + METADATA_SUFFIX]
    if metadata["type"] != DETECTION_TYPE:
        return None
    metadata_schema = _infer_members(metadata, _BOX_METADATA)
    return _infer_members(document, {key: _Boxes, key + METADATA_SUFFIX: metadata_schema})


def _infer_members(members: Document, special_types: dict[str, Any]) -> LineSchema | None:
    """Return the schema of an object with exactly the special members and any scalar members; None for another object."""
    types = {key: _SCALARS.get(type(value)) for key, value in members.items()} | special_types
    has_other_metadata = any(
        key.endswith(METADATA_SUFFIX) for key in members.keys() - special_types.keys()
    )
    if has_other_metadata or None in types.values() or types.keys() != members.keys():
        return None
    return tuple(types.items())


@lru_cache(maxsize=64)
def build_box_decoder(schema: LineSchema) -> DecodeLine:
    """Build the decoder of lines with this schema."""
    (key,) = (key for key, value_type in schema if value_type is _Boxes)
    struct = _define_struct(schema, {key: "boxes", key + METADATA_SUFFIX: "metadata"})
    decode = Decoder(struct).decode
    fixed_strings = _count_strings(schema) + _STRINGS_PER_ATTRIBUTE

    def decode_line(line: bytes) -> FastEntry | None:
        entry = decode(line)
        boxes, metadata = entry.boxes, entry.metadata
        class_map = metadata.class_map
        if 0 in class_map and b'"-0"' in line:  # msgspec reads the key "-0" as 0; the rules do not.
            return None
        (size,) = boxes.image_size
        width, height = size.width, size.height
        min_side = compute_min_side(width, height)
        right, bottom = width + EDGE_PIXELS, height + EDGE_PIXELS
        labels = []
        # The types have checked left, top and class_id; edges and sides depend on the image.
        for box in boxes.annotations:
            box_width, box_height = box.width, box.height
            if box.left + box_width > right or box.top + box_height > bottom:
                return None
            if box_width <= min_side or box_height <= min_side:
                return None
            labels.append(class_map.get(box.class_id))
        if len(metadata.objects) != len(labels):
            return None
        strings = fixed_strings + _STRINGS_PER_BOX * len(labels) + 2 * len(class_map)
        return _make_entry((entry.source_ref, labels, 1, strings))

    return decode_line


def _define_struct(schema: LineSchema, names: dict[str, str]) -> Any:
    """Define a struct type with exactly the members of the schema; members in `names` get these field names."""
    field_names = _FIELD_NAMES | names
    fields = [
        (field_names.get(key, f"member{number}"), _resolve_type(value_type), field(name=key))
        for number, (key, value_type) in enumerate(schema)
    ]
    return defstruct("Line", fields, forbid_unknown_fields=True, gc=False)


def _resolve_type(value_type: Any) -> Any:
    return _define_struct(value_type, {}) if type(value_type) is tuple else value_type


def _count_strings(schema: LineSchema) -> int:
    """Count the strings in the text of a line of this schema, without boxes, class map and objects."""
    nested = sum(
        _count_strings(value_type) for _, value_type in schema if type(value_type) is tuple
    )
    # Each key is a string, and each text value is another.
    text_types = (str, _HumanAnnotated, _BOX_METADATA["type"])
    texts = sum(value_type in text_types for _, value_type in schema)
    return len(schema) + texts + nested
