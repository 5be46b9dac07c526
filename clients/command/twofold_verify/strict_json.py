"""A JSON parser by RFC 8259, stricter where parsers disagree, in bounded time and memory.

Rejects repeated keys, NaN, numbers beyond a double, lone surrogates, deep nesting, invalid UTF-8, and a byte order mark.
Integers beyond 64 bits become floats, as in most parsers.
"""

import json
import math
from collections import Counter
from collections.abc import Callable
from typing import Any

MAX_DEPTH = 254
_EXCERPT_CHARACTERS = 60
_MAX_INTEGER_DIGITS = 20


class JsonError(ValueError):
    """The text is not strict JSON; the message completes "it …"."""


def parse_json(data: bytes) -> Any:
    """Returns the value of a JSON document. Raises JsonError."""
    try:
        text = data.decode()
        value = _decode(text)
    except UnicodeDecodeError as error:
        raise JsonError(f"is not valid UTF-8 at byte {error.start + 1}") from error
    except json.JSONDecodeError as error:
        raise JsonError(f"is not valid JSON: {error.msg} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise JsonError("is nested too deeply") from error
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _check_depth(value)
    if "\\u" in text:
        _check_surrogates(value)
    return value


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        repeated = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise JsonError(f"has the key {repeated[:_EXCERPT_CHARACTERS]!r} twice in one object")
    return members


def _build_integer(digits: str) -> int | float:
    if len(digits) <= _MAX_INTEGER_DIGITS:
        number = int(digits)
        if -(1 << 63) <= number < 1 << 64:
            return number
    return _build_float(digits)


def _build_float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise JsonError(f"has the number {digits[:_EXCERPT_CHARACTERS]}, which no double can hold")
    return number


def _refuse_constant(name: str) -> None:
    raise JsonError(f"has {name}, which is not JSON")


# One decoder for all documents: its scanner is C code and calls Python only for objects and numbers.
_decode: Callable[[str], Any] = json.JSONDecoder(
    object_pairs_hook=_build_object,
    parse_int=_build_integer,
    parse_float=_build_float,
    parse_constant=_refuse_constant,
).decode


def _check_depth(value: Any) -> None:
    """Raises JsonError if arrays and objects are nested deeper than MAX_DEPTH."""
    level, depth = [value], 0
    while level := [container for container in level if type(container) in (dict, list)]:
        depth += 1
        if depth > MAX_DEPTH:
            raise JsonError(f"is nested deeper than {MAX_DEPTH} levels")
        level = [item for each in level for item in (each.values() if type(each) is dict else each)]


def _check_surrogates(value: Any) -> None:
    """Raises JsonError if a string or key has a lone surrogate."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise JsonError("has half a surrogate pair in a text") from error
