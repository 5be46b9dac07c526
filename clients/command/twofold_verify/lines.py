"""Rules for lines that Twofold rejects, by docs/api.md and AWS's terminal content errors."""

import re
from enum import StrEnum
from typing import Any

from twofold_verify.files import MAX_LINE_BYTES
from twofold_verify.strict_json import JsonError, parse_json

MAX_CHARACTERS = 100_000
MAX_KEY_BYTES = 1024
_SOURCE_REF = re.compile(r"[sS]3://([0-9A-Za-z._-]{1,255})/(.+)", re.DOTALL)


class Reason(StrEnum):
    """Error code of a rejected line."""

    TOO_LONG = "ERROR_LINE_TOO_LONG"
    INVALID_JSON = "ERROR_INVALID_JSON_LINE"
    NO_SOURCE_REF = "ERROR_MISSING_SOURCE_REF"
    BAD_SOURCE_REF = "ERROR_INVALID_SOURCE_REF_FORMAT"
    DUPLICATE = "ERROR_DUPLICATE_SOURCE_REF"


class LineError(ValueError):
    """The line is not an entry; the message completes "it …"."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def read_entry(line: bytes) -> tuple[dict[str, Any], str]:
    """Returns the JSON object of a line without a terminator, and the bucket of its image. Raises LineError."""
    if len(line) > MAX_CHARACTERS:
        _check_length(line)
    try:
        document = parse_json(line)
    except JsonError as error:
        raise LineError(Reason.INVALID_JSON, str(error)) from error
    if type(document) is not dict:
        raise LineError(Reason.INVALID_JSON, "is not a JSON object")
    if "source-ref" not in document:
        raise LineError(Reason.NO_SOURCE_REF, "has no source-ref")
    return document, read_bucket(document["source-ref"])


def read_bucket(source_ref: Any) -> str:
    """Returns the bucket of `s3://bucket/key`. Raises LineError."""
    match = _SOURCE_REF.fullmatch(source_ref) if type(source_ref) is str else None
    if match is None:
        raise LineError(Reason.BAD_SOURCE_REF, "has a source-ref that is not s3://bucket/key")
    if len(source_ref) > MAX_KEY_BYTES // 4 and len(match[2].encode()) > MAX_KEY_BYTES:
        raise LineError(
            Reason.BAD_SOURCE_REF, f"has a source-ref with a key of over {MAX_KEY_BYTES} bytes"
        )
    return match[1]


def _check_length(line: bytes) -> None:
    characters = len(line.strip().decode(errors="replace"))
    if len(line) > MAX_LINE_BYTES or characters > MAX_CHARACTERS:
        raise LineError(Reason.TOO_LONG, f"has more than {MAX_CHARACTERS:,} characters")
