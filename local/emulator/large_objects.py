"""Storage of large S3 objects without the copies that moto makes.

A large body is stored as received, an object of a multipart upload as the list of the bodies of its parts, and range requests
are served from these. moto handles small objects and errors (moto is pinned).
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
from moto.s3.models import FakeKey, FakeMultipart, get_canned_acl
from moto.s3.utils import ARCHIVE_STORAGE_CLASSES
from werkzeug.wrappers import Request, Response

from local.emulator.checksums import check_checksum_type, combine_part_checksums, compute_checksum
from local.emulator.s3_requests import find_bucket, find_object, read_target

_RANGE = re.compile(r"bytes=([0-9]{1,19})-([0-9]{1,19})")
_CHECKSUM, _CHECKSUM_MODE = "x-amz-checksum-", "x-amz-checksum-mode"
_ALGORITHM, _CHECKSUM_TYPE = "x-amz-checksum-algorithm", "x-amz-checksum-type"
_LARGE_BODY_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 20
"""Size of the blocks that are sent. The allocator maps larger blocks from the system each time, which is slower."""


def serve_range(request: Request) -> Response | None:
    """Return the response to a path-style GetObject of an existing range, or None for requests that moto has to handle."""
    byte_range = _RANGE.fullmatch(request.headers.get("Range", ""))
    key = _find_readable_object(request) if byte_range and request.method == "GET" else None
    if not byte_range or key is None:
        return None
    first, last = int(byte_range[1]), min(int(byte_range[2]), key.size - 1)
    is_whole = last + 1 - first == key.size
    if first > last or (is_whole and _CHECKSUM_MODE in request.headers):
        return None
    headers = {**key.response_dict, **key.metadata, "Accept-Ranges": "bytes"}
    if not is_whole:
        headers = {name: headers[name] for name in headers if not name.startswith(_CHECKSUM)}
    headers["content-range"] = f"bytes {first}-{last}/{key.size}"
    headers["content-length"] = str(last + 1 - first)
    return Response(_get_body_file(key).iterate_blocks(first, last + 1), 206, headers)


def _find_readable_object(request: Request) -> Any:
    if "/s3/" not in request.headers.get("Authorization", ""):
        return None
    if "Origin" in request.headers:
        return None
    target = read_target(request)
    bucket = find_bucket(target.bucket)
    if bucket is None or bucket.policy or not set(request.args) <= {"versionId"}:
        return None
    key = find_object(target, request.args.get("versionId"))
    return None if key is None or key.storage_class in ARCHIVE_STORAGE_CLASSES else key


@dataclass(slots=True)
class _MemoryBudget:
    """Stores bodies in memory up to `available_bytes`, then in memory-mapped unnamed files."""

    available_bytes: int

    def store(self, body: bytes) -> bytes | mmap:
        self.available_bytes -= len(body)
        if self.available_bytes >= 0:
            return body
        with TemporaryFile() as file:
            file.write(body)
            file.flush()
            return mmap(file.fileno(), 0, access=ACCESS_READ)


memory_budget = _MemoryBudget(2 << 30)


class _BodyFile:
    """A read-only file object for moto: the concatenation of immutable bodies."""

    def __init__(self, bodies: Sequence[bytes | mmap]) -> None:
        self.bodies = bodies
        self._starts = list(accumulate(map(len, bodies), initial=0))
        self._position = 0

    def __len__(self) -> int:
        return self._starts[-1]

    def iterate_blocks(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes [start, end) in blocks."""
        while start < end:
            number = bisect_right(self._starts, start) - 1
            stop = min(end, self._starts[number + 1], start + _BLOCK_BYTES)
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
        return b"".join(self.iterate_blocks(start, end))

    def close(self) -> None:
        """Do nothing: readers of the object keep references to the bodies."""


def _get_body_file(key: Any) -> _BodyFile:
    with key.lock:
        file = key._value_buffer
        if isinstance(file, _BodyFile):
            return file
        file.seek(0)
        return _BodyFile([file.read()])


@cache
def patch_moto_s3() -> None:
    """Patch moto to store large bodies without copies, and to compute checksums like S3."""
    key_class: Any = FakeKey
    upload_class: Any = FakeMultipart
    write_value, set_part, init_upload = (
        key_class.value.fset,
        upload_class.set_part,
        upload_class.__init__,
    )

    def set_value(self: Any, value: Any) -> None:
        if isinstance(value, bytes) and len(value) >= _LARGE_BODY_BYTES:
            value = _BodyFile([memory_budget.store(value)])
        if isinstance(value, _BodyFile):
            self._value_buffer.close()
            self._value_buffer, self.contentsize = value, len(value)
            return
        if isinstance(self._value_buffer, _BodyFile):
            self._value_buffer = SpooledTemporaryFile()  # noqa: SIM115
        write_value(self, value)

    def set_part_with_etag(self: Any, number: int, value: bytes) -> Any:
        part = set_part(self, number, value)
        part._etag = md5(value, usedforsecurity=False).hexdigest()
        return part

    def init_checked_upload(self: Any, key_name: str, metadata: Any, **options: Any) -> None:
        check_checksum_type(metadata.get(_ALGORITHM), metadata.get(_CHECKSUM_TYPE))
        acl = options.pop("acl", None) or get_canned_acl("private")
        init_upload(self, key_name, metadata, acl=acl, **options)

    key_class.value = key_class.value.setter(set_value)
    upload_class.__init__, upload_class.set_part, upload_class.complete = (
        init_checked_upload,
        set_part_with_etag,
        _join_parts,
    )
    for module in (moto.s3.models, moto.s3.responses):
        vars(module)["compute_checksum"] = compute_checksum


def _join_parts(
    upload: Any, listed: Iterable[tuple[int, str]]
) -> tuple[_BodyFile, str, tuple[str, str, int] | None]:
    """Replacement of FakeMultipart.complete. Return the object's file, the ETag, and the checksum if the upload has one."""
    parts = select_listed_parts(upload, listed)
    bodies = [get_bodies(part) for part in parts]
    upload.part_sizes = [part.size for part in parts]
    tags = b"".join(bytes.fromhex(part.etag.strip('"')) for part in parts)
    etag = f"{md5(tags, usedforsecurity=False).hexdigest()}-{len(parts)}"
    algorithm = upload.metadata.get(_ALGORITHM)
    checksum_type = upload.metadata.get(_CHECKSUM_TYPE)
    checksum = combine_part_checksums(algorithm, checksum_type, bodies) if algorithm else None
    return _BodyFile([body for part in bodies for body in part]), etag, checksum


def select_listed_parts(upload: Any, listed: Iterable[tuple[int, str]]) -> list[FakeKey]:
    """Return the parts listed in CompleteMultipartUpload. Raises S3's error if the list does not match the upload."""
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
    if any(part.size < _get_min_part_bytes() for part in parts[:-1]):
        raise exceptions.EntityTooSmall()
    return parts


def get_bodies(key: Any) -> Sequence[bytes | mmap]:
    """Return the bodies that an object or part consists of."""
    return _get_body_file(key).bodies


def get_part_sizes(key: Any) -> Sequence[int]:
    """Return the sizes of the parts that an object has been uploaded in, or an empty list for an object of a single PUT."""
    is_multipart = key.multipart is not None and "-" in key.etag
    sizes: Sequence[int] = vars(key.multipart).get("part_sizes", ()) if is_multipart else ()
    return sizes


def _get_min_part_bytes() -> int:
    smallest: int = vars(moto.s3.models)["S3_UPLOAD_PART_MIN_SIZE"]
    return smallest
