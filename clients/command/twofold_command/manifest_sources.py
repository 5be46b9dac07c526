"""Manifests that must be copied before they can be read twice: gzip files and standard input."""

import gzip
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO, cast

from twofold_command import signals
from twofold_command.errors import CommandError
from twofold_command.file_formats import GZIP_MAGIC, STANDARD_INPUT
from twofold_command.progress import show_progress

_COPY_BYTES = 1 << 20


@contextmanager
def open_manifest(path: Path) -> Iterator[Path]:
    """Yields the path of an uncompressed file with the lines of the manifest.

    This is `path` itself or, for a gzip file and for `-` (standard input, compressed or not), a copy in a temporary folder.
    Raises CommandError if the lines cannot be copied. Errors in the block that name the copy name `path` instead.
    """
    if str(path) != STANDARD_INPUT and not _is_compressed(path):
        yield path
        return
    name = "standard input" if str(path) == STANDARD_INPUT else str(path)
    # A stop while `tempfile` tries the folder would leave its test file. Later, the object removes the folder itself.
    with signals.defer_stops():
        scratch = tempfile.TemporaryDirectory(prefix="twofold-")
    with scratch as folder:
        copy = Path(folder) / (path.name if name == str(path) else "stdin")
        _copy_lines(path, copy, name)
        try:
            yield copy
        except CommandError as error:
            raise CommandError(str(error).replace(str(copy), name)) from error


def _is_compressed(path: Path) -> bool:
    # A pipe would block, and its first bytes would be gone.
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    except OSError:
        return False


def _copy_lines(path: Path, copy: Path, name: str) -> None:
    """Copies the uncompressed lines of a file, or of standard input, to `copy`."""
    try:
        with show_progress("Unpacking"), copy.open("wb") as target:
            if str(path) == STANDARD_INPUT:
                _copy_stream(cast(BufferedReader, sys.stdin.buffer), target)
            else:
                with gzip.open(path) as source:
                    shutil.copyfileobj(source, target, _COPY_BYTES)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise CommandError(
            f"{name} is a damaged gzip file: {error}. Make or download it again."
        ) from error
    except OSError as error:
        raise CommandError(
            f"{name} cannot be copied to {tempfile.gettempdir()}: {error.strerror}. "
            "TMPDIR names a folder with more space."
        ) from error


def _copy_stream(stream: BufferedReader, target: IO[bytes]) -> None:
    if stream.peek(len(GZIP_MAGIC)).startswith(GZIP_MAGIC):
        with gzip.open(stream) as source:
            shutil.copyfileobj(source, target, _COPY_BYTES)
    else:
        shutil.copyfileobj(stream, target, _COPY_BYTES)
