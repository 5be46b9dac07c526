"""CopyObject and UploadPartCopy: the source, its conditions and the byte range, which moto does not validate."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, unquote_to_bytes

from werkzeug.wrappers import Request

from local.emulator.conditions import check_copy_conditions
from local.emulator.s3_requests import (
    S3Error,
    Target,
    check_version_id,
    find_bucket,
    find_version,
    is_delete_marker,
    make_missing_key_error,
)

_SOURCE, _RANGE = "x-amz-copy-source", "x-amz-copy-source-range"
_BYTES = re.compile(r"bytes=(?P<first>[0-9]{1,19})-(?P<last>[0-9]{1,19})")
_NO_SOURCE = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey"
_NO_RANGE = (
    "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based "
    "offsets of the first and last bytes to copy"
)
_MARKER = (
    "The source of a copy request may not specifically refer to a delete marker by version id."
)


@dataclass(frozen=True, slots=True)
class CopySource:
    target: Target
    version_id: str | None


def parse_copy_source(header: str) -> CopySource:
    """Parse the header x-amz-copy-source as WSGI represents it. Raises S3Error."""
    path, _, query = header.partition("?")
    try:
        decoded = unquote_to_bytes(path.encode("latin-1")).decode()
    except UnicodeError:
        raise S3Error("InvalidArgument", _NO_SOURCE) from None
    bucket, _, key = decoded.removeprefix("/").partition("/")
    if not bucket or not key:
        raise S3Error("InvalidArgument", _NO_SOURCE)
    version_id = parse_qs(query, keep_blank_values=True).get("versionId", [None])[0]
    check_version_id(version_id)
    return CopySource(Target(bucket, key), version_id)


def check_copy(environ: dict[str, Any]) -> None:
    """Raise S3Error if the source of a copy does not exist, or does not match a condition or the range.

    Rewrites the header x-amz-copy-source in an unambiguous form for moto.
    """
    request = Request(environ)
    if request.method != "PUT" or _SOURCE not in request.headers:
        return
    source = parse_copy_source(request.headers[_SOURCE])
    key = _find_source(source)
    check_copy_conditions(environ, key)
    if "partNumber" in request.args and _RANGE in request.headers:
        _check_range(request.headers[_RANGE], key.size)
    suffix = f"?versionId={source.version_id}" if source.version_id else ""
    path = quote(f"{source.target.bucket}/{source.target.key}")
    environ["HTTP_X_AMZ_COPY_SOURCE"] = f"/{path}{suffix}"


def _find_source(source: CopySource) -> Any:
    """Return the object. Raises S3Error if it does not exist."""
    if find_bucket(source.target.bucket) is None:
        raise S3Error("NoSuchBucket", "The specified bucket does not exist", 404)
    version = find_version(source.target, source.version_id)
    if version is not None and not is_delete_marker(version):
        return version
    if source.version_id is None:
        raise make_missing_key_error()
    if version is not None:
        raise S3Error("InvalidRequest", _MARKER)
    raise S3Error("NoSuchVersion", "The specified version does not exist.", 404)


def _check_range(header: str, size: int) -> None:
    match = _BYTES.fullmatch(header)
    if not match or int(match["first"]) > int(match["last"]):
        raise S3Error("InvalidArgument", _NO_RANGE)
    if int(match["last"]) >= size:
        message = f"Range specified is not valid for source object of size: {size}"
        raise S3Error("InvalidArgument", message)
