"""Reading the lines that tools write by the thousand: msgspec checks types and limits while it parses.

Neither of the two readers takes a line in which the rules (`document`, `attributes`, `boxes`) would find a fault. One is for
lines without boxes. The other is made for one *form*: the members of a line that has boxes in one attribute.
"""

from collections.abc import Callable
from functools import lru_cache
from types import NoneType
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, defstruct, field
from msgspec.json import Decoder

from twofold.manifest.attributes import CLASSES, IDENTIFIERS, METADATA, may_be_attribute
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

Known = tuple[str, list[str | None], int, int]
"""Of a line its source-ref; the class of each box, None where it is not in the class map, or of each attribute; 1 if these
are boxes; and how many strings its text has if no key appears twice."""

Read = Callable[[bytes], Known | None]
"""None, or a ValueError (of msgspec or UTF-8), for a line that the rules must read."""

Form = tuple[tuple[str, Any], ...]
"""Each member of an object: its key, and the type of its value; of an object with members of its own the form."""

_Share = Annotated[float, Meta(ge=0, le=1)]
_Pixels = Annotated[float, Meta(ge=MIN_IMAGE_PIXELS, le=MAX_IMAGE_PIXELS)]
_Place = Annotated[float, Meta(ge=0)]
_ClassId = Annotated[int, Meta(ge=0, le=1 << 53)]
_Human = Literal["yes", "no"]


class _Class(Struct, forbid_unknown_fields=True, gc=False):
    """The metadata of one class."""

    name: str = field(name="class-name")
    confidence: _Share
    human_annotated: _Human = field(name="human-annotated")
    creation_date: str = field(name="creation-date")
    type: Literal[CLASSES]  # type: ignore[valid-type]
    job_name: str | UnsetType = field(name="job-name", default=UNSET)


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


_STRINGS_OF_A_CLASS = 9
"""Its keys and their texts, but for the job's."""
_STRINGS_OF_BOXES = 5
"""The keys of image_size and annotations, and of the one image."""
_STRINGS_OF_A_BOX = 6
"""Its own keys and that of its confidence."""
_SCALARS = {str: str, int: float, float: float, bool: bool, NoneType: NoneType}
_METADATA_OF_BOXES: dict[str, Any] = {
    "class-map": dict[_ClassId, str],
    "objects": list[_Confidence],
    "human-annotated": _Human,
    "creation-date": str,
    "type": Literal[BOXES],
}
_NAMES = {"source-ref": "source_ref", "class-map": "class_map", "objects": "objects"}

_decode_classes = Decoder(dict[str, _Class | str | int | float | bool | None]).decode


def read_classes(line: bytes) -> Known | None:
    """Reads a line without boxes: classes of the whole image, in the order of the line, or none."""
    members = _decode_classes(line)
    classes: list[str | None] = []
    strings = len(members)
    for key, value in members.items():
        kind = type(value)
        if isinstance(value, _Class):
            attribute = key[: -len(METADATA)]
            if type(members.get(attribute)) not in IDENTIFIERS or not may_be_attribute(attribute):
                return None
            classes.append(value.name)
            strings += _STRINGS_OF_A_CLASS + 2 * (value.job_name is not UNSET)
        elif kind is str:
            strings += 1
        if key.endswith(METADATA) is not (kind is _Class):
            return None
    source_ref = members.get("source-ref")
    if type(source_ref) is not str or (len(members) > 1 and not classes):
        return None
    return source_ref, classes, 0, strings


def form_of(document: Document) -> Form | None:
    """The form of a line in which the rules found no fault; None where there is no reader for such lines."""
    attributes = [key for key in document if key + METADATA in document]
    if len(attributes) != 1 or len(document) > MAX_MEMBERS or not may_be_attribute(attributes[0]):
        return None
    (key,) = attributes
    metadata = document[key + METADATA]
    if metadata["type"] != BOXES:
        return None
    special = {key: _Boxes, key + METADATA: _form(metadata, _METADATA_OF_BOXES)}
    return _form(document, special)


def _form(members: Document, special: dict[str, Any]) -> Form | None:
    """Types of the `special` members are given; all others must be texts, numbers and truths."""
    kinds = {key: _SCALARS.get(type(value)) for key, value in members.items()} | special
    halves = any(key.endswith(METADATA) for key in members.keys() - special.keys())
    if halves or None in kinds.values() or kinds.keys() != members.keys():
        return None
    return tuple(kinds.items())


@lru_cache(maxsize=64)
def box_reader(form: Form) -> Read:
    """Reads lines of this form."""
    (key,) = (key for key, kind in form if kind is _Boxes)
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
        return entry.source_ref, labels, 1, strings

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
    return _struct(kind, {}) if type(kind) is tuple else kind


def _strings(form: Form) -> int:
    """Strings in the text of a line of this form, but for what is in boxes, class map and objects."""
    nested = sum(_strings(kind) for _, kind in form if type(kind) is tuple)
    texts = sum(kind in (str, _Human, _METADATA_OF_BOXES["type"]) for _, kind in form)
    return len(form) + texts + nested
