"""S3 requests: the error of a rejected request, the target, lookups in moto's store, changes of query and headers."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from moto.s3.models import s3_backends
from werkzeug.wrappers import Request

from local.emulator.functions import ACCOUNT

_SUBRESOURCES = frozenset(
    ("acl", "attributes", "legal-hold", "restore", "retention", "select", "tagging", "torrent")
)
_CHECKSUM_HEADER = re.compile(
    r"x-amz-checksum-(?!algorithm$|type$|mode$)(?P<algorithm>[a-z0-9]+)", re.IGNORECASE
)
_VERSION_ID = re.compile(r"null|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Query = Mapping[str, str | None]
"""New values of query members; None removes a member."""


class S3Error(Exception):
    """A request that S3 rejects: S3's error code, message, HTTP status, further headers and members of the response."""

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 400,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status
        self.headers, self.members = dict(headers or {}), dict(members or {})


def make_missing_key_error(headers: Mapping[str, str] | None = None) -> S3Error:
    return S3Error("NoSuchKey", "The specified key does not exist.", 404, headers)


def make_method_error() -> S3Error:
    message = "The specified method is not allowed against this resource."
    return S3Error("MethodNotAllowed", message, 405)


@dataclass(frozen=True, slots=True)
class Target:
    """The bucket and the key in the path of a request; either may be empty."""

    bucket: str
    key: str


def read_target(request: Request) -> Target:
    bucket, _, key = request.path[1:].partition("/")
    return Target(bucket, key)


def get_backend() -> Any:
    return s3_backends[ACCOUNT]["aws"]


def find_bucket(name: str) -> Any:
    """Return moto's bucket, or None."""
    return get_backend().buckets.get(name)


def find_version(target: Target, version_id: str | None = None) -> Any:
    """Return the object or delete marker of this version, by default the current version, or None."""
    bucket = find_bucket(target.bucket)
    versions = bucket.keys.getlist(target.key, []) if bucket is not None else []
    if version_id is None:
        return versions[-1] if versions else None
    return next((version for version in versions if version.version_id == version_id), None)


def is_delete_marker(version: Any) -> bool:
    return not hasattr(version, "etag")


def find_object(target: Target, version_id: str | None = None) -> Any:
    """Return the object of this version, by default the current version, or None if it is a delete marker or does not exist."""
    version = find_version(target, version_id)
    return None if version is None or is_delete_marker(version) else version


def check_version_id(version_id: str | None) -> None:
    """Raise S3Error unless S3 can have issued the version id."""
    if version_id is not None and not _VERSION_ID.fullmatch(version_id):
        raise S3Error("InvalidArgument", "Invalid version id specified")


def is_object_read(request: Request) -> bool:
    """Whether the request is GetObject or HeadObject."""
    return request.method in ("GET", "HEAD") and _is_plain_object_request(request)


def is_object_write(request: Request) -> bool:
    """Whether the request is PutObject, CopyObject, CompleteMultipartUpload or DeleteObject."""
    if request.method == "POST":
        return "uploadId" in request.args
    return request.method in ("PUT", "DELETE") and _is_plain_object_request(request)


def _is_plain_object_request(request: Request) -> bool:
    members = set(request.args)
    return bool(read_target(request).key) and not members & {*_SUBRESOURCES, "uploads", "uploadId"}


def read_checksum_headers(request: Request) -> Iterator[tuple[str, str]]:
    """Yield the algorithm, in capitals, and the value of each checksum in the headers."""
    for name, value in request.headers.items():
        match = _CHECKSUM_HEADER.fullmatch(name)
        if match:
            yield match["algorithm"].upper(), value


def replace_query(environ: dict[str, Any], changes: Query) -> None:
    """Replace members of the query of a WSGI request. A member with the value None is removed."""
    members = [
        (name, value)
        for name, value in Request(environ).args.items(multi=True)
        if name not in changes
    ]
    members += [(name, value) for name, value in changes.items() if value is not None]
    environ["QUERY_STRING"] = "&".join(
        f"{quote_plus(name)}={quote_plus(value)}" if value else quote_plus(name)
        for name, value in members
    )


def remove_headers(environ: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        environ.pop(f"HTTP_{name.upper().replace('-', '_')}", None)


Forward = Callable[[dict[str, Any]], Any]
"""Sends a WSGI request to moto and returns the response."""
