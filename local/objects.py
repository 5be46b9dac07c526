"""The bodies of large objects, which moto's S3 copies more often than needed, in front of it and inside it.

A large body is kept as it was received, an object of many parts in the bodies of its parts, and a range is sent from where
it lies. What is small, or does not go well, is left to moto (which is pinned).
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import md5
from itertools import accumulate
from mmap import ACCESS_READ, mmap
from tempfile import SpooledTemporaryFile, TemporaryFile
from typing import Any

import moto.s3.models
import moto.s3.responses
from moto.s3 import exceptions
from moto.s3.models import FakeKey, FakeMultipart, get_canned_acl, s3_backends
from moto.s3.utils import ARCHIVE_STORAGE_CLASSES
from werkzeug.wrappers import Request, Response

from local.checksums import check_type, combine_parts, compute_checksum
from local.functions import ACCOUNT

_RANGE = re.compile(r"bytes=(\d+)-(\d+)")
_CHECKSUM, _CHECKSUM_MODE = "x-amz-checksum-", "x-amz-checksum-mode"
_ALGORITHM, _CHECKSUM_TYPE = "x-amz-checksum-algorithm", "x-amz-checksum-type"
_PART_NUMBER = re.compile(rb"<PartNumber>\s*(\d{1,5})\s*</PartNumber>")
_HELD_FROM_BYTES = 1 << 20
_STEP_BYTES = 1 << 20
"""Larger pieces of memory are fetched anew from the system each time, which costs more than to fill them."""


def answer_range(request: Request) -> Response | None:
    """The answer to a GetObject of a range that is there, addressed by path; None for all else, which is left to moto.

    Conditions have been answered.
    """
    wanted = _RANGE.fullmatch(request.headers.get("Range", ""))
    key = _find_object(request) if wanted and request.method == "GET" else None
    if not wanted or key is None:
        return None
    first, last = int(wanted[1]), min(int(wanted[2]), key.size - 1)
    whole = last + 1 - first == key.size
    if first > last or (whole and _CHECKSUM_MODE in request.headers):
        return None
    headers = {**key.response_dict, **key.metadata, "Accept-Ranges": "bytes"}
    if not whole:
        headers = {name: headers[name] for name in headers if not name.startswith(_CHECKSUM)}
    headers["content-range"] = f"bytes {first}-{last}/{key.size}"
    headers["content-length"] = str(last + 1 - first)
    return Response(_held(key).steps(first, last + 1), 206, headers)


def _find_object(request: Request) -> Any:
    if "/s3/" not in request.headers.get("Authorization", ""):
        return None
    if "Origin" in request.headers:
        return None
    name, _, key_name = request.path[1:].partition("/")
    backend = s3_backends[ACCOUNT]["aws"]
    bucket = backend.buckets.get(name)
    if bucket is None or bucket.policy or not set(request.args) <= {"versionId"}:
        return None
    key = backend.get_object(name, key_name, request.args.get("versionId"))
    return None if key is None or key.storage_class in ARCHIVE_STORAGE_CLASSES else key


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
    """Lets moto keep large bodies as they come, and keep the checksums that S3 would."""
    key: Any = FakeKey
    upload: Any = FakeMultipart
    write, set_part, begin = key.value.fset, upload.set_part, upload.__init__

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
        part._etag = md5(value, usedforsecurity=False).hexdigest()
        return part

    def begin_checked(self: Any, key_name: str, metadata: Any, **options: Any) -> None:
        check_type(metadata.get(_ALGORITHM), metadata.get(_CHECKSUM_TYPE))
        acl = options.pop("acl", None) or get_canned_acl("private")
        begin(self, key_name, metadata, acl=acl, **options)

    key.value = key.value.setter(set_value)
    upload.__init__, upload.set_part, upload.complete = begin_checked, set_tagged_part, _join_parts
    for module in (moto.s3.models, moto.s3.responses):
        vars(module)["compute_checksum"] = compute_checksum


def _join_parts(
    upload: Any, listed: Iterable[tuple[int, str]]
) -> tuple[_Held, str, tuple[str, str, int] | None]:
    """In place of moto's: the object's file, its ETag, and its checksum if the upload was begun with one."""
    parts = _listed_parts(upload, listed)
    bodies = [_held(part).bodies for part in parts]
    tags = b"".join(bytes.fromhex(part.etag.strip('"')) for part in parts)
    etag = f"{md5(tags, usedforsecurity=False).hexdigest()}-{len(parts)}"
    algorithm = upload.metadata.get(_ALGORITHM)
    kind = upload.metadata.get(_CHECKSUM_TYPE)
    checksum = combine_parts(algorithm, kind, bodies) if algorithm else None
    return _Held([body for part in bodies for body in part]), etag, checksum


def _listed_parts(upload: Any, listed: Iterable[tuple[int, str]]) -> list[FakeKey]:
    """Raises what S3 answers for a list that does not fit the upload."""
    parts: list[FakeKey] = []
    last = 0
    for number, etag in listed:
        if number <= last:
            raise exceptions.InvalidPartOrder()
        last = number
        part = upload.parts.get(number)
        if part is None or part.etag.strip('"') != etag.strip('"'):
            raise exceptions.InvalidPart()
        parts.append(part)
    if not parts:
        raise exceptions.MalformedXML()
    if any(part.size < _smallest_part() for part in parts[:-1]):
        raise exceptions.EntityTooSmall()
    return parts


def sum_listed_parts(upload: Any, body: bytes) -> int:
    """The bytes of the parts that the body of a CompleteMultipartUpload lists; parts that do not exist have none."""
    numbers = map(int, _PART_NUMBER.findall(body))
    return sum(upload.parts[number].size for number in numbers if number in upload.parts)


def _smallest_part() -> int:
    smallest: int = vars(moto.s3.models)["S3_UPLOAD_PART_MIN_SIZE"]
    return smallest
