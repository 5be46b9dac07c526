"""Decoder of S3's `aws-chunked` encoding, which SDKs use to send checksums or signatures after the data."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_SIZE = re.compile(rb"(?P<size>[0-9a-fA-F]{1,16})(?:;chunk-signature=(?P<signature>[0-9a-f]{64}))?")
_TRAILER = re.compile(rb"(?P<name>[A-Za-z0-9-]{1,128}):[ \t]*(?P<value>[\x21-\x7e]{1,1024})[ \t]*")
TRAILER_SIGNATURE = "x-amz-trailer-signature"
_END = b"\r\n"
_MAX_LINE_BYTES = 4096


class ChunkError(ValueError):
    """The body is not valid `aws-chunked`; `code` is S3's error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk of a body. The last chunk is empty. `signature` is empty if chunks are not signed."""

    data: memoryview
    signature: str


@dataclass(frozen=True, slots=True)
class DecodedBody:
    body: bytes
    trailers: Mapping[str, str]
    chunks: tuple[Chunk, ...]


def decode(encoded: bytes, length: int | None, announced: str) -> DecodedBody:
    """Decode a body. Raises ChunkError.

    `length` is the number of decoded bytes that the client states, or None; `announced` is the value of x-amz-trailer.
    """
    chunk_ends = list(_iterate_chunks(encoded))
    chunks, (_, end) = tuple(chunk for chunk, _ in chunk_ends), chunk_ends[-1]
    body = b"".join(chunk.data for chunk in chunks)
    if length is not None and len(body) != length:
        raise ChunkError(
            "IncompleteBody",
            f"The chunks have {len(body)} bytes; x-amz-decoded-content-length says {length}.",
        )
    trailers = _read_trailers(encoded[end:])
    _require_announced(trailers, announced)
    return DecodedBody(body, trailers, chunks)


def _iterate_chunks(encoded: bytes) -> Iterator[tuple[Chunk, int]]:
    """Yield each chunk and the offset of the next chunk."""
    position, size = 0, -1
    while size:
        header, position = _read_line(encoded, position)
        match = _SIZE.fullmatch(header)
        if not match:
            raise _make_size_error(f"A chunk begins with {header[:40]!r}, which is no size.")
        size = int(match["size"], 16)
        end = position + size
        if size and encoded[end : end + 2] != _END:
            raise _make_size_error(f"A chunk of {size} bytes does not end where it should.")
        data = memoryview(encoded)[position:end]
        position = end + 2 if size else position
        yield Chunk(data, (match["signature"] or b"").decode()), position


def _read_trailers(rest: bytes) -> dict[str, str]:
    trailers = {}
    for line in rest.split(_END):
        match = _TRAILER.fullmatch(line.rstrip(b"\n"))
        if match:
            trailers[match["name"].decode().lower()] = match["value"].decode()
        elif line:
            raise ChunkError("MalformedTrailerError", f"The trailer has {line[:40]!r}.")
    return trailers


def _require_announced(trailers: Mapping[str, str], announced: str) -> None:
    """Raise ChunkError unless x-amz-trailer names all trailers but the signature: a missing trailer would not be checked."""
    stated = {name.strip().lower() for name in announced.split(",") if name.strip()}
    received = set(trailers) - {TRAILER_SIGNATURE}
    if stated != received:
        actual, expected = (
            ", ".join(sorted(received)) or "none",
            ", ".join(sorted(stated)) or "none",
        )
        raise ChunkError(
            "MalformedTrailerError", f"The trailers are {actual}; x-amz-trailer says {expected}."
        )


def _read_line(encoded: bytes, position: int) -> tuple[bytes, int]:
    end = encoded.find(_END, position, position + _MAX_LINE_BYTES)
    if end < 0:
        raise ChunkError("IncompleteBody", "The body ends before its last chunk.")
    return encoded[position:end], end + 2


def _make_size_error(message: str) -> ChunkError:
    return ChunkError("InvalidChunkSizeError", message)
