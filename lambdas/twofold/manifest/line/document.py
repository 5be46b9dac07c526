"""Parse a manifest line into a JSON document, or reject the line.

A rejected line has a *terminal content error* of Rekognition and is not stored in the dataset. JSON is RFC 8259, with stricter
rules where parsers disagree, so that all parsers read a stored line alike: no duplicate keys, no number beyond a
double, at most 254 levels of nesting, valid UTF-8 without a lone surrogate, and no byte order mark (readers of a file remove
the byte order mark of its first line).
"""

import json
import re
from typing import Any

import orjson

from twofold.manifest.line.errors import Rejection, RejectionReason
from twofold.manifest.line.limits import MAX_KEY_BYTES, MAX_LINE_CHARACTERS

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Document = dict[str, Any]

_SOURCE_REF = re.compile(r"[sS]3://([0-9A-Za-z.\-_]{1,255})/(?=.)", re.DOTALL)
_SPACE = b" \t\r\n"


def parse_line(line: bytes) -> Document | Rejection:
    """Parse an entry: a JSON object whose `source-ref` is an S3 URI. Never raises."""
    if len(line) > MAX_LINE_CHARACTERS:
        characters = len(line.strip().decode(errors="replace"))
        if characters > MAX_LINE_CHARACTERS:
            detail = f"The line has {characters} characters; {MAX_LINE_CHARACTERS} are allowed."
            return Rejection(RejectionReason.LINE_TOO_LONG, detail)
    document = parse_object(line)
    if type(document) is dict:
        source_ref = document.get("source-ref")
        if type(source_ref) is not str or not is_s3_uri(source_ref):
            return _reject_source_ref(document)
    return document


def parse_object(line: bytes) -> Document | Rejection:
    """Parse a JSON object of any length and with any keys. Never raises."""
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return _reject_json(_describe_syntax_error(line, error))
    if type(document) is not dict:
        return _reject_json("The line is valid JSON but not an object.")
    try:
        compact = orjson.dumps(document)
    except orjson.JSONEncodeError:
        return _reject_json("The line is nested deeper than 254 levels.")
    if not _is_same_text(line, compact):
        repeated_key = _find_repeated_key(line)
        if repeated_key is not None:
            return _reject_json(f"The key {_quote(repeated_key)} appears twice in one object.")
    return document


def is_s3_uri(source_ref: str) -> bool:
    """Whether this is `s3://bucket/key`, with a bucket name that the API allows and a key of 1 to 1024 bytes."""
    match = _SOURCE_REF.match(source_ref)
    if match is None:
        return False
    # A short text needs no encoding: a character has at most 4 bytes.
    if len(source_ref) <= MAX_KEY_BYTES // 4:
        return True
    return len(source_ref[match.end() :].encode()) <= MAX_KEY_BYTES


def parse_bucket(source_ref: str) -> str:
    """Return the bucket of `s3://bucket/key`. Raises ValueError for any other text."""
    match = _SOURCE_REF.match(source_ref)
    if match is None:
        raise ValueError(f"{_quote(source_ref)} is not of the form s3://bucket/key.")
    return match[1]


def _is_same_text(line: bytes, compact: bytes) -> bool:
    """Whether a line and its serialized document differ at most in white space.

    If so, parsing has lost no repeated key. This test costs a tenth of a search for repeated keys. Lines with further
    differences (escapes, `1.50`) need the search.
    """
    return line == compact or line.translate(None, _SPACE) == compact.translate(None, _SPACE)


class _RepeatedKeyError(ValueError):
    pass


def _reject_repeated_keys(pairs: list[tuple[str, Any]]) -> Document:
    document: Document = {}
    for key, value in pairs:
        if key in document:
            raise _RepeatedKeyError(key)
        document[key] = value
    return document


def _find_repeated_key(line: bytes) -> str | None:
    # `parse_int=float`: Python limits the digits of an int, and values do not matter here.
    try:
        json.loads(line, object_pairs_hook=_reject_repeated_keys, parse_int=float)
    except _RepeatedKeyError as error:
        return str(error)
    return None


def _reject_json(detail: str) -> Rejection:
    return Rejection(RejectionReason.INVALID_JSON, detail)


def _describe_syntax_error(line: bytes, error: orjson.JSONDecodeError) -> str:
    if not line.strip():
        return "The line is blank."
    if line.startswith(BYTE_ORDER_MARK):
        return "The line begins with a byte order mark, which only the first line of a file may."
    if line[:1] == b"\0" or line[-1:] == b"\0":
        return f"The line has a NUL at byte {line.index(0) + 1}."
    try:
        line.decode()
    except UnicodeDecodeError as decode_error:
        return (
            f"The line is not valid UTF-8: {decode_error.reason} at byte {decode_error.start + 1}."
        )
    return f"The line is not valid JSON: {error.msg[:200]} at character {error.pos + 1}."


def _reject_source_ref(document: Document) -> Rejection:
    if "source-ref" not in document:
        return Rejection(RejectionReason.MISSING_SOURCE_REF, "The source-ref key is missing.")
    source_ref = document["source-ref"]
    if type(source_ref) is not str:
        detail = "The source-ref is not a string; it must be s3://bucket/key."
    else:
        detail = f"The source-ref {_quote(source_ref)} is not s3://bucket/key with a key of at most {MAX_KEY_BYTES} bytes."
    return Rejection(RejectionReason.MALFORMED_SOURCE_REF, detail)


def _quote(text: str) -> str:
    return repr(text if len(text) <= 100 else text[:99] + "…")[:200]
