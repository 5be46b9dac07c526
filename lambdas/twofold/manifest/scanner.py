"""Where the members of objects and the elements of arrays stand in a text that is known to be valid JSON."""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from twofold.manifest.faults import Path

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")


class Item(NamedTuple):
    """A member of an object: `text[start:end]` is `"key": value`. An element of an array has an empty key."""

    key: str
    start: int
    value: int
    end: int


class Outline:
    """Finds places in a text, each array and object on the way being scanned once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._items: dict[Path, list[Item]] = {}

    def opening(self, path: Path) -> int:
        """Where the value at `path`, which must exist, begins."""
        if not path:
            return _skip(self.text, 0)
        *parent, step = path
        items = self.items(tuple(parent))
        if isinstance(step, int):
            return items[step].value
        return next(item.value for item in items if item.key == step)

    def items(self, path: Path) -> list[Item]:
        """What the object or array at `path` holds, in order."""
        if path not in self._items:
            self._items[path] = list(_scan(self.text, self.opening(path)))
        return self._items[path]


def _scan(text: str, at: int) -> Iterator[Item]:
    keyed = text[at] == "{"
    start = _skip(text, at + 1)
    while text[start] not in "}]":
        key, value = "", start
        if keyed:
            key, after = _DECODER.raw_decode(text, start)
            value = _skip(text, _skip(text, after) + 1)
        _, end = _DECODER.raw_decode(text, value)
        yield Item(key, start, value, end)
        start = _skip(text, end)
        if text[start] == ",":
            start = _skip(text, start + 1)


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
