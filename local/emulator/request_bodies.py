"""Bodies of HTTP requests, read whole into memory and checked against the headers."""

import io
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

_CHUNK_HEADER = re.compile(rb"(?P<size>[0-9a-fA-F]{1,16})[ \t]*(;[^\r\n]*)?\r?\n")
_MAX_LINE_BYTES = 8_192
_MAX_TRAILERS = 100
_READ_BYTES = 1 << 20
MAX_BODY_BYTES = 5 << 30
"""The largest body of a single PUT in S3."""


class BodyError(Exception):
    """A body that is not as the headers say: AWS's error code, message and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def read_body(environ: dict[str, Any]) -> None:
    """Replace the stream of a WSGI request by the whole body in memory, and its framing headers by the length.

    Raises BodyError; the body is empty then.
    """
    stream, coding = environ["wsgi.input"], environ.pop("HTTP_TRANSFER_ENCODING", None)
    stated = environ.get("CONTENT_LENGTH")
    environ |= {"wsgi.input": io.BytesIO(), "wsgi.input_terminated": True, "CONTENT_LENGTH": "0"}
    try:
        body = _read_encoded(stream, coding) if coding else _read_stated(stream, stated or "0")
    except OSError as error:
        raise _make_incomplete_error(str(error)) from error
    if coding is None and stated is None:
        del environ["CONTENT_LENGTH"]
    else:
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}


def _read_stated(stream: BinaryIO, stated: str) -> bytes:
    """Read a body of Content-Length bytes, with one call: werkzeug reads small blocks."""
    if not stated.isascii() or not stated.isdigit():
        raise _make_incomplete_error(f"Content-Length is {stated!r}, which is no number of bytes")
    # int() refuses thousands of digits.
    if len(stated.lstrip("0")) > len(str(MAX_BODY_BYTES)) or int(stated) > MAX_BODY_BYTES:
        raise _make_size_error()
    body = stream.read(int(stated))
    if len(body) < int(stated):
        raise _make_incomplete_error(f"it has {len(body)} bytes, Content-Length says {stated}")
    return body


def _read_encoded(stream: BinaryIO, coding: str) -> bytes:
    if coding.strip().lower() != "chunked":
        message = f"Transfer-Encoding {coding!r} is not implemented; use chunked."
        raise BodyError("NotImplemented", message, 501)
    body = bytearray()
    for block in _iterate_chunks(stream):
        if len(body) + len(block) > MAX_BODY_BYTES:
            raise _make_size_error()
        body += block
    return bytes(body)


def _iterate_chunks(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the data of the chunked transfer coding (RFC 9112, section 7.1). Extensions and trailers are ignored."""
    while size := _read_chunk_size(stream):
        if size > MAX_BODY_BYTES:
            raise _make_size_error()
        while size:
            block = stream.read(min(size, _READ_BYTES))
            if not block:
                raise _make_incomplete_error("it ends within a chunk")
            size -= len(block)
            yield block
        if stream.readline(2) not in (b"\r\n", b"\n"):
            raise _make_incomplete_error("a chunk does not end where it should")
    _skip_trailers(stream)


def _read_chunk_size(stream: BinaryIO) -> int:
    line = stream.readline(_MAX_LINE_BYTES)
    match = _CHUNK_HEADER.fullmatch(line)
    if not match:
        raise _make_incomplete_error(f"a chunk begins with {line[:40]!r}, which is no size")
    return int(match["size"], 16)


def _skip_trailers(stream: BinaryIO) -> None:
    for _ in range(_MAX_TRAILERS):
        line = stream.readline(_MAX_LINE_BYTES)
        if line in (b"\r\n", b"\n"):
            return
        if not line.endswith(b"\n"):
            break
    raise _make_incomplete_error("its trailers do not end")


def _make_incomplete_error(reason: str) -> BodyError:
    return BodyError("IncompleteBody", f"The body cannot be read: {reason}.")


def _make_size_error() -> BodyError:
    message = "Your proposed upload exceeds the maximum allowed object size."
    return BodyError("EntityTooLarge", message)
