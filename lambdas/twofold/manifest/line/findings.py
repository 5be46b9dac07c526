"""Labels and errors of a line, and checks shared by image-level labels and bounding boxes."""

from typing import Any

from twofold.manifest.line.document import Document
from twofold.manifest.line.errors import ErrorCode, JsonPath, LineError
from twofold.manifest.line.limits import MAX_LABEL_CHARACTERS

NUMBERS = frozenset({int, float})
_STRINGS = frozenset({str})


class Findings:
    """The result of the rules for a line, filled attribute by attribute.

    `labels` maps each label, in order of appearance, to a number of valid boxes. `labeled`: whether an attribute has a
    value, valid or not. `valid_attributes` and `boxes` are numbers of attributes with a usable label and of boxes.
    """

    __slots__ = ("boxes", "errors", "labeled", "labels", "valid_attributes")

    def __init__(self) -> None:
        self.labels: dict[str, int] = {}
        self.errors: list[LineError] = []
        self.labeled = False
        self.valid_attributes = 0
        self.boxes = 0

    def add_error(self, path: JsonPath, code: ErrorCode, subject: str = "") -> None:
        self.errors.append(LineError(path, code, subject))

    def count_label(self, label: str, boxes: int, metadata_key: str) -> bool:
        """Add a label with boxes. For a name outside the limits of the API, add an error instead and return False."""
        if is_label_name(label):
            self.labels[label] = self.labels.get(label, 0) + boxes
            return True
        self.add_error((metadata_key,), ErrorCode.INVALID_LABEL_NAME_LENGTH)
        return False


def is_label_name(name: str | None) -> bool:
    """Whether the API allows the name."""
    return name is not None and 0 < len(name) <= MAX_LABEL_CHARACTERS


def is_confidence(value: Any) -> bool:
    return type(value) in NUMBERS and 0 <= value <= 1


def has_provenance(metadata: Document) -> bool:
    """Whether metadata has a valid `human-annotated` and `creation-date`. Any text is a date, as in AWS's own manifests."""
    return metadata.get("human-annotated") in ("yes", "no") and (
        type(metadata.get("creation-date")) is str
    )


def read_class_map(metadata: Document) -> dict[str, str] | None:
    """Return the map of class ids to labels, or None if metadata has no valid map."""
    class_map = metadata.get("class-map")
    if type(class_map) is not dict:
        return None
    return class_map if _STRINGS.issuperset(map(type, class_map.values())) else None
