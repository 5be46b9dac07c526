"""Print lines and JSON documents without characters that control the terminal."""

import json
import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from twofold.escaping import JOINERS, make_printable
from twofold_command.errors import CommandError
from twofold_command.signals import get_outcome

# Line feeds are the layout of JSON text. `str.isprintable` is false for C0, C1 and bidirectional controls.
_LAYOUT = "\n"


def print_text(text: str, end: str = "\n") -> None:
    """Prints and flushes. Raises CommandError with the state of the files if standard output cannot be written."""
    try:
        print(text, end=end, flush=True)  # noqa: T201
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CommandError(
            f"Standard output cannot be written: {error.strerror}; {get_outcome()}."
        ) from error


def print_lines(lines: Iterable[str]) -> None:
    print_text("\n".join(map(make_printable, lines)))


def print_json(document: Any, indent: int | None = 1) -> None:
    """Prints the document as JSON with control characters escaped."""
    text = json.dumps(document, indent=indent, ensure_ascii=False, default=str)
    print_text(_escape_controls(text))


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
