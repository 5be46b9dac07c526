"""Consecutive numbers for labels and group keys."""

from typing import Any


class Numbering(dict[Any, int]):
    """`numbering[key]` is the number of the key: 0, 1, … in the order of first use."""

    def __missing__(self, key: Any) -> int:
        number = self[key] = len(self)
        return number
