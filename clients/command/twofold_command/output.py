"""What a command prints: lines and JSON documents in which no character acts on the terminal."""

import json
import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from twofold.escaping import JOINERS, make_printable

# In JSON text line feeds are layout, and what `str.isprintable` refuses is C0, C1, bidirectional controls and the like.
_LAYOUT = "\n"


def print_lines(lines: Iterable[str]) -> None:
    print("\n".join(map(make_printable, lines)))  # noqa: T201


def print_json(document: Any, indent: int | None = 1) -> None:
    """The same document for every parser; characters that a terminal would act on are escaped."""
    text = json.dumps(document, indent=indent, ensure_ascii=False, default=str)
    print(_escape(text))  # noqa: T201


def _escape(text: str) -> str:
    if text.replace(_LAYOUT, "").isprintable():
        return text
    return "".join(
        each if each.isprintable() or each == _LAYOUT or each in JOINERS else json.dumps(each)[1:-1]
        for each in text
    )


def discard_output() -> None:
    """Standard output cannot be written; the text still in its buffer must not fail again when the process ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def name_of(path: str) -> str:
    """A file name as text, the bytes that are not UTF-8 as `\\xff`."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def is_text(argument: str) -> bool:
    """Whether an argument is valid UTF-8."""
    return re.search("[\ud800-\udfff]", argument) is None
