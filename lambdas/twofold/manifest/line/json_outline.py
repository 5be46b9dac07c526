"""Positions of members and elements in a text that is known to be valid JSON."""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from twofold.manifest.line.errors import JsonPath

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")


class JsonItem(NamedTuple):
    """A member of an object: `text[start:end]` is `"key": value`. An element of an array has an empty key."""

    key: str
    start: int
    value: int
    end: int


class JsonOutline:
    """Finds positions in a text. Scans each array and object on the way once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._items: dict[JsonPath, list[JsonItem]] = {}

    def find_value(self, path: JsonPath) -> int:
        """Return the position at which the value at `path` begins. The value must exist."""
        if not path:
            return _skip_whitespace(self.text, 0)
        *parent, step = path
        items = self.list_items(tuple(parent))
        if isinstance(step, int):
            return items[step].value
        return next(item.value for item in items if item.key == step)

    def list_items(self, path: JsonPath) -> list[JsonItem]:
        """Return the members or elements of the object or array at `path`, in order."""
        if path not in self._items:
            self._items[path] = list(_scan_items(self.text, self.find_value(path)))
        return self._items[path]


def _scan_items(text: str, position: int) -> Iterator[JsonItem]:
    """Yield the items of the object or array that begins at `position`."""
    is_object = text[position] == "{"
    start = _skip_whitespace(text, position + 1)
    while text[start] not in "}]":
        key, value = "", start
        if is_object:
            key, key_end = _DECODER.raw_decode(text, start)
            # Skip the colon and the white space on both sides of it.
            value = _skip_whitespace(text, _skip_whitespace(text, key_end) + 1)
        _, end = _DECODER.raw_decode(text, value)
        yield JsonItem(key, start, value, end)
        start = _skip_whitespace(text, end)
        if text[start] == ",":
            start = _skip_whitespace(text, start + 1)


def _skip_whitespace(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position
