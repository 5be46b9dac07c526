"""Conditions of reads, writes and copies, in the order of RFC 9110, section 13.2.2, which S3 follows.

If-Match precedes If-Unmodified-Since, and If-None-Match precedes If-Modified-Since: with the first of a pair, the second is
ignored. ETags may lack quotation marks.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from werkzeug.datastructures import ETags
from werkzeug.http import http_date, parse_date, parse_etags
from werkzeug.wrappers import Request, Response

from local.emulator.s3_requests import (
    S3Error,
    find_object,
    is_object_write,
    make_missing_key_error,
    read_target,
    remove_headers,
)

HEADERS = ("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since")
_WRITE_HEADERS = ("If-Match", "If-None-Match")
_COPY_PREFIX = "x-amz-copy-source-"
_NOT_IMPLEMENTED = "A header you provided implies functionality that is not implemented"


def make_failed_condition_error() -> S3Error:
    message = "At least one of the pre-conditions you specified did not hold"
    return S3Error("PreconditionFailed", message, 412)


def check_read_conditions(environ: dict[str, Any]) -> Response | None:
    """Evaluate and remove the conditions of a GET or HEAD of an existing object.

    Returns the response for an unmodified object, or None. Raises S3Error if another condition fails.
    """
    request = Request(environ)
    if request.method not in ("GET", "HEAD") or not any(
        name in request.headers for name in HEADERS
    ):
        return None
    key = find_object(read_target(request), request.args.get("versionId"))
    if key is None:
        return None
    conditions = {name: request.headers[name] for name in HEADERS if name in request.headers}
    failed = find_failed_condition(conditions, key.etag, key.last_modified)
    remove_headers(environ, HEADERS)
    if failed in ("If-None-Match", "If-Modified-Since"):
        modified = http_date(key.last_modified.replace(tzinfo=UTC))
        return Response(status=304, headers={"ETag": key.etag, "Last-Modified": modified})
    if failed:
        raise make_failed_condition_error()
    return None


def check_if_range(environ: dict[str, Any]) -> None:
    """Remove the range of a read if If-Range names another object."""
    request = Request(environ)
    condition = request.headers.get("If-Range")
    if condition is None or "Range" not in request.headers:
        return
    key = find_object(read_target(request), request.args.get("versionId"))
    if key is None:
        return
    date = parse_date(condition)
    if date is None:
        matches = parse_etags(condition).contains(key.etag.strip('"'))
    else:
        matches = key.last_modified.replace(microsecond=0, tzinfo=UTC) <= date
    if not matches:
        remove_headers(environ, ("Range",))


def has_write_conditions(request: Request) -> bool:
    return is_object_write(request) and any(name in request.headers for name in _WRITE_HEADERS)


def check_write_conditions(environ: dict[str, Any]) -> None:
    """Raise S3Error if a condition on the object that a request replaces or deletes fails. Remove the conditions."""
    request = Request(environ)
    if not has_write_conditions(request):
        return
    if request.headers.get("If-None-Match", "*").strip() != "*":
        raise S3Error("NotImplemented", _NOT_IMPLEMENTED, 501)
    key = find_object(read_target(request), request.args.get("versionId"))
    if key is None and "If-Match" in request.headers:
        raise make_missing_key_error()
    conditions = {name: request.headers[name] for name in _WRITE_HEADERS if name in request.headers}
    if key is not None and find_failed_condition(conditions, key.etag, key.last_modified):
        raise make_failed_condition_error()
    remove_headers(environ, _WRITE_HEADERS)


def check_copy_conditions(environ: dict[str, Any], source: Any) -> None:
    """Raise S3Error if a condition on the source of a copy fails. Remove the conditions."""
    headers = Request(environ).headers
    conditions = {
        name: headers[_COPY_PREFIX + name] for name in HEADERS if _COPY_PREFIX + name in headers
    }
    if find_failed_condition(conditions, source.etag, source.last_modified):
        raise make_failed_condition_error()
    remove_headers(environ, tuple(_COPY_PREFIX + name for name in HEADERS))


def find_failed_condition(headers: Mapping[str, str], etag: str, modified: datetime) -> str:
    """Return the name of the header with a condition that fails, or an empty string.

    `etag` of the object may have quotation marks; `modified` is in UTC, and is compared in whole seconds.
    """
    etag, modified = etag.strip('"'), modified.replace(microsecond=0, tzinfo=UTC)
    if_match, if_none_match = (
        _read_etags(headers, "If-Match"),
        _read_etags(headers, "If-None-Match"),
    )
    unmodified = _read_date(headers, "If-Unmodified-Since")
    since = _read_date(headers, "If-Modified-Since")
    if if_match is not None:
        if not if_match.contains_weak(etag):
            return "If-Match"
    elif unmodified is not None and modified > unmodified:
        return "If-Unmodified-Since"
    if if_none_match is not None:
        if if_none_match.contains_weak(etag):
            return "If-None-Match"
    elif since is not None and modified <= since:
        return "If-Modified-Since"
    return ""


def _read_etags(headers: Mapping[str, str], name: str) -> ETags | None:
    return parse_etags(headers[name]) if name in headers else None


def _read_date(headers: Mapping[str, str], name: str) -> datetime | None:
    """Return None for an unreadable date: the condition is ignored."""
    return parse_date(headers.get(name))
