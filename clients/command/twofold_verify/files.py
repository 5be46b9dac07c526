"""Read files in bounded time and memory."""

import os
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

MAX_LINE_BYTES = 400_000
"""A line has at most 100,000 characters of at most 4 bytes."""
MAX_REPORT_BYTES = 512 << 20
_BLOCK_BYTES = 1 << 20
_CHUNK_BYTES = MAX_LINE_BYTES + len(b"\r\n") + 1
_JOURNALS = (".twofold-commit", ".twofold-undo")
_PLAN = "plan.json"
"""A killed command leaves one of the journals with a plan if some files are not yet moved to their names (docs/command.md)."""


class UnreadableError(Exception):
    """The files cannot be verified; the message names the missing or unreadable file."""


def require_complete(folder: Path) -> None:
    """Raises UnreadableError if a killed command left a journal: old and new files may be mixed. Moves nothing."""
    for journal in _JOURNALS:
        if os.path.lexists(folder / journal / _PLAN):
            raise UnreadableError(
                f"{folder} has files of two splits: a command was killed while it moved the new files to their names. "
                f"Run `twofold verify`, which completes the move and verifies the result."
            )


def read_file(path: Path, limit: int) -> bytes:
    """Returns the content of a file of at most `limit` bytes. Raises UnreadableError."""
    content = bytearray()
    with open_file(path) as file:
        # A single read of `limit` bytes would allocate them all for a small file, too.
        for block in iter(partial(file.read, _BLOCK_BYTES), b""):
            content += block
            if len(content) > limit:
                raise UnreadableError(f"{path} has more than {limit:,} bytes.")
    return bytes(content)


def read_lines(path: Path) -> Iterator[bytes]:
    """Yields the lines with their line feeds, and only the first bytes of an overlong line. Raises UnreadableError."""
    try:
        with open_file(path) as file:
            at_line_start = True
            for chunk in iter(partial(file.readline, _CHUNK_BYTES), b""):
                if at_line_start:
                    yield chunk
                at_line_start = len(chunk) < _CHUNK_BYTES or chunk.endswith(b"\n")
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror}.") from error


def open_file(path: Path) -> BinaryIO:
    """Opens a regular file without blocking on a pipe. Raises UnreadableError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UnreadableError(f"{path} cannot be read: {reason}.") from error
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise UnreadableError(f"{path} cannot be read: it is not a regular file.")
