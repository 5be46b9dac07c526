"""A manifest line as a JSON document, or the reason why it is not an entry at all.

These are Rekognition's *terminal content errors*: the line is dropped. JSON is taken by RFC 8259 and more strictly where
readers disagree: no duplicate keys, no number beyond a double, no nesting deeper than 254, valid UTF-8 without a byte
order mark (whoever reads a file's first line drops it there), no lone surrogate. So what is stored means the same to all.
"""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

MAX_LINE_CHARACTERS = 100_000
MAX_KEY_BYTES = 1024
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Document = dict[str, Any]

_SOURCE_REF = re.compile(r"[sS]3://([0-9A-Za-z.\-_]{1,255})/(?=.)", re.DOTALL)
_SPACE = b" \t\r\n"


class RejectionReason(StrEnum):
    """Why a line is dropped; AWS's codes where it has one."""

    LINE_TOO_LONG = "ERROR_LINE_TOO_LONG"
    INVALID_JSON = "ERROR_INVALID_JSON_LINE"
    MISSING_SOURCE_REF = "ERROR_MISSING_SOURCE_REF"
    MALFORMED_SOURCE_REF = "ERROR_INVALID_SOURCE_REF_FORMAT"
    DUPLICATE_SOURCE_REF = "ERROR_DUPLICATE_SOURCE_REF"


@dataclass(frozen=True, slots=True)
class Rejection:
    """A dropped line. `detail` is a sentence, of 300 characters at most, for the person who must fix the manifest."""

    reason: RejectionReason
    detail: str


def parse(line: bytes) -> Document | Rejection:
    """The document of an entry: a JSON object whose `source-ref` is an S3 URI. Never raises."""
    if len(line) > MAX_LINE_CHARACTERS:
        characters = len(line.strip().decode(errors="replace"))
        if characters > MAX_LINE_CHARACTERS:
            detail = f"The line has {characters} characters; {MAX_LINE_CHARACTERS} are allowed."
            return Rejection(RejectionReason.LINE_TOO_LONG, detail)
    document = load(line)
    if type(document) is dict:
        source_ref = document.get("source-ref")
        if type(source_ref) is not str or not is_s3_uri(source_ref):
            return _reject_source_ref(document)
    return document


def load(line: bytes) -> Document | Rejection:
    """The JSON object in a line of any length, whatever its keys. Never raises."""
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return _invalid(_syntax_fault(line, error))
    if type(document) is not dict:
        return _invalid("The line is valid JSON but not an object.")
    try:
        compact = orjson.dumps(document)
    except orjson.JSONEncodeError:
        return _invalid("The line is nested deeper than 254 levels.")
    if not _is_same(line, compact):
        repeated = _repeated_key(line)
        if repeated is not None:
            return _invalid(f"The key {_quoted(repeated)} appears twice in one object.")
    return document


def is_s3_uri(source_ref: str) -> bool:
    """Whether this is `s3://bucket/key`: the bucket by the API's pattern, the key of 1 to 1024 bytes."""
    match = _SOURCE_REF.match(source_ref)
    if match is None:
        return False
    if len(source_ref) <= MAX_KEY_BYTES // 4:
        return True
    return len(source_ref[match.end() :].encode()) <= MAX_KEY_BYTES


def source_bucket(source_ref: str) -> str:
    """The bucket of `s3://bucket/key`. Raises ValueError for anything else."""
    match = _SOURCE_REF.match(source_ref)
    if match is None:
        raise ValueError(f"{_quoted(source_ref)} is not of the form s3://bucket/key.")
    return match[1]


def _is_same(line: bytes, compact: bytes) -> bool:
    """Whether a line and its parsed form written again differ at most in white space: then no key was lost, at a tenth of
    the cost of looking for one. Other differences (escapes, `1.50`) say nothing.
    """
    return line == compact or line.translate(None, _SPACE) == compact.translate(None, _SPACE)


class _RepeatedKeyError(ValueError):
    pass


def _distinct(pairs: list[tuple[str, Any]]) -> Document:
    document: Document = {}
    for key, value in pairs:
        if key in document:
            raise _RepeatedKeyError(key)
        document[key] = value
    return document


def _repeated_key(line: bytes) -> str | None:
    try:
        json.loads(line, object_pairs_hook=_distinct, parse_int=float)
    except _RepeatedKeyError as error:
        return str(error)
    return None


def _invalid(detail: str) -> Rejection:
    return Rejection(RejectionReason.INVALID_JSON, detail)


def _syntax_fault(line: bytes, error: orjson.JSONDecodeError) -> str:
    if not line.strip():
        return "The line is blank."
    if line.startswith(BYTE_ORDER_MARK):
        return "The line begins with a byte order mark, which only the first line of a file may."
    if line[:1] == b"\0" or line[-1:] == b"\0":
        return f"The line has a NUL at byte {line.index(0) + 1}."
    try:
        line.decode()
    except UnicodeDecodeError as fault:
        return f"The line is not valid UTF-8: {fault.reason} at byte {fault.start + 1}."
    return f"The line is not valid JSON: {error.msg[:200]} at character {error.pos + 1}."


def _reject_source_ref(document: Document) -> Rejection:
    if "source-ref" not in document:
        return Rejection(RejectionReason.MISSING_SOURCE_REF, "The source-ref key is missing.")
    value = document["source-ref"]
    if type(value) is not str:
        detail = "The source-ref is not a string; it must be s3://bucket/key."
    else:
        detail = f"The source-ref {_quoted(value)} is not s3://bucket/key with a key of at most {MAX_KEY_BYTES} bytes."
    return Rejection(RejectionReason.MALFORMED_SOURCE_REF, detail)


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 100 else text[:99] + "…")[:200]
