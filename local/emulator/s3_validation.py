"""Checks of S3 requests that moto accepts or fails on: method, signature, names, headers, body, form."""

import ipaddress
import re
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from moto.s3.exceptions import S3ClientError
from werkzeug.wrappers import Request

from local.emulator.clients import REGION
from local.emulator.functions import ACCOUNT
from local.emulator.integrity import check_integrity
from local.emulator.multipart_uploads import check_upload
from local.emulator.s3_bodies import check_subresource_body
from local.emulator.s3_parameters import (
    check_parameters,
    check_range_of_empty_object,
    normalize_parameters,
)
from local.emulator.s3_requests import (
    S3Error,
    Target,
    find_bucket,
    make_method_error,
    read_target,
)
from local.emulator.subresources import check_subresource
from local.emulator.versions import check_read_version

_OBJECT_ACTIONS = ("uploads", "uploadId", "restore", "select")
_METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS")
_SERVICE_METHODS = ("GET", "HEAD", "OPTIONS")
_FORM = "multipart/form-data"
_CREDENTIAL = re.compile(r"Credential=[^/,\s]+/|^AWS [^:\s]+:")
_SIGNED_REGION = re.compile(r"Credential=[^/,\s]+/\d{8}/([^/,\s]+)/s3/")
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")
_NO_CREDENTIAL = "The authorization header is malformed; the Credential is missing."
_TWO_MECHANISMS = (
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the "
    "Authorization header should be specified"
)
_NO_KEY = "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields."
_METADATA_TOO_LARGE = "Your metadata headers exceed the maximum allowed metadata size"
_UPLOADS_OF_KEY = "Key is not expected for the GET method ?uploads subresource"
_INVALID_BUCKET = "The specified bucket is not valid."
_MAX_KEY_BYTES = 1_024
_MAX_METADATA_BYTES = 2_048
_MAX_TAGS = 10
_METADATA = "x-amz-meta-"
_BUCKET_NAME = re.compile(r"(?!xn--|.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_OWNERS = ("x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner")


def check_request(environ: dict[str, Any]) -> None:
    """Raise S3Error if S3 rejects the request. Normalizes parameters that S3 accepts and moto does not."""
    request = Request(environ)
    try:
        _check_method(request)
        check_subresource(request)
        _check_authorization(request)
        _check_names(request, read_target(request))
        _check_headers(request)
        check_integrity(request)
        _check_post(request)
        check_parameters(request)
        normalize_parameters(environ)
        check_upload(Request(environ))
        check_subresource_body(request)
        check_read_version(request)
        check_range_of_empty_object(request)
    except S3ClientError as error:
        raise S3Error(error.code, error.message) from error


def _check_method(request: Request) -> None:
    target = read_target(request)
    allowed = _METHODS if target.bucket else _SERVICE_METHODS
    if request.method not in allowed:
        raise make_method_error()
    if request.method == "GET" and target.key:
        if "uploads" in request.args:
            raise S3Error("InvalidRequest", _UPLOADS_OF_KEY)
        if "torrent" in request.args:
            raise make_method_error()


def _check_authorization(request: Request) -> None:
    authorization = request.headers.get("Authorization", "")
    if authorization and "X-Amz-Signature" in request.args:
        raise S3Error("InvalidArgument", _TWO_MECHANISMS)
    if authorization and not _CREDENTIAL.search(authorization):
        raise S3Error("AuthorizationHeaderMalformed", _NO_CREDENTIAL)
    region = _SIGNED_REGION.search(authorization)
    if region and not _REGION.fullmatch(region[1]):
        # s3cmd signs for the region US at first, reads the right one from this error and repeats the request.
        message = f"The authorization header is malformed; the region '{region[1]}' is wrong; expecting '{REGION}'"
        members = {"Region": REGION}
        raise S3Error("AuthorizationHeaderMalformed", message, members=members)


def _check_names(request: Request, target: Target) -> None:
    """Check the encoding of the path, the length of the key and the name of a new bucket."""
    if request.environ["PATH_INFO"].startswith("//"):  # `request.path` has one slash.
        raise S3Error("InvalidBucketName", _INVALID_BUCKET)
    path = request.environ.get("REQUEST_URI", "").partition("?")[0]
    try:
        unquote_to_bytes(path).decode()
    except UnicodeError:
        raise S3Error("InvalidURI", "Couldn't parse the specified URI.") from None
    if len(target.key.encode()) > _MAX_KEY_BYTES:
        raise S3Error("KeyTooLongError", "Your key is too long")
    is_new = request.method == "PUT" and not target.key and not request.args
    if is_new and not _is_bucket_name(target.bucket):
        raise S3Error("InvalidBucketName", _INVALID_BUCKET)


def _is_bucket_name(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return bool(_BUCKET_NAME.fullmatch(name))
    return False


def _check_headers(request: Request) -> None:
    """Check the expected owner of the bucket, the size of the metadata and the tags."""
    headers = request.headers
    exists = find_bucket(read_target(request).bucket) is not None
    if exists and any(headers.get(name, ACCOUNT) != ACCOUNT for name in _OWNERS):
        raise S3Error("AccessDenied", "Access Denied", 403)
    metadata = [
        (name[len(_METADATA) :], value)
        for name, value in headers.items()
        if name.lower().startswith(_METADATA)
    ]
    if sum(len(name) + len(value) for name, value in metadata) > _MAX_METADATA_BYTES:
        raise S3Error("MetadataTooLarge", _METADATA_TOO_LARGE)
    keys = [key for key, _ in parse_qsl(headers.get("x-amz-tagging", ""), keep_blank_values=True)]
    if len(set(keys)) != len(keys):
        raise S3Error("InvalidArgument", "Cannot provide multiple Tags with the same key")
    if len(keys) > _MAX_TAGS:
        raise S3Error("BadRequest", f"Object tags cannot be greater than {_MAX_TAGS}")


def _check_post(request: Request) -> None:
    if request.method != "POST":
        return
    if read_target(request).key:
        if not any(name in request.args for name in _OBJECT_ACTIONS):
            raise make_method_error()
    elif "delete" not in request.args:
        _check_form(request)


def _check_form(request: Request) -> None:
    """Check a POST Object request: a multipart form with a field `key`."""
    if request.mimetype != _FORM:
        message = "Bucket POST must be of the enclosure-type multipart/form-data"
        raise S3Error("PreconditionFailed", message, 412)
    body = request.environ["wsgi.input"]
    with Request(request.environ.copy()) as posted:
        has_key = "key" in posted.form
    body.seek(0)
    if not has_key:
        raise S3Error("InvalidArgument", _NO_KEY)
