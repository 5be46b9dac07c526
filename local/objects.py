"""What moto's S3 copies more often than needed, in front of it and inside it: the bodies of large objects.

Ranges are read from where the object lies rather than from a copy of all of it, request bodies are read in one go, and an
object of many parts lies in its parts. What is small, or does not go well, is left to moto (which is pinned).
"""

import io
import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from tempfile import SpooledTemporaryFile
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
    with key.lock:
        key._value_buffer.seek(first)
        body = key._value_buffer.read(last + 1 - first)
    headers = {**key.response_dict, **key.metadata, "Accept-Ranges": "bytes"}
    headers["content-range"] = f"bytes {first}-{last}/{key.size}"
    del headers["content-length"]
    return Response(body, 206, headers)


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


class _Joined:
    """The file of an object of several parts; it takes over theirs, since moto disposes of the parts."""

    def __init__(self, parts: Sequence[FakeKey]) -> None:
        self._files: list[Any] = [part._value_buffer for part in parts]
        self._starts = list(accumulate((part.size for part in parts), initial=0))
        self._position = 0
        for part in parts:
            part._value_buffer = SpooledTemporaryFile()  # noqa: SIM115

    def __len__(self) -> int:
        return self._starts[-1]

    def seek(self, offset: int) -> None:
        self._position = offset

    def read(self, size: int = -1) -> bytes:
        end = len(self) if size < 0 else min(self._position + size, len(self))
        pieces: list[bytes] = []
        while self._position < end:
            number = bisect_right(self._starts, self._position) - 1
            file = self._files[number]
            file.seek(self._position - self._starts[number])
            pieces.append(file.read(min(end, self._starts[number + 1]) - self._position))
            self._position += len(pieces[-1])
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        for file in self._files:
            file.close()


@cache
def ease_moto() -> None:
    """Lets moto keep an object in its parts, and tag a part by a faster hash than MD5: its tag says nothing to a client."""
    key: Any = FakeKey
    upload: Any = FakeMultipart
    write, complete, set_part = key.value.fset, upload.complete, upload.set_part

    def set_value(self: Any, value: Any) -> None:
        if isinstance(value, _Joined):
            self._value_buffer.close()
            self._value_buffer, self.contentsize = value, len(value)
            return
        if isinstance(self._value_buffer, _Joined):  # moto would write over it in place
            self._value_buffer.close()
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
        return _Joined(parts), f"{xxh3_128_digest(tags).hex()}-{len(parts)}", None

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
