"""What a line is read as, for tests, and AWS's errors as it words them."""

import json
from typing import Any

from tests.unit.any_lines import (
    Json,
    compact,
)
from twofold.manifest.lines import (
    Entry,
    Rejection,
    list_entry,
    read_entry,
)

NO_LABEL_ATTRIBUTES = ("ERROR_NO_LABEL_ATTRIBUTES", "No label attributes found.")
METADATA_FORMAT = (
    "ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT",
    "The format of the label attribute metadata is invalid.",
)
MISSING_CONFIDENCE = (
    "ERROR_MISSING_BOUNDING_BOX_CONFIDENCE",
    "One or more bounding boxes has a missing confidence value.",
)
MISSING_CLASS_MAP_ID = (
    "ERROR_MISSING_CLASS_MAP_ID",
    "One of more class ids is missing from the class map.",
)
NO_VALID_LABEL_ATTRIBUTES = (
    "ERROR_NO_VALID_LABEL_ATTRIBUTES",
    "No valid label attributes found.",
)
INVALID_BOX = ("ERROR_INVALID_BOUNDING_BOX", "The bounding box has off frame values.")
TOO_SMALL = (
    "ERROR_BOUNDING_BOX_TOO_SMALL",
    "The height and width of the bounding box is too small.",
)
TOO_MANY = (
    "ERROR_TOO_MANY_BOUNDING_BOXES",
    "There are more bounding boxes than the allowed maximum.",
)
NO_VALID_ANNOTATIONS = ("ERROR_NO_VALID_ANNOTATIONS", "No valid annotations found.")
DIMENSION = (
    "ERROR_INVALID_IMAGE_DIMENSION",
    "The image dimension(s) do not conform to allowed dimensions.",
)
NAME_LENGTH = ("ERROR_INVALID_LABEL_NAME_LENGTH", "The length of the label name is invalid.")


def attribute_format(key: str) -> tuple[str, str]:
    return (
        "ERROR_INVALID_LABEL_ATTRIBUTE_FORMAT",
        f"The format of the label attribute {key} is invalid.",
    )


def unsupported(key: str) -> tuple[str, str]:
    return (
        "ERROR_UNSUPPORTED_USE_CASE_TYPE",
        f"The use case type of the {key} label attribute metadata is unsupported. "
        "Check the type field.",
    )


def told_in(value: Any, path: str = "") -> dict[str, list[tuple[str, str]]]:
    """Every `cl-errors` of a listed line, by the path of the object that holds it."""
    if not isinstance(value, dict | list):
        return {}
    found = {}
    if isinstance(value, dict) and "cl-errors" in value:
        assert all(list(error) == ["code", "message"] for error in value["cl-errors"])
        found[path] = [(error["code"], error["message"]) for error in value["cl-errors"]]
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        found |= told_in(item, f"{path}/{key}")
    return found


def errors_of(line: Json) -> dict[str, list[tuple[str, str]]]:
    errors = told_in(json.loads(list_entry(compact(line))))
    assert entry_of(line).has_errors is bool(errors)
    return errors


def entry_of(line: Json) -> Entry:
    entry = read_entry(compact(line))
    assert isinstance(entry, Entry)
    return entry


def rejection_of(line: bytes) -> Rejection:
    rejection = read_entry(line)
    assert isinstance(rejection, Rejection)
    assert 0 < len(rejection.detail) <= 300
    return rejection
