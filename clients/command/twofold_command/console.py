"""Print lines and JSON documents without characters that control the terminal."""

import json
import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from twofold.escaping import JOINERS, make_printable

# Line feeds are the layout of JSON text. `str.isprintable` is false for C0, C1 and bidirectional controls.
_LAYOUT = "\n"


def print_lines(lines: Iterable[str]) -> None:
    print("\n".join(map(make_printable, lines)))  # noqa: T201


def print_json(document: Any, indent: int | None = 1) -> None:
    """Prints the document as JSON with control characters escaped."""
    text = json.dumps(document, indent=indent, ensure_ascii=False, default=str)
    print(_escape_controls(text))  # noqa: T201


def _escape_controls(text: str) -> str:
    if text.replace(_LAYOUT, "").isprintable():
        return text
    return "".join(
        char if char.isprintable() or char == _LAYOUT or char in JOINERS else json.dumps(char)[1:-1]
        for char in text
    )


def discard_output() -> None:
    """Redirects standard output to the null device, so that the buffered rest does not fail again at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def decode_path(path: str) -> str:
    """Returns a file name as text, with bytes that are not UTF-8 as `\\xff`."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def is_utf8(argument: str) -> bool:
    """Returns whether an argument is valid UTF-8."""
    return re.search("[\ud800-\udfff]", argument) is None
