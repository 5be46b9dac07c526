"""Pagination tokens: opaque to clients, and bound to the request that they continue.

A token holds a position and a seal over it and the request's other members, so one that was altered, or that comes back
with another filter, dataset or operation, is told from a right one. It is no secret: what a position can reach is checked
where it is used.
"""

import base64
import binascii
import json
from typing import Any

from xxhash import xxh3_64_hexdigest

from twofold.errors import InvalidPaginationTokenException

_INVALID = "Invalid Pagination Token"


def encode(request: list[Any], position: list[Any]) -> str:
    """`request` and `position` are JSON values."""
    text = json.dumps([_seal(request, position), *position], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(request: list[Any], token: str, *kinds: type) -> list[Any]:
    """The position, whose values are of the given types; raises InvalidPaginationTokenException."""
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        read = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise invalid() from None
    if not isinstance(read, list) or [type(value) for value in read] != [str, *kinds]:
        raise invalid()
    position = read[1:]
    if read[0] != _seal(request, position):
        raise invalid()
    return position


def invalid() -> InvalidPaginationTokenException:
    return InvalidPaginationTokenException(_INVALID)


def _seal(request: list[Any], position: list[Any]) -> str:
    return xxh3_64_hexdigest(json.dumps([request, position]).encode())
