"""The errors of a line that keep it in the dataset, with AWS's codes and messages, and where in the line each belongs."""

from dataclasses import dataclass
from enum import StrEnum

Path = tuple[str | int, ...]


class Code(StrEnum):
    """Rekognition's non-terminal dataset errors. Indexes store their positions: a new code goes to the end."""

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


# "One of more" is AWS's spelling. The last message is ours: AWS publishes none for that code.
_MESSAGES = {
    Code.NO_LABEL_ATTRIBUTES: "No label attributes found.",
    Code.ATTRIBUTE_FORMAT: "The format of the label attribute {} is invalid.",
    Code.METADATA_FORMAT: "The format of the label attribute metadata is invalid.",
    Code.MISSING_CONFIDENCE: "One or more bounding boxes has a missing confidence value.",
    Code.MISSING_CLASS_MAP_ID: "One of more class ids is missing from the class map.",
    Code.NO_VALID_LABEL_ATTRIBUTES: "No valid label attributes found.",
    Code.UNSUPPORTED_USE_CASE_TYPE: (
        "The use case type of the {} label attribute metadata is unsupported. Check the type field."
    ),
    Code.INVALID_BOUNDING_BOX: "The bounding box has off frame values.",
    Code.BOUNDING_BOX_TOO_SMALL: "The height and width of the bounding box is too small.",
    Code.TOO_MANY_BOUNDING_BOXES: "There are more bounding boxes than the allowed maximum.",
    Code.NO_VALID_ANNOTATIONS: "No valid annotations found.",
    Code.INVALID_IMAGE_DIMENSION: ("The image dimension(s) do not conform to allowed dimensions."),
    Code.INVALID_LABEL_NAME_LENGTH: "The length of the label name is invalid.",
}

# Found first; where one of them occurs the line is checked no further (developer guide, "JSON line error precedence").
STOPPING = frozenset(
    {
        Code.NO_LABEL_ATTRIBUTES,
        Code.ATTRIBUTE_FORMAT,
        Code.METADATA_FORMAT,
        Code.MISSING_CONFIDENCE,
        Code.MISSING_CLASS_MAP_ID,
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One error; `path` leads from the root of the line to the object that it is told in."""

    path: Path
    code: Code
    subject: str = ""

    @property
    def message(self) -> str:
        return _MESSAGES[self.code].replace("{}", self.subject)
