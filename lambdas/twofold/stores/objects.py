"""S3: read and write objects."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    FlexibleChecksumError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from twofold.records import SourceObject
from twofold.settings import Service
from twofold.stores.clients import create_client

CHUNK_BYTES = 1 << 20
OVERRUN_BYTES = 256 << 10
_CONCURRENCY = 16

_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 4},
    connect_timeout=2,
    read_timeout=10,
    max_pool_connections=_CONCURRENCY,
)
_BODY_ATTEMPTS = 4
_BODY_ERRORS = (
    FlexibleChecksumError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)
"""Errors while a body is read. SDKs retry failed requests, but not interrupted bodies."""

_CONTENT_TYPES = {"html": "text/html; charset=utf-8", "json": "application/json"}
_CHANGED = frozenset({"PreconditionFailed", "412", "InvalidRange"})
_MISSING = ("NoSuchKey", "NoSuchBucket", "NoSuchVersion", "MethodNotAllowed")  # a delete marker
_DENIED = ("AccessDenied", "InvalidBucketName", "PermanentRedirect")
_HEAD_STATUSES = ("301", "400", "403", "404", "405")
"""The response to a HEAD request has no body; its code is the HTTP status."""
_UNREACHABLE = frozenset({*_MISSING, *_DENIED, *_HEAD_STATUSES})


@cache
def get_client() -> Any:
    return create_client(Service.S3, _CONFIG)


class ObjectUnreachableError(Exception):
    """The object does not exist, or the caller has no read permission."""


class LostObjectError(ObjectUnreachableError):
    """An object of Twofold's own bucket is missing."""


class SourceChangedError(Exception):
    """The object has changed since the operation began."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a multipart upload."""

    number: int
    etag: str


def pin(bucket: str, key: str, version: str | None = None) -> SourceObject:
    """Return the present version of an object. Raises ObjectUnreachableError."""
    address = {"Bucket": bucket, "Key": key} | ({"VersionId": version} if version else {})
    with _translate_errors(bucket, key):
        head = get_client().head_object(**address)
    # Objects in a bucket without versioning have the version "null".
    found_version = version or head.get("VersionId")
    return SourceObject(
        bucket=bucket,
        key=key,
        size=head["ContentLength"],
        etag=head["ETag"],
        version=None if found_version == "null" and not version else found_version,
    )


def require_unchanged(source: SourceObject) -> None:
    """Raises SourceChangedError if an object has changed since the pin, ObjectUnreachableError if it cannot be read."""
    with _translate_errors(source.bucket, source.key):
        get_client().head_object(**_build_address(source))
    if source.following:
        require_unchanged(source.following)


def stream(source: SourceObject, start: int, end: int) -> Iterator[bytes]:
    """Yield the bytes [start, end) in chunks, also those in following objects.

    After an interruption, requests the remaining bytes. Raises SourceChangedError, ObjectUnreachableError.
    """
    if source.following is None:
        yield from _stream_object(source, start, end)
        return
    yield from _stream_object(source, start, min(end, source.size))
    if end > source.size:
        yield from stream(source.following, max(start - source.size, 0), end - source.size)


def _stream_object(source: SourceObject, start: int, end: int) -> Iterator[bytes]:
    position, attempts = start, 0
    while position < end:
        attempts += 1
        try:
            for chunk in _read_chunks(source, position, end):
                position += len(chunk)
                yield chunk
        except _BODY_ERRORS:
            if attempts == _BODY_ATTEMPTS:
                raise


def _read_chunks(source: SourceObject, start: int, end: int) -> Iterator[bytes]:
    with _translate_errors(source.bucket, source.key):
        response = get_client().get_object(
            **_build_address(source), Range=f"bytes={start}-{end - 1}"
        )
    yield from response["Body"].iter_chunks(CHUNK_BYTES)


def stream_past(source: SourceObject, start: int, end: int) -> Iterator[bytes]:
    """Yield the bytes [start, end), then the rest of the source in small requests, as far as the reader continues."""
    yield from stream(source, start, end)
    for position in range(end, source.total_size, OVERRUN_BYTES):
        yield from stream(source, position, min(position + OVERRUN_BYTES, source.total_size))


def _build_address(source: SourceObject) -> dict[str, str]:
    address = {"Bucket": source.bucket, "Key": source.key, "IfMatch": source.etag}
    return address | ({"VersionId": source.version} if source.version else {})


def _read_body(**address: str) -> bytes:
    """Return an object of Twofold's own bucket, or a range of the object. Raises LostObjectError."""
    attempts = 0
    while True:
        attempts += 1
        with _translate_errors(address["Bucket"], address["Key"], LostObjectError):
            response = get_client().get_object(**address)
        try:
            body: bytes = response["Body"].read()
        except _BODY_ERRORS:
            if attempts == _BODY_ATTEMPTS:
                raise
        else:
            return body


@contextmanager
def _translate_errors(
    bucket: str, key: str, unreachable: type[Exception] = ObjectUnreachableError
) -> Iterator[None]:
    """Translate errors of S3 into SourceChangedError or `unreachable`."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _CHANGED:
            raise SourceChangedError(f"s3://{bucket}/{key} changed while it was read.") from error
        if code in _UNREACHABLE:
            raise unreachable(f"s3://{bucket}/{key} cannot be read.") from error
        raise


@dataclass(frozen=True, slots=True)
class Bucket:
    """Twofold's own bucket."""

    name: str

    def build_uri(self, key: str) -> str:
        return f"s3://{self.name}/{key}"

    def get(self, key: str) -> bytes:
        """Return an object. Raises LostObjectError."""
        return _read_body(Bucket=self.name, Key=key)

    def get_range(self, key: str, offset: int, size: int) -> bytes:
        """Return `size` bytes from `offset` on, or fewer at the end of the object. Raises LostObjectError."""
        if not size:
            return b""
        return _read_body(Bucket=self.name, Key=key, Range=f"bytes={offset}-{offset + size - 1}")

    def get_all(self, keys: Iterable[str]) -> Iterator[bytes]:
        """Yield objects in the order of the keys, fetched in parallel, at most 16 ahead. Raises LostObjectError."""
        ahead: deque[Future[bytes]] = deque()
        with ThreadPoolExecutor(_CONCURRENCY) as pool:
            for key in keys:
                ahead.append(pool.submit(self.get, key))
                if len(ahead) == _CONCURRENCY:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()

    def get_ranges(self, key: str, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return the (offset, size) ranges of an object, fetched in parallel. Raises LostObjectError."""
        if len(spans) == 1:
            return [self.get_range(key, *spans[0])]
        with ThreadPoolExecutor(_CONCURRENCY) as pool:
            return list(pool.map(lambda span: self.get_range(key, *span), spans))

    def put(self, key: str, body: bytes | bytearray | memoryview) -> None:
        """Write an object, with a content type for browsers if the key has a known extension."""
        content_type = _CONTENT_TYPES.get(key.rpartition(".")[2], "application/octet-stream")
        get_client().put_object(Bucket=self.name, Key=key, Body=body, ContentType=content_type)

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects. Missing objects are ignored."""
        for key in keys:
            get_client().delete_object(Bucket=self.name, Key=key)

    def pin(self, key: str) -> SourceObject:
        """Pin an object by ETag. A version id would require s3:GetObjectVersion, and own objects never change."""
        return pin(self.name, key).model_copy(update={"version": None})

    def find_size(self, key: str) -> int | None:
        """Return the size of the object in bytes, or None if the object does not exist."""
        try:
            return self.pin(key).size
        except ObjectUnreachableError:
            return None

    def begin_upload(self, key: str) -> str:
        """Begin a multipart upload and return the id."""
        upload: str = get_client().create_multipart_upload(Bucket=self.name, Key=key)["UploadId"]
        return upload

    def put_part(self, key: str, upload: str, number: int, body: bytes | bytearray) -> Part:
        response = get_client().upload_part(
            Bucket=self.name, Key=key, UploadId=upload, PartNumber=number, Body=body
        )
        return Part(number, response["ETag"])

    def complete_upload(self, key: str, upload: str, parts: Iterable[Part]) -> None:
        """Complete a multipart upload. A completed upload is left unchanged."""
        listed = [
            {"PartNumber": part.number, "ETag": part.etag}
            for part in sorted(parts, key=lambda part: part.number)
        ]
        try:
            get_client().complete_multipart_upload(
                Bucket=self.name, Key=key, UploadId=upload, MultipartUpload={"Parts": listed}
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchUpload":
                raise
            get_client().head_object(Bucket=self.name, Key=key)
