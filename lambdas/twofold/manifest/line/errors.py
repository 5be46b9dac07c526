"""The errors of lines: reasons to reject a line, and errors of lines in the dataset. Codes and messages are AWS's.

AWS calls the first *terminal errors* and the second *non-terminal errors*.
"""

from dataclasses import dataclass
from enum import StrEnum

JsonPath = tuple[str | int, ...]
"""Keys and positions from the root of a document to a value."""


class RejectionReason(StrEnum):
    """Why a line is rejected; AWS's codes where AWS has a code."""

    LINE_TOO_LONG = "ERROR_LINE_TOO_LONG"
    INVALID_JSON = "ERROR_INVALID_JSON_LINE"
    MISSING_SOURCE_REF = "ERROR_MISSING_SOURCE_REF"
    MALFORMED_SOURCE_REF = "ERROR_INVALID_SOURCE_REF_FORMAT"
    DUPLICATE_SOURCE_REF = "ERROR_DUPLICATE_SOURCE_REF"


@dataclass(frozen=True, slots=True)
class Rejection:
    """A rejected line. `detail` is a sentence of at most 300 characters on the necessary correction."""

    reason: RejectionReason
    detail: str


class ErrorCode(StrEnum):
    """Rekognition's non-terminal dataset errors. Indexes store their positions: append new codes at the end."""

    NO_LABEL_ATTRIBUTES = "ERROR_NO_LABEL_ATTRIBUTES"
    ATTRIBUTE_FORMAT = "ERROR_INVALID_LABEL_ATTRIBUTE_FORMAT"
    METADATA_FORMAT = "ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT"
    MISSING_CONFIDENCE = "ERROR_MISSING_BOUNDING_BOX_CONFIDENCE"
    MISSING_CLASS_MAP_ID = "ERROR_MISSING_CLASS_MAP_ID"
    NO_VALID_LABEL_ATTRIBUTES = "ERROR_NO_VALID_LABEL_ATTRIBUTES"
    UNSUPPORTED_USE_CASE_TYPE = "ERROR_UNSUPPORTED_USE_CASE_TYPE"
    INVALID_BOUNDING_BOX = "ERROR_INVALID_BOUNDING_BOX"
    BOUNDING_BOX_TOO_SMALL = "ERROR_BOUNDING_BOX_TOO_SMALL"
    TOO_MANY_BOUNDING_BOXES = "ERROR_TOO_MANY_BOUNDING_BOXES"
    NO_VALID_ANNOTATIONS = "ERROR_NO_VALID_ANNOTATIONS"
    INVALID_IMAGE_DIMENSION = "ERROR_INVALID_IMAGE_DIMENSION"
    INVALID_LABEL_NAME_LENGTH = "ERROR_INVALID_LABEL_NAME_LENGTH"


# "One of more" is AWS's spelling. AWS publishes no message for the last code; its text is Twofold's.
_MESSAGES = {
    ErrorCode.NO_LABEL_ATTRIBUTES: "No label attributes found.",
    ErrorCode.ATTRIBUTE_FORMAT: "The format of the label attribute {} is invalid.",
    ErrorCode.METADATA_FORMAT: "The format of the label attribute metadata is invalid.",
    ErrorCode.MISSING_CONFIDENCE: "One or more bounding boxes has a missing confidence value.",
    ErrorCode.MISSING_CLASS_MAP_ID: "One of more class ids is missing from the class map.",
    ErrorCode.NO_VALID_LABEL_ATTRIBUTES: "No valid label attributes found.",
    ErrorCode.UNSUPPORTED_USE_CASE_TYPE: (
        "The use case type of the {} label attribute metadata is unsupported. Check the type field."
    ),
    ErrorCode.INVALID_BOUNDING_BOX: "The bounding box has off frame values.",
    ErrorCode.BOUNDING_BOX_TOO_SMALL: "The height and width of the bounding box is too small.",
    ErrorCode.TOO_MANY_BOUNDING_BOXES: "There are more bounding boxes than the allowed maximum.",
    ErrorCode.NO_VALID_ANNOTATIONS: "No valid annotations found.",
    ErrorCode.INVALID_IMAGE_DIMENSION: (
        "The image dimension(s) do not conform to allowed dimensions."
    ),
    ErrorCode.INVALID_LABEL_NAME_LENGTH: "The length of the label name is invalid.",
}

# If a line has one of these, no other error is reported (developer guide, "JSON line error precedence").
STOPPING_CODES = frozenset(
    {
        ErrorCode.NO_LABEL_ATTRIBUTES,
        ErrorCode.ATTRIBUTE_FORMAT,
        ErrorCode.METADATA_FORMAT,
        ErrorCode.MISSING_CONFIDENCE,
        ErrorCode.MISSING_CLASS_MAP_ID,
    }
)


@dataclass(frozen=True, slots=True)
class LineError:
    """A non-terminal error. A listing shows the error in the object at `path`; `subject` is the key in the message."""

    path: JsonPath
    code: ErrorCode
    subject: str = ""

    @property
    def message(self) -> str:
        return _MESSAGES[self.code].replace("{}", self.subject)
