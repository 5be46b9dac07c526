"""Where the members of a JSON object stand in a text that is known to be valid JSON."""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")


class Member(NamedTuple):
    """`text[start:end]` is `"key": value`, `text[value:end]` its value; an element of an array has an empty key."""

    key: str
    start: int
    value: int
    end: int


def members(text: str, at: int) -> list[Member]:
    """The members of the object that opens at `at`, in order."""
    return list(_items(text, at, keyed=True))


def elements(text: str, at: int) -> list[Member]:
    """The elements of the array that opens at `at`, in order."""
    return list(_items(text, at, keyed=False))


def _items(text: str, at: int, *, keyed: bool) -> Iterator[Member]:
    start = _skip(text, at + 1)
    while text[start] not in "}]":
        key, value = "", start
        if keyed:
            key, after = _DECODER.raw_decode(text, start)
            value = _skip(text, _skip(text, after) + 1)
        _, end = _DECODER.raw_decode(text, value)
        yield Member(key, start, value, end)
        start = _skip(text, end)
        if text[start] == ",":
            start = _skip(text, start + 1)


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
