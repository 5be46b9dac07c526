"""Bodies of HTTP requests, read whole: with Content-Length, or in chunks (RFC 9112, section 7.1).

werkzeug's reader of chunks does not notice that a connection ends within a chunk, and has no limit.
"""

import re
from collections.abc import Iterator
from typing import Any

MAX_BODY_BYTES = 5 << 30
"""The largest body of a single PUT in S3."""
_BLOCK_BYTES = 1 << 20
_MAX_LINE_BYTES = 4096
_MAX_TRAILER_LINES = 100
_SIZE = re.compile(rb"(?P<size>[0-9a-fA-F]{1,16})[ \t]*(;.*)?\r?\n", re.DOTALL)


class BodyTooLargeError(Exception):
    """The body exceeds MAX_BODY_BYTES."""

    def __init__(self) -> None:
        super().__init__("Your proposed upload exceeds the maximum allowed object size.")


class UnknownEncodingError(Exception):
    """The Transfer-Encoding is not `chunked`."""


def read_body(environ: dict[str, Any]) -> bytes:
    """Return the body of a WSGI request.

    Raises ValueError for a body that contradicts the headers, OSError, BodyTooLargeError and UnknownEncodingError.
    """
    stream = environ["wsgi.input"]
    if "HTTP_TRANSFER_ENCODING" in environ:
        encoding = environ["HTTP_TRANSFER_ENCODING"]
        if encoding.strip().lower() != "chunked":
            raise UnknownEncodingError(f"Transfer-Encoding {encoding!r} is not implemented.")
        return b"".join(_iterate_chunks(stream))
    stated = environ.get("CONTENT_LENGTH") or "0"
    if not stated.isascii() or not stated.isdigit():
        raise ValueError(f"Content-Length is {stated!r}, which is no number of bytes")
    if int(stated) > MAX_BODY_BYTES:
        raise BodyTooLargeError
    return b"".join(_iterate_blocks(stream, int(stated)))


def _iterate_chunks(stream: Any) -> Iterator[bytes]:
    """Yield the bytes of each chunk. Chunk extensions and trailers have no meaning here and are skipped."""
    received = 0
    while size := _read_chunk_size(stream):
        received += size
        if received > MAX_BODY_BYTES:
            raise BodyTooLargeError
        yield from _iterate_blocks(stream, size)
        if _read_line(stream).strip(b"\r\n"):
            raise ValueError(f"a chunk of {size} bytes does not end where it should")
    for _ in range(_MAX_TRAILER_LINES):
        if not _read_line(stream).strip(b"\r\n"):
            return
    raise ValueError(f"it has more than {_MAX_TRAILER_LINES} trailers")


def _read_chunk_size(stream: Any) -> int:
    line = _read_line(stream)
    match = _SIZE.fullmatch(line)
    if not match:
        raise ValueError(f"a chunk begins with {line[:40]!r}, which is no size")
    return int(match["size"], 16)


def _read_line(stream: Any) -> bytes:
    line: bytes = stream.readline(_MAX_LINE_BYTES)
    if not line.endswith(b"\n"):
        raise ValueError("it ends before its last chunk")
    return line


def _iterate_blocks(stream: Any, size: int) -> Iterator[bytes]:
    """Yield exactly `size` bytes. A single read would allocate the stated size before the bytes arrive."""
    missing = size
    while missing:
        block = stream.read(min(missing, _BLOCK_BYTES))
        if not block:
            raise ValueError(f"it has {size - missing} of {size} bytes")
        missing -= len(block)
        yield block
