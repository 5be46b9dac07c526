"""The form of a line, and how another line of that form is read: msgspec checks types and limits while it parses.

Forms are made of lines without a fault: one attribute with bounding boxes, or attributes of one class each, and beside them any
texts, numbers and truths. Other lines have none.
"""

from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from types import NoneType
from typing import Annotated, Any, Literal, get_origin

from msgspec import Meta, Struct, defstruct, field
from msgspec.json import Decoder

from twofold.manifest.attributes import CLASSES, METADATA, may_be_attribute
from twofold.manifest.boxes import (
    BOXES,
    EDGE_PIXELS,
    MAX_BOXES,
    MAX_IMAGE_PIXELS,
    MIN_IMAGE_PIXELS,
    smallest_side,
)
from twofold.manifest.document import Document

MAX_MEMBERS = 64

Labels = tuple[str | None, ...] | tuple[tuple[str, ...]]
"""The class of each box, None where it is not in the class map; without boxes the class of each attribute, in a tuple."""


Known = tuple[str, Labels, int]
"""Of a line its source-ref, its labels, and how many strings its text has if no key appears twice."""

Read = Callable[[bytes], Known | None]
"""None, or a ValueError (of msgspec or UTF-8), for a line that the rules must read."""

Form = tuple[tuple[str, Any], ...]
"""Each member of an object: its key, and the type of its value, or of metadata the form; of "type" the text itself."""

_SCALARS = {str: str, int: float, float: float, bool: bool, NoneType: NoneType}
_Share = Annotated[float, Meta(ge=0, le=1)]
_Pixels = Annotated[float, Meta(ge=MIN_IMAGE_PIXELS, le=MAX_IMAGE_PIXELS)]
_Place = Annotated[float, Meta(ge=0)]
_ClassId = Annotated[int, Meta(ge=0, le=1 << 53)]


class _Size(Struct, forbid_unknown_fields=True, gc=False):
    width: _Pixels
    height: _Pixels
    depth: float


class _Box(Struct, forbid_unknown_fields=True, gc=False):
    class_id: _ClassId
    left: _Place
    top: _Place
    width: float
    height: float


class _Boxes(Struct, forbid_unknown_fields=True, gc=False):
    image_size: Annotated[list[_Size], Meta(min_length=1, max_length=1)]
    annotations: Annotated[list[_Box], Meta(min_length=1, max_length=MAX_BOXES)]


class _Confidence(Struct, forbid_unknown_fields=True, gc=False):
    confidence: float


_NAMES = {
    "source-ref": "source_ref",
    "class-name": "class_name",
    "class-map": "class_map",
    "objects": "objects",
}
_STRINGS_OF_BOXES = 5
"""The keys of image_size and annotations, and of the one image."""
_STRINGS_OF_A_BOX = 6
"""Its own keys and that of its confidence."""
_PROVENANCE: dict[str, Any] = {"human-annotated": Literal["yes", "no"], "creation-date": str}
_OF_A_CLASS = {"class-name": str, "confidence": _Share, **_PROVENANCE}
_OF_BOXES = {"class-map": dict[_ClassId, str], "objects": list[_Confidence], **_PROVENANCE}
_REQUIRED = {**dict.fromkeys(CLASSES, _OF_A_CLASS), BOXES: _OF_BOXES}


def form_of(document: Document) -> Form | None:
    """The form of a line in which the rules found no fault; None where lines like it are left to the rules."""
    if len(document) > MAX_MEMBERS:
        return None
    members = tuple((key, _kind_of(key, value, document)) for key, value in document.items())
    return None if None in dict(members).values() else members


def _kind_of(key: str, value: Any, document: Document) -> Any:
    if key.endswith(METADATA):
        attribute = key.removesuffix(METADATA)
        if attribute in document and may_be_attribute(attribute) and type(value) is dict:
            return _metadata_form(value)
        return None
    if type(value) is dict and key + METADATA in document:
        return dict
    return _SCALARS.get(type(value))


def _metadata_form(metadata: Document) -> Form | None:
    kind = metadata["type"]
    kinds: dict[str, Any] = {key: _SCALARS.get(type(value)) for key, value in metadata.items()}
    kinds |= _REQUIRED[kind] | {"type": Literal[kind]}
    if None in kinds.values() or kinds.keys() != metadata.keys():
        return None
    return None if any(key.endswith(METADATA) for key in kinds) else tuple(kinds.items())


@lru_cache(maxsize=64)
def reader(form: Form) -> Read | None:
    """Reads a line of this form."""
    attributes = [key for key, kind in form if type(kind) is tuple]
    boxed = [key for key, kind in form if kind is dict]
    if not boxed:
        return _class_reader(form, attributes) if attributes else None
    return _box_reader(form, boxed[0]) if len(attributes) == 1 else None


def _box_reader(form: Form, key: str) -> Read:
    decode = Decoder(_struct(form, {key: "boxes", key + METADATA: "metadata"})).decode
    fixed = _strings(form) + _STRINGS_OF_BOXES

    def read(line: bytes) -> Known | None:
        entry = decode(line)
        boxes, metadata = entry.boxes, entry.metadata
        class_map = metadata.class_map
        if 0 in class_map and b'"-0"' in line:  # msgspec takes the one for the other
            return None
        (size,) = boxes.image_size
        width, height = size.width, size.height
        smallest = smallest_side(width, height)
        right, bottom = width + EDGE_PIXELS, height + EDGE_PIXELS
        labels = []
        for box in boxes.annotations:
            wide, high = box.width, box.height
            if box.left + wide > right or box.top + high > bottom:
                return None
            if wide <= smallest or high <= smallest:
                return None
            labels.append(class_map.get(box.class_id))
        if len(metadata.objects) != len(labels):
            return None
        strings = fixed + _STRINGS_OF_A_BOX * len(labels) + 2 * len(class_map)
        return entry.source_ref, tuple(labels), strings

    return read


def _class_reader(form: Form, keys: list[str]) -> Read:
    names = {key: f"metadata{number}" for number, key in enumerate(keys)}
    decode = Decoder(_struct(form, names)).decode
    strings = _strings(form)
    ordered = [f'"{key}":'.encode() for key in keys]

    def read_one(line: bytes) -> Known | None:
        entry = decode(line)
        return entry.source_ref, ((entry.metadata0.class_name,),), strings

    def read(line: bytes) -> Known | None:
        # The order of several attributes is that of their labels. With the colon a key is found and nothing else: no
        # member of the metadata ends as these do.
        places = [line.find(key) for key in ordered]
        if -1 in places or places != sorted(places):
            return None
        entry = decode(line)
        return entry.source_ref, (classes_of(entry),), strings

    if len(keys) == 1:
        return read_one
    classes_of = attrgetter(*(f"{name}.class_name" for name in names.values()))
    return read


def _struct(form: Form, names: dict[str, str]) -> Any:
    """A type with all members of the form and no other; those that are looked at have names."""
    named = _NAMES | names
    fields = [
        (named.get(key, f"member{number}"), _type_of(kind), field(name=key))
        for number, (key, kind) in enumerate(form)
    ]
    return defstruct("Line", fields, forbid_unknown_fields=True, gc=False)


def _type_of(kind: Any) -> Any:
    if kind is dict:
        return _Boxes
    return _struct(kind, {}) if type(kind) is tuple else kind


def _strings(form: Form) -> int:
    """Strings in the text of a line of this form, but for what is in boxes, class map and objects."""
    nested = sum(_strings(kind) for _, kind in form if type(kind) is tuple)
    texts = sum(_is_text(kind) for _, kind in form)
    return len(form) + texts + nested


def _is_text(kind: Any) -> bool:
    return kind is str or get_origin(kind) is Literal
