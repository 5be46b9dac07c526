"""What a command prints: lines and JSON documents in which no character acts on the terminal."""

import json
import re
from collections.abc import Iterable
from typing import Any

# Joiners belong to emoji and to the spelling of Persian and many Indic languages.
_KEPT = "\u200c\u200d"
# In JSON text line feeds are layout, and what `str.isprintable` refuses is C0, C1, bidirectional controls and the like.
_LAYOUT = "\n"


def printable(text: str) -> str:
    """With control characters, C1 and those that turn the direction of writing too, spelled out."""
    if text.isprintable():
        return text
    return "".join(
        each
        if each.isprintable() or each in _KEPT
        else each.encode("unicode_escape", "surrogatepass").decode()
        for each in text
    )


def print_lines(lines: Iterable[str]) -> None:
    print("\n".join(map(printable, lines)))  # noqa: T201


def print_json(document: Any, indent: int | None = 1) -> None:
    """The same document for every parser; characters that a terminal would act on are escaped."""
    text = json.dumps(document, indent=indent, ensure_ascii=False, default=str)
    print(_escape(text))  # noqa: T201


def _escape(text: str) -> str:
    if text.replace(_LAYOUT, "").isprintable():
        return text
    return "".join(
        each if each.isprintable() or each == _LAYOUT or each in _KEPT else json.dumps(each)[1:-1]
        for each in text
    )


def name_of(path: str) -> str:
    """A file name as text, the bytes that are not UTF-8 as `\\xff`."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def is_text(argument: str) -> bool:
    """Whether an argument is valid UTF-8."""
    return re.search("[\ud800-\udfff]", argument) is None
