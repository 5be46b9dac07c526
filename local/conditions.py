"""Conditions of a request on an object that exists, in the order of RFC 9110, section 13.2.2, which S3 follows.

If-Match decides before If-Unmodified-Since, and If-None-Match before If-Modified-Since: the second of a pair is not read
where the first is given. ETags may come without quotation marks.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from werkzeug.datastructures import ETags
from werkzeug.http import parse_date, parse_etags

HEADERS = ("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since")


def find_failed_condition(headers: Mapping[str, str], etag: str, modified: datetime) -> str:
    """The name of the header whose condition does not hold; empty if all hold.

    `etag` is that of the object, quoted or not; `modified` is in UTC, and counts in whole seconds.
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
    """None for a date that cannot be read, too: the condition does not count then."""
    return parse_date(headers.get(name))
