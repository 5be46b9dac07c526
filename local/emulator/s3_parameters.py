"""Integers, tokens and other values in the query and headers of S3 requests, which moto does not validate."""

import re
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request

from local.emulator.s3_requests import (
    S3Error,
    check_version_id,
    find_object,
    get_backend,
    is_object_read,
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
    "x-amz-server-side-encryption": (
        ("AES256", "aws:kms", "aws:kms:dsse"),
        "InvalidArgument",
        "The encryption method specified is not supported",
    ),
}
_CUSTOMER_KEY = "x-amz-server-side-encryption-customer-"
_PAYLOAD = re.compile(r"[0-9a-f]{64}|UNSIGNED-PAYLOAD|STREAMING-[A-Z0-9-]+")
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
    _check_payload_headers(request)
    if "attributes" in request.args and request.method == "GET":
        names = request.headers.get("x-amz-object-attributes", "").split(",")
        if not {name.strip() for name in names} <= _ATTRIBUTES:
            raise S3Error("InvalidArgument", "Invalid attribute name specified.")


def _check_payload_headers(request: Request) -> None:
    if not _PAYLOAD.fullmatch(request.headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD")):
        message = (
            "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD or a valid sha256 value."
        )
        raise S3Error("InvalidArgument", message)
    if "x-amz-write-offset-bytes" in request.headers:
        message = "A header you provided implies functionality that is not implemented"
        raise S3Error("NotImplemented", message, 501)
    names = ("algorithm", "key", "key-MD5")
    given = [name for name in names if f"{_CUSTOMER_KEY}{name}" in request.headers]
    if 0 < len(given) < len(names):
        message = (
            "Requests specifying Server Side Encryption with Customer provided keys must provide "
            "an algorithm, a key and the MD5 of the key."
        )
        raise S3Error("InvalidArgument", message)


def check_range_of_empty_object(request: Request) -> None:
    """Raise S3Error if a GET reads the last bytes of an empty object, which moto serves whole."""
    if request.method != "GET" or not is_object_read(request):
        return
    if not re.fullmatch(r"bytes=-[0-9]+", request.headers.get("Range", "")):
        return
    found = find_object(read_target(request), request.args.get("versionId"))
    if found is not None and found.size == 0:
        raise S3Error("InvalidRange", "The requested range is not satisfiable", 416)


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
