"""Pagination tokens: opaque to clients, checked when they come back."""

import base64
import binascii
import json
from typing import Any

from twofold.errors import InvalidPaginationTokenException

_INVALID = "Invalid Pagination Token"


def encode(operation: str, position: list[Any]) -> str:
    text = json.dumps([operation, *position], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(operation: str, token: str, *kinds: type) -> list[Any]:
    """The position, whose values are of the given types; raises InvalidPaginationTokenException."""
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        read = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise InvalidPaginationTokenException(_INVALID) from None
    if not isinstance(read, list) or [type(value) for value in read] != [str, *kinds]:
        raise InvalidPaginationTokenException(_INVALID)
    if read[0] != operation:
        raise InvalidPaginationTokenException(_INVALID)
    return read[1:]


def invalid() -> InvalidPaginationTokenException:
    return InvalidPaginationTokenException(_INVALID)
