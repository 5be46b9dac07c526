"""S3: the only module that reads and writes objects."""

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

from twofold.records import Source
from twofold.settings import Service
from twofold.stores.clients import client

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
_BROKEN_OFF = (
    FlexibleChecksumError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)
"""An SDK repeats a request that fails, but not one whose answer breaks off in the middle of an object."""

_CONTENT_TYPES = {"html": "text/html; charset=utf-8", "json": "application/json"}
_CHANGED = frozenset({"PreconditionFailed", "412", "InvalidRange"})
_NAMES = ("NoSuchKey", "NoSuchBucket", "NoSuchVersion", "AccessDenied", "InvalidBucketName")
_DELETE_MARKER = "MethodNotAllowed"
_STATUSES = ("301", "400", "403", "404", "405")
"""The error of a HEAD has no body, so its code is the status."""
_UNREACHABLE = frozenset({*_NAMES, "PermanentRedirect", _DELETE_MARKER, *_STATUSES})


@cache
def _client() -> Any:
    return client(Service.S3, _CONFIG)


class ObjectUnreachableError(Exception):
    """There is no such object, or it may not be read."""


class LostObjectError(ObjectUnreachableError):
    """An object of Twofold's own that should be there is not."""


class SourceChangedError(Exception):
    """The object is not the one that the operation began with."""


@dataclass(frozen=True, slots=True)
class Part:
    number: int
    etag: str


def pin(bucket: str, key: str, version: str | None = None) -> Source:
    """The object as it is now; raises ObjectUnreachableError."""
    address = {"Bucket": bucket, "Key": key} | ({"VersionId": version} if version else {})
    with _explained(bucket, key):
        head = _client().head_object(**address)
    seen = version or head.get("VersionId")
    return Source(
        bucket=bucket,
        key=key,
        size=head["ContentLength"],
        etag=head["ETag"],
        version=None if seen == "null" and not version else seen,
    )


def require(source: Source) -> None:
    """Raises SourceChangedError or ObjectUnreachableError unless the object is still as it was pinned."""
    with _explained(source.bucket, source.key):
        _client().head_object(**_address(source))


def stream(source: Source, start: int, end: int) -> Iterator[bytes]:
    """The bytes [start, end) in chunks, going on where an answer breaks off.

    Raises SourceChangedError, ObjectUnreachableError.
    """
    position, attempts = start, 0
    while position < end:
        attempts += 1
        try:
            for chunk in _chunks(source, position, end):
                position += len(chunk)
                yield chunk
        except _BROKEN_OFF:
            if attempts == _BODY_ATTEMPTS:
                raise


def _chunks(source: Source, start: int, end: int) -> Iterator[bytes]:
    with _explained(source.bucket, source.key):
        answer = _client().get_object(**_address(source), Range=f"bytes={start}-{end - 1}")
    yield from answer["Body"].iter_chunks(CHUNK_BYTES)


def stream_past(source: Source, start: int, end: int) -> Iterator[bytes]:
    """As `stream`, and then on to the end of the object, in small steps, as long as the reader asks for more."""
    yield from stream(source, start, end)
    for position in range(end, source.size, OVERRUN_BYTES):
        yield from stream(source, position, min(position + OVERRUN_BYTES, source.size))


def _address(source: Source) -> dict[str, str]:
    address = {"Bucket": source.bucket, "Key": source.key, "IfMatch": source.etag}
    return address | ({"VersionId": source.version} if source.version else {})


def _body(**address: str) -> bytes:
    """The object of Twofold's own, or the part of it, at an address; raises LostObjectError."""
    attempts = 0
    while True:
        attempts += 1
        with _explained(address["Bucket"], address["Key"], LostObjectError):
            answer = _client().get_object(**address)
        try:
            body: bytes = answer["Body"].read()
        except _BROKEN_OFF:
            if attempts == _BODY_ATTEMPTS:
                raise
        else:
            return body


@contextmanager
def _explained(
    bucket: str, key: str, unreachable: type[Exception] = ObjectUnreachableError
) -> Iterator[None]:
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

    def address(self, key: str) -> str:
        return f"s3://{self.name}/{key}"

    def get(self, key: str) -> bytes:
        """Raises LostObjectError."""
        return _body(Bucket=self.name, Key=key)

    def get_range(self, key: str, offset: int, size: int) -> bytes:
        """`size` bytes from `offset` on, fewer where the object ends; raises LostObjectError."""
        if not size:
            return b""
        return _body(Bucket=self.name, Key=key, Range=f"bytes={offset}-{offset + size - 1}")

    def get_all(self, keys: Iterable[str]) -> Iterator[bytes]:
        """Objects in the order of the keys, fetched side by side but not far ahead; raises LostObjectError."""
        ahead: deque[Future[bytes]] = deque()
        with ThreadPoolExecutor(_CONCURRENCY) as pool:
            for key in keys:
                ahead.append(pool.submit(self.get, key))
                if len(ahead) == _CONCURRENCY:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()

    def get_ranges(self, key: str, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        """(offset, size) ranges of an object, fetched side by side; raises LostObjectError."""
        if len(spans) == 1:
            return [self.get_range(key, *spans[0])]
        with ThreadPoolExecutor(_CONCURRENCY) as pool:
            return list(pool.map(lambda span: self.get_range(key, *span), spans))

    def put(self, key: str, body: bytes | bytearray | memoryview) -> None:
        """What a browser can show is marked as that."""
        kind = _CONTENT_TYPES.get(key.rpartition(".")[2], "application/octet-stream")
        _client().put_object(Bucket=self.name, Key=key, Body=body, ContentType=kind)

    def delete(self, keys: Iterable[str]) -> None:
        """Objects that are not there are no error."""
        for key in keys:
            _client().delete_object(Bucket=self.name, Key=key)

    def pin(self, key: str) -> Source:
        """By ETag alone: a version could be read with s3:GetObjectVersion only, and such objects never change."""
        return pin(self.name, key).model_copy(update={"version": None})

    def size(self, key: str) -> int | None:
        """Bytes of the object, None if there is none."""
        try:
            return self.pin(key).size
        except ObjectUnreachableError:
            return None

    def begin_upload(self, key: str) -> str:
        """The id of a new multipart upload."""
        upload: str = _client().create_multipart_upload(Bucket=self.name, Key=key)["UploadId"]
        return upload

    def put_part(self, key: str, upload: str, number: int, body: bytes | bytearray) -> Part:
        answer = _client().upload_part(
            Bucket=self.name, Key=key, UploadId=upload, PartNumber=number, Body=body
        )
        return Part(number, answer["ETag"])

    def complete_upload(self, key: str, upload: str, parts: Iterable[Part]) -> None:
        """Idempotent: an upload that is complete already is left alone."""
        listed = [
            {"PartNumber": part.number, "ETag": part.etag}
            for part in sorted(parts, key=lambda part: part.number)
        ]
        try:
            _client().complete_multipart_upload(
                Bucket=self.name, Key=key, UploadId=upload, MultipartUpload={"Parts": listed}
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchUpload":
                raise
            _client().head_object(Bucket=self.name, Key=key)
