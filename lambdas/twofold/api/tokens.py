"""Pagination tokens: opaque to clients, made by this deployment alone, and bound to the request that they continue.

A token holds a position and a seal, an HMAC with the deployment's key over it and the request's other members. One that was
altered or made elsewhere, or that comes back with another filter, dataset or operation, is told from a right one.
"""

import base64
import binascii
import hmac
import json
from typing import Any

from twofold.errors import InvalidPaginationTokenException

_INVALID = "Invalid Pagination Token"
_SEAL_CHARACTERS = 32
"""Hexadecimal: 128 bits of the HMAC."""


def encode(key: bytes, request: list[Any], position: list[Any]) -> str:
    """`request` and `position` are JSON values."""
    text = json.dumps([_seal(key, request, position), *position], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(key: bytes, request: list[Any], token: str, *kinds: type) -> list[Any]:
    """The position, whose values are of the given types; raises InvalidPaginationTokenException."""
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        read = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise invalid() from None
    if not isinstance(read, list) or [type(value) for value in read] != [str, *kinds]:
        raise invalid()
    position = read[1:]
    # The whole token is compared: base64 has several spellings of the same bytes.
    if not hmac.compare_digest(token, encode(key, request, position)):
        raise invalid()
    return position


def invalid() -> InvalidPaginationTokenException:
    return InvalidPaginationTokenException(_INVALID)


def _seal(key: bytes, request: list[Any], position: list[Any]) -> str:
    sealed = json.dumps([request, position]).encode()
    return hmac.digest(key, sealed, "sha256").hex()[:_SEAL_CHARACTERS]
