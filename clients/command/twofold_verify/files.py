"""Files, read in bounded time and memory."""

import os
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

MAX_LINE_BYTES = 400_000
"""A line of Twofold has at most 100,000 characters, of 4 bytes at most."""
_PIECE_BYTES = MAX_LINE_BYTES + len(b"\r\n") + 1


_JOURNALS = (".twofold-commit", ".twofold-undo")
_PLAN = "plan.json"
"""What a command that was killed leaves in a folder where it still had files to move to their names (docs/command.md)."""


class UnreadableError(Exception):
    """There is nothing to verify; the message says what is missing."""


def require_complete(folder: Path) -> None:
    """Raises UnreadableError where a killed command left old files beside new ones. The verifier itself moves nothing."""
    for journal in _JOURNALS:
        if os.path.lexists(folder / journal / _PLAN):
            raise UnreadableError(
                f"{folder} has files of two splits: a command was killed while it moved the new ones to their names. "
                f"`twofold verify` completes the move and verifies the result."
            )


def read_file(path: Path, limit: int) -> bytes:
    """The content of a file of at most `limit` bytes. Raises UnreadableError."""
    with open_file(path) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise UnreadableError(f"{path} has more than {limit:,} bytes.")
    return content


def read_lines(path: Path) -> Iterator[bytes]:
    """Lines with their line feeds; of a line that is too long the first bytes alone. Raises UnreadableError."""
    try:
        with open_file(path) as file:
            whole = True
            for piece in iter(partial(file.readline, _PIECE_BYTES), b""):
                if whole:
                    yield piece
                whole = len(piece) < _PIECE_BYTES or piece.endswith(b"\n")
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror}.") from error


def open_file(path: Path) -> BinaryIO:
    """Raises UnreadableError for what is not a file with an end: a pipe would be waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UnreadableError(f"{path} cannot be read: {reason}.") from error
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise UnreadableError(f"{path} cannot be read: it is not a file on a disk.")
