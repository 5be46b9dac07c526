"""What the rules gather from one line, and the checks that both kinds of label share."""

from typing import Any

from twofold.manifest.document import Document
from twofold.manifest.faults import Code, Fault, Path

MAX_LABEL_CHARACTERS = 255

NUMBERS = frozenset({int, float})
_STRINGS = frozenset({str})


class Findings:
    """Filled attribute by attribute; `labels` maps each label, in order of appearance, to its number of sound boxes."""

    __slots__ = ("boxes", "faults", "labeled", "labels", "survivors")

    def __init__(self) -> None:
        self.labels: dict[str, int] = {}
        self.faults: list[Fault] = []
        self.labeled = False
        self.survivors = 0
        self.boxes = 0

    def add(self, path: Path, code: Code, subject: str = "") -> None:
        self.faults.append(Fault(path, code, subject))

    def count(self, label: str, boxes: int, metadata_key: str) -> bool:
        """Takes a label in; False, and a fault, when the API could not carry its name."""
        if is_label(label):
            self.labels[label] = self.labels.get(label, 0) + boxes
            return True
        self.add((metadata_key,), Code.INVALID_LABEL_NAME_LENGTH)
        return False


def is_label(name: str | None) -> bool:
    """Whether the API can carry the name."""
    return name is not None and 0 < len(name) <= MAX_LABEL_CHARACTERS


def is_confidence(value: Any) -> bool:
    return type(value) in NUMBERS and 0 <= value <= 1


def is_provenance(metadata: Document) -> bool:
    """Whether metadata says who labelled and when; AWS's own dates have many forms, so any text is a date."""
    return metadata.get("human-annotated") in ("yes", "no") and (
        type(metadata.get("creation-date")) is str
    )


def read_class_map(metadata: Document) -> dict[str, str] | None:
    """The line's own map of class ids to labels, or None when it is none."""
    class_map = metadata.get("class-map")
    if type(class_map) is not dict:
        return None
    return class_map if _STRINGS.issuperset(map(type, class_map.values())) else None
