"""Pagination tokens: opaque to clients and bound to the deployment and to the continued request.

A token holds a position and a seal: an HMAC over the position and the remaining members of the request, with a key of the
deployment. `decode` rejects an altered token, a token of another deployment, and a token with another filter, dataset or
operation.
"""

import base64
import binascii
import hmac
import json
from typing import Any

from twofold.errors import InvalidPaginationTokenException

_INVALID = "Invalid Pagination Token"
_SEAL_CHARACTERS = 32
"""Length of a seal: 128 bits of the HMAC in hexadecimal."""


def encode(key: bytes, request: list[Any], position: list[Any]) -> str:
    """Return the token of a position; `request` and `position` are lists of JSON values."""
    text = json.dumps([_compute_seal(key, request, position), *position], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(key: bytes, request: list[Any], token: str, *kinds: type) -> list[Any]:
    """Return the position in a token. Raises InvalidPaginationTokenException for a wrong seal or wrong types."""
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise make_invalid_token_error() from None
    if not isinstance(values, list) or [type(value) for value in values] != [str, *kinds]:
        raise make_invalid_token_error()
    position = values[1:]
    # Base64 has several spellings of the same bytes, so the whole token is compared.
    if not hmac.compare_digest(token, encode(key, request, position)):
        raise make_invalid_token_error()
    return position


def make_invalid_token_error() -> InvalidPaginationTokenException:
    """Return the exception for an invalid token, with AWS's message."""
    return InvalidPaginationTokenException(_INVALID)


def _compute_seal(key: bytes, request: list[Any], position: list[Any]) -> str:
    sealed = json.dumps([request, position]).encode()
    return hmac.digest(key, sealed, "sha256").hex()[:_SEAL_CHARACTERS]
