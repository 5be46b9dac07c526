"""Convert virtual-hosted S3 requests to path style.

The bucket may precede `localhost` (`pond.localhost:8000`, `pond.s3.localhost:8000`) or an S3 host name
(`pond.s3.us-east-1.amazonaws.com`).
"""

import re
from typing import Any
from urllib.parse import quote

_REGION = r"[a-z]{2}(?:-[a-z]+)+-\d"
_LOCAL = re.compile(
    rf"(?:(?P<bucket>.+?)\.)??(?:s3(?:[.-]{_REGION})?\.)?localhost(?::\d+)?", re.IGNORECASE
)
_AWS = re.compile(
    rf"(?:(?P<bucket>.+)\.)?s3(?:[.-](?:dualstack|fips|accelerate))*(?:[.-]{_REGION})?\.amazonaws\.com(?::\d+)?",
    re.IGNORECASE,
)
_PLAIN_HOSTS = ((_LOCAL, "localhost"), (_AWS, "s3.amazonaws.com"))
_UNCHANGED = "/%:@!$&'()*+,;=~-._"


def use_path_style(environ: dict[str, Any]) -> None:
    """Move the bucket of a WSGI request from the host to the path."""
    for pattern, plain_host in _PLAIN_HOSTS:
        match = pattern.fullmatch(environ.get("HTTP_HOST", ""))
        if match:
            environ["HTTP_HOST"] = plain_host
            if match["bucket"]:
                _add_bucket_to_path(environ, match["bucket"].lower())
            return


def _add_bucket_to_path(environ: dict[str, Any], bucket: str) -> None:
    environ["PATH_INFO"] = f"/{bucket}{environ['PATH_INFO']}"
    for name in ("RAW_URI", "REQUEST_URI"):
        target = environ.get(name, "")
        if target.startswith("/"):
            environ[name] = f"/{quote(bucket, safe=_UNCHANGED)}{target}"
