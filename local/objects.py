"""What moto's S3 copies more often than needed, in front of it and inside it: the bodies of large objects.

A large body is kept as it was received, an object of many parts in the bodies of its parts, and a range is sent from where
it lies. What is small, or does not go well, is left to moto (which is pinned).
"""

import io
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from mmap import ACCESS_READ, mmap
from tempfile import SpooledTemporaryFile, TemporaryFile
from typing import Any

import moto.s3.models
from moto.s3 import exceptions
from moto.s3.models import FakeKey, FakeMultipart, s3_backends
from werkzeug.wrappers import Request, Response
from xxhash import xxh3_128_digest, xxh3_128_hexdigest

from local.functions import ACCOUNT
from local.gateway import Application

_RANGE = re.compile(r"bytes=(\d+)-(\d+)")
_LEFT_TO_MOTO = ("If-None-Match", "If-Modified-Since", "If-Unmodified-Since")
_HELD_FROM_BYTES = 1 << 20
_STEP_BYTES = 1 << 20
"""Larger pieces of memory are fetched anew from the system each time, which costs more than to fill them."""


@dataclass(slots=True)
class Objects:
    services: Application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        _read_body(environ)
        answer: Application | None = _ranged(Request(environ))
        return (answer or self.services)(environ, start_response)


def _read_body(environ: dict[str, Any]) -> None:
    """At once: werkzeug would gather it in small steps. moto then takes it without another copy."""
    size = environ.get("CONTENT_LENGTH")
    if size and "wsgi.input_terminated" not in environ:
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(size)))
        environ["wsgi.input_terminated"] = True


def _ranged(request: Request) -> Response | None:
    """The answer to a GetObject of a range that is there; None for all else."""
    wanted = _RANGE.fullmatch(request.headers.get("Range", ""))
    key = _key(request) if wanted and request.method == "GET" else None
    if not wanted or key is None or request.headers.get("If-Match", key.etag) != key.etag:
        return None
    first, last = int(wanted[1]), min(int(wanted[2]), key.size - 1)
    if first > last:
        return None
    headers = {**key.response_dict, **key.metadata, "Accept-Ranges": "bytes"}
    headers["content-range"] = f"bytes {first}-{last}/{key.size}"
    headers["content-length"] = str(last + 1 - first)
    return Response(_held(key).steps(first, last + 1), 206, headers)


def _key(request: Request) -> Any:
    if "/s3/" not in request.headers.get("Authorization", ""):
        return None
    if any(header in request.headers for header in _LEFT_TO_MOTO):
        return None
    name, _, key = request.path[1:].partition("/")
    backend = s3_backends[ACCOUNT]["aws"]
    bucket = backend.buckets.get(name)
    if bucket is None or bucket.policy or not set(request.args) <= {"versionId"}:
        return None
    return backend.get_object(name, key, request.args.get("versionId"))


@dataclass(slots=True)
class _Room:
    """For bodies: so many bytes of memory, and when these have been given away, files without a name."""

    left: int

    def take(self, body: bytes) -> bytes | mmap:
        self.left -= len(body)
        if self.left >= 0:
            return body
        with TemporaryFile() as file:
            file.write(body)
            file.flush()
            return mmap(file.fileno(), 0, access=ACCESS_READ)


room = _Room(2 << 30)


class _Held:
    """The file of an object, for moto: bodies one after the other, which are never changed, only let go."""

    def __init__(self, bodies: Sequence[bytes | mmap]) -> None:
        self.bodies = bodies
        self._starts = list(accumulate(map(len, bodies), initial=0))
        self._position = 0

    def __len__(self) -> int:
        return self._starts[-1]

    def steps(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes [start, end), in steps."""
        while start < end:
            number = bisect_right(self._starts, start) - 1
            stop = min(end, self._starts[number + 1], start + _STEP_BYTES)
            begin = self._starts[number]
            yield self.bodies[number][start - begin : stop - begin]
            start = stop

    def seek(self, offset: int) -> None:
        self._position = offset

    def read(self, size: int = -1) -> bytes:
        start = self._position
        self._position = end = len(self) if size < 0 else min(start + size, len(self))
        if len(self.bodies) == 1 and end - start == len(self):
            return self.bodies[0][:]
        return b"".join(self.steps(start, end))

    def close(self) -> None:
        """Who still reads them keeps them."""


def _held(key: Any) -> _Held:
    with key.lock:
        file = key._value_buffer
        if isinstance(file, _Held):
            return file
        file.seek(0)
        return _Held([file.read()])


@cache
def ease_moto() -> None:
    """Lets moto keep large bodies as they come, and tag a part by a faster hash than MD5: its tag says nothing to a client."""
    key: Any = FakeKey
    upload: Any = FakeMultipart
    write, complete, set_part = key.value.fset, upload.complete, upload.set_part

    def set_value(self: Any, value: Any) -> None:
        if isinstance(value, bytes) and len(value) >= _HELD_FROM_BYTES:
            value = _Held([room.take(value)])
        if isinstance(value, _Held):
            self._value_buffer.close()
            self._value_buffer, self.contentsize = value, len(value)
            return
        if isinstance(self._value_buffer, _Held):
            self._value_buffer = SpooledTemporaryFile()  # noqa: SIM115
        write(self, value)

    def set_tagged_part(self: Any, number: int, value: bytes) -> Any:
        part = set_part(self, number, value)
        part._etag = xxh3_128_hexdigest(value)
        return part

    def join(self: Any, listed: Iterable[tuple[int, str]]) -> Any:
        if self.metadata.get("x-amz-checksum-algorithm"):
            return complete(self, iter(listed))
        parts = _listed_parts(self, listed)
        tags = b"".join(bytes.fromhex(part.etag.strip('"')) for part in parts)
        bodies = [body for part in parts for body in _held(part).bodies]
        return _Held(bodies), f"{xxh3_128_digest(tags).hex()}-{len(parts)}", None

    key.value = key.value.setter(set_value)
    upload.set_part, upload.complete = set_tagged_part, join


def _listed_parts(upload: Any, listed: Iterable[tuple[int, str]]) -> list[FakeKey]:
    """Raises what S3 answers for a list that does not fit the upload."""
    parts: list[FakeKey] = []
    for number, etag in listed:
        part = upload.parts.get(number)
        if part is None or part.etag.strip('"') != etag.strip('"'):
            raise exceptions.InvalidPart()
        parts.append(part)
    if not parts:
        raise exceptions.MalformedXML()
    if any(part.size < _smallest_part() for part in parts[:-1]):
        raise exceptions.EntityTooSmall()
    return parts


def _smallest_part() -> int:
    smallest: int = vars(moto.s3.models)["S3_UPLOAD_PART_MIN_SIZE"]
    return smallest
