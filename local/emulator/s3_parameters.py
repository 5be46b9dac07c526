"""Integers, tokens and other values in the query and headers of S3 requests, which moto does not validate."""

import re
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request

from local.emulator.s3_requests import (
    S3Error,
    check_version_id,
    get_backend,
    read_target,
    replace_query,
)

_INTEGER = re.compile(r"0*(?P<digits>[0-9]{1,10})")
_MAX_INT = 2**31 - 1
_MAX_PAGE = 1_000
_MAX_PART_NUMBER = 10_000
_PAGE_SIZES = ("max-keys", "max-uploads", "max-parts")
_BOUNDS: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys((*_PAGE_SIZES, "part-number-marker"), (0, _MAX_INT)),
    "max-buckets": (1, 10_000),
    "partNumber": (1, _MAX_PART_NUMBER),
}
_CHOICES: Mapping[str, tuple[tuple[str, ...], str, str]] = {
    "x-amz-metadata-directive": (
        ("COPY", "REPLACE"),
        "InvalidArgument",
        "Unknown metadata directive.",
    ),
    "x-amz-tagging-directive": (
        ("COPY", "REPLACE"),
        "InvalidArgument",
        "Unknown tagging directive.",
    ),
}
_ATTRIBUTES = frozenset(("ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"))
_RANGE = re.compile(r"bytes=[0-9, -]*")
_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")
_LONG_NUMBER = re.compile(r"[0-9]{19,}")


def parse_integer(name: str, text: str, bounds: tuple[int, int]) -> int:
    """Return the integer. Raises S3Error, which names the parameter, if the text is not an integer within the bounds."""
    match = _INTEGER.fullmatch(text)
    number = int(match["digits"]) if match else -1
    if bounds[0] <= number <= bounds[1]:
        return number
    if name == "partNumber":
        message = f"Part number must be an integer between 1 and {_MAX_PART_NUMBER}, inclusive"
    else:
        message = f"Provided {name} not an integer or within integer range"
    raise S3Error("InvalidArgument", message)


def check_parameters(request: Request) -> None:
    """Raise S3Error if a value in the query or the headers is invalid."""
    for name, bounds in _BOUNDS.items():
        for value in request.args.getlist(name):
            parse_integer(name, value, bounds)
    if request.args.get("encoding-type", "url") != "url":
        raise S3Error("InvalidArgument", "Invalid Encoding Method specified in Request")
    if read_target(request).key:
        for version_id in request.args.getlist("versionId"):
            check_version_id(version_id)
    else:
        _check_continuation_token(request)
    _check_headers(request)


def _check_continuation_token(request: Request) -> None:
    token = request.args.get("continuation-token")
    is_listing = request.args.get("list-type") == "2"
    if token is not None and is_listing and token not in get_backend()._pagination_tokens:
        raise S3Error("InvalidArgument", "The continuation token provided is incorrect")


def _check_headers(request: Request) -> None:
    for name, (choices, code, message) in _CHOICES.items():
        if request.headers.get(name, choices[0]) not in choices:
            raise S3Error(code, message)
    if "attributes" in request.args and request.method == "GET":
        names = request.headers.get("x-amz-object-attributes", "").split(",")
        if not {name.strip() for name in names} <= _ATTRIBUTES:
            raise S3Error("InvalidArgument", "Invalid attribute name specified.")


def normalize_parameters(environ: dict[str, Any]) -> None:
    """Limit pages to 1,000 entries, remove invalid ranges, which S3 ignores, and shorten long numbers in ranges."""
    args = Request(environ).args
    pages = {name: str(_MAX_PAGE) for name in _PAGE_SIZES if int(args.get(name, "0")) > _MAX_PAGE}
    if pages:
        replace_query(environ, pages)
    if not _RANGE.fullmatch(environ.get("HTTP_RANGE", "bytes=")):
        del environ["HTTP_RANGE"]
    if "HTTP_RANGE" in environ:
        byte_range = _LEADING_ZEROS.sub("", environ["HTTP_RANGE"])
        environ["HTTP_RANGE"] = _LONG_NUMBER.sub("9" * 18, byte_range)
