"""Bodies in S3's `aws-chunked` encoding, as SDKs send what they sum up or sign on the way."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_SIZE = re.compile(rb"(?P<size>[0-9a-fA-F]{1,16})(?:;chunk-signature=(?P<signature>[0-9a-f]{64}))?")
_TRAILER = re.compile(rb"(?P<name>[A-Za-z0-9-]{1,128}):[ \t]*(?P<value>[\x21-\x7e]{1,1024})[ \t]*")
TRAILER_SIGNATURE = "x-amz-trailer-signature"
_END = b"\r\n"
_LONGEST_LINE = 4096


class ChunkError(ValueError):
    """The body is not what the encoding says; `code` is S3's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Chunk:
    """`signature` is empty where chunks are not signed. The last chunk has no bytes."""

    data: memoryview
    signature: str


@dataclass(frozen=True, slots=True)
class Decoded:
    body: bytes
    trailers: Mapping[str, str]
    chunks: tuple[Chunk, ...]


def decode(encoded: bytes, length: int | None, announced: str) -> Decoded:
    """`length` is the number of bytes of the decoded body according to the client, `announced` the value of x-amz-trailer.

    Raises ChunkError.
    """
    steps = list(_chunks(encoded))
    chunks, (_, end) = tuple(chunk for chunk, _ in steps), steps[-1]
    body = b"".join(chunk.data for chunk in chunks)
    if length is not None and len(body) != length:
        raise ChunkError(
            "IncompleteBody",
            f"The chunks have {len(body)} bytes; x-amz-decoded-content-length says {length}.",
        )
    trailers = _read_trailers(encoded[end:])
    _require_announced(trailers, announced)
    return Decoded(body, trailers, chunks)


def _chunks(encoded: bytes) -> Iterator[tuple[Chunk, int]]:
    """Each chunk, and where the next begins."""
    position, size = 0, -1
    while size:
        header, position = _line(encoded, position)
        found = _SIZE.fullmatch(header)
        if not found:
            raise _invalid(f"A chunk begins with {header[:40]!r}, which is no size.")
        size = int(found["size"], 16)
        end = position + size
        if size and encoded[end : end + 2] != _END:
            raise _invalid(f"A chunk of {size} bytes does not end where it should.")
        data = memoryview(encoded)[position:end]
        position = end + 2 if size else position
        yield Chunk(data, (found["signature"] or b"").decode()), position


def _read_trailers(rest: bytes) -> dict[str, str]:
    trailers = {}
    for line in rest.split(_END):
        found = _TRAILER.fullmatch(line.rstrip(b"\n"))
        if found:
            trailers[found["name"].decode().lower()] = found["value"].decode()
        elif line:
            raise ChunkError("MalformedTrailerError", f"The trailer has {line[:40]!r}.")
    return trailers


def _require_announced(trailers: Mapping[str, str], announced: str) -> None:
    """Trailers, their signature aside, are those that the header names: one that is cut off would not be checked."""
    names = {name.strip().lower() for name in announced.split(",") if name.strip()}
    given = set(trailers) - {TRAILER_SIGNATURE}
    if names != given:
        text, stated = ", ".join(sorted(given)) or "none", ", ".join(sorted(names)) or "none"
        raise ChunkError(
            "MalformedTrailerError", f"The trailers are {text}; x-amz-trailer says {stated}."
        )


def _line(encoded: bytes, position: int) -> tuple[bytes, int]:
    end = encoded.find(_END, position, position + _LONGEST_LINE)
    if end < 0:
        raise ChunkError("IncompleteBody", "The body ends before its last chunk.")
    return encoded[position:end], end + 2


def _invalid(message: str) -> ChunkError:
    return ChunkError("InvalidChunkSizeError", message)
