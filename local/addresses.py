"""Virtual-host addresses of buckets, turned into paths, so that all that follows knows one form.

A bucket may stand in front of `localhost` (`pond.localhost:8000`, `pond.s3.localhost:8000`) and of S3's own names
(`pond.s3.us-east-1.amazonaws.com`).
"""

import re
from typing import Any
from urllib.parse import quote

_REGION = r"[a-z]{2}(?:-[a-z]+)+-\d"
_LOCAL = re.compile(
    rf"(?:(?P<bucket>.+?)\.)??(?:s3(?:[.-]{_REGION})?\.)?localhost(?P<port>:\d+)?", re.IGNORECASE
)
_AWS = re.compile(
    rf"(?:(?P<bucket>.+)\.)?s3(?:[.-](?:dualstack|fips|accelerate))*(?:[.-]{_REGION})?\.amazonaws\.com(?P<port>:\d+)?",
    re.IGNORECASE,
)
_PLAIN_HOSTS = ((_LOCAL, "localhost"), (_AWS, "s3.amazonaws.com"))
_UNCHANGED = "/%:@!$&'()*+,;=~-._"


def use_path_style(environ: dict[str, Any]) -> None:
    """Moves the bucket of a WSGI request from the host to the front of the path."""
    for pattern, plain in _PLAIN_HOSTS:
        found = pattern.fullmatch(environ.get("HTTP_HOST", ""))
        if found:
            environ["HTTP_HOST"] = plain + (found["port"] or "")
            if found["bucket"]:
                _put_in_front(environ, found["bucket"].lower())
            return


def _put_in_front(environ: dict[str, Any], bucket: str) -> None:
    environ["PATH_INFO"] = f"/{bucket}{environ['PATH_INFO']}"
    for name in ("RAW_URI", "REQUEST_URI"):
        target = environ.get(name, "")
        if target.startswith("/"):
            environ[name] = f"/{quote(bucket, safe=_UNCHANGED)}{target}"
