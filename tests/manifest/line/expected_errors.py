"""AWS's errors as AWS words them, and helpers that read the entry, the errors or the rejection of a line."""

import json
from typing import Any

from tests.support.manifest_lines import (
    Json,
    serialize_compactly,
)
from twofold.manifest.line.entry import Entry, read_entry
from twofold.manifest.line.errors import Rejection
from twofold.manifest.line.listing import add_service_members

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


def expect_attribute_format(key: str) -> tuple[str, str]:
    return (
        "ERROR_INVALID_LABEL_ATTRIBUTE_FORMAT",
        f"The format of the label attribute {key} is invalid.",
    )


def expect_unsupported_type(key: str) -> tuple[str, str]:
    return (
        "ERROR_UNSUPPORTED_USE_CASE_TYPE",
        f"The use case type of the {key} label attribute metadata is unsupported. "
        "Check the type field.",
    )


def collect_errors(value: Any, path: str = "") -> dict[str, list[tuple[str, str]]]:
    """Return each `cl-errors` of a listed line by the path of its object."""
    if not isinstance(value, dict | list):
        return {}
    errors_by_path = {}
    if isinstance(value, dict) and "cl-errors" in value:
        assert all(list(error) == ["code", "message"] for error in value["cl-errors"])
        errors_by_path[path] = [(error["code"], error["message"]) for error in value["cl-errors"]]
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        errors_by_path |= collect_errors(item, f"{path}/{key}")
    return errors_by_path


def list_errors(line: Json) -> dict[str, list[tuple[str, str]]]:
    errors = collect_errors(json.loads(add_service_members(serialize_compactly(line))))
    assert read_valid_entry(line).has_errors is bool(errors)
    return errors


def read_valid_entry(line: Json) -> Entry:
    entry = read_entry(serialize_compactly(line))
    assert isinstance(entry, Entry)
    return entry


def read_rejection(line: bytes) -> Rejection:
    rejection = read_entry(line)
    assert isinstance(rejection, Rejection)
    assert 0 < len(rejection.detail) <= 300
    return rejection
