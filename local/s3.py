"""Requests to S3 as moto understands them right: in front of moto's S3, after its other services were told apart."""

import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from urllib.parse import quote_plus

from moto.s3.models import FakeKey, s3_backends
from werkzeug.http import http_date
from werkzeug.wrappers import Request, Response

from local import chunks
from local.addresses import use_path_style
from local.conditions import HEADERS, find_failed_condition
from local.functions import ACCOUNT
from local.gateway import Application
from local.integrity import find_damage
from local.objects import answer_range, sum_listed_parts
from local.refusals import refuse_s3

_ON_OBJECTS = ("uploads", "uploadId", "restore", "select")
_METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS")
_FORM = "multipart/form-data"
_NOT_ALLOWED = "The specified method is not allowed against this resource."
_INTERNAL = ("InternalError", "We encountered an internal error. Please try again.")
_ERRORS = {
    400: ("InvalidRequest", "The request is not valid."),
    403: ("AccessDenied", "Access Denied"),
    404: ("NoSuchKey", "The specified key does not exist."),
    405: ("MethodNotAllowed", _NOT_ALLOWED),
    412: (
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
    ),
    416: ("InvalidRange", "The requested range is not satisfiable"),
}
_ANY_SIGNATURE = "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
_CREDENTIAL = re.compile(r"Credential=[^/,\s]+/|^AWS [^:\s]+:")
_NO_CREDENTIAL = "The authorization header is malformed; the Credential is missing."
_TWO_MECHANISMS = (
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the "
    "Authorization header should be specified"
)
_NO_UPLOAD = (
    "The specified upload does not exist. "
    "The upload ID may be invalid, or the upload may have been aborted or completed."
)
_MOST_KEY_BYTES = 1_024


@dataclass(slots=True)
class S3:
    """moto's S3 with what it lacks. The body of a request has been read."""

    moto: Application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        use_path_style(environ)
        _sign_unsigned(environ)
        request = Request(environ)
        answer: Application | None = _decode_chunks(request) or _refuse(request)
        if answer is None:
            _forget_null_version(request)
            _forget_other_units(environ)
            answer = _answer_condition(environ) or answer_range(Request(environ))
            answer = answer or self._ask_moto(environ)
        return answer(environ, start_response)

    def _ask_moto(self, environ: dict[str, Any]) -> Response:
        """moto's answer; an error that it leaves to its server is a page for browsers, and becomes one of S3's."""
        request = Request(environ)
        response = Response.from_app(self.moto, environ)
        if response.status_code < 400 or response.mimetype != "text/html":
            return response
        code, message = _ERRORS.get(response.status_code, _INTERNAL)
        if response.status_code == 416 and "partNumber" in request.args:
            code, message = "InvalidPartNumber", "The requested partnumber is not satisfiable"
        return refuse_s3(request, response.status_code, code, message)


def _decode_chunks(request: Request) -> Response | None:
    """Puts the bytes of an `aws-chunked` body in its place, and its trailers among the headers; None, or the refusal."""
    environ = request.environ
    if not environ.get("HTTP_X_AMZ_CONTENT_SHA256", "").startswith("STREAMING-"):
        return None
    length = environ.get("HTTP_X_AMZ_DECODED_CONTENT_LENGTH", "")
    try:
        decoded = chunks.decode(
            environ["wsgi.input"].getvalue(),
            int(length) if length.isdecimal() else None,
            request.headers.get("x-amz-trailer", ""),
        )
    except chunks.ChunkError as error:
        return refuse_s3(request, 400, error.code, str(error))
    del environ["HTTP_X_AMZ_CONTENT_SHA256"]
    environ["wsgi.input"] = io.BytesIO(decoded.body)
    environ["CONTENT_LENGTH"] = str(len(decoded.body))
    _take_trailers(environ, decoded.trailers)
    return None


def _take_trailers(environ: dict[str, Any], trailers: Mapping[str, str]) -> None:
    prefix = "x-amz-checksum-"
    for name, value in trailers.items():
        if name.startswith(prefix):
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
            environ["HTTP_X_AMZ_SDK_CHECKSUM_ALGORITHM"] = name.removeprefix(prefix).upper()


def _refuse(request: Request) -> Response | None:
    """What S3 refuses, and moto fails on or takes."""
    for find_refusal in (_refuse_headers, _refuse_body, _refuse_post):
        refusal = find_refusal(request)
        if refusal is not None:
            return refusal
    return None


def _refuse_headers(request: Request) -> Response | None:
    """By the method and the headers alone."""
    if request.method not in _METHODS:
        return refuse_s3(request, 405, "MethodNotAllowed", _NOT_ALLOWED)
    authorization = request.headers.get("Authorization", "")
    if authorization and "X-Amz-Signature" in request.args:
        return refuse_s3(request, 400, "InvalidArgument", _TWO_MECHANISMS)
    if authorization and not _CREDENTIAL.search(authorization):
        return refuse_s3(request, 400, "AuthorizationHeaderMalformed", _NO_CREDENTIAL)
    return None


def _refuse_body(request: Request) -> Response | None:
    """A body that is not as it says, or that has no place to go to."""
    bucket, _, key = request.path[1:].partition("/")
    damage = find_damage(request)
    if damage:
        return refuse_s3(request, 400, damage.code, damage.message)
    if len(key.encode()) > _MOST_KEY_BYTES:
        return refuse_s3(request, 400, "KeyTooLongError", "Your key is too long")
    upload = _find_upload(request, bucket)
    if "uploadId" in request.args and upload is None:
        return refuse_s3(request, 404, "NoSuchUpload", _NO_UPLOAD)
    stated = request.headers.get("x-amz-mp-object-size")
    if stated is not None and upload is not None and request.method == "POST":
        size = sum_listed_parts(upload, request.environ["wsgi.input"].getvalue())
        if stated != str(size):
            message = f"x-amz-mp-object-size is {stated}; the listed parts have {size} bytes."
            return refuse_s3(request, 400, "InvalidRequest", message)
    return None


def _refuse_post(request: Request) -> Response | None:
    bucket, _, key = request.path[1:].partition("/")
    if request.method != "POST":
        return None
    if key and not any(name in request.args for name in _ON_OBJECTS):
        return refuse_s3(request, 405, "MethodNotAllowed", _NOT_ALLOWED)
    if not bucket:
        return refuse_s3(request, 405, "MethodNotAllowed", _NOT_ALLOWED)
    return None if key or "delete" in request.args else _refuse_form(request)


def _sign_unsigned(environ: dict[str, Any]) -> None:
    """Who needs a signature has asked for it before; moto shows objects to signed requests alone."""
    if "HTTP_AUTHORIZATION" not in environ and "X-Amz-" not in environ.get("QUERY_STRING", ""):
        environ["HTTP_AUTHORIZATION"] = _ANY_SIGNATURE


def _find_upload(request: Request, bucket_name: str) -> Any:
    """The multipart upload that the request is for; None if it has ended, or never began."""
    bucket = s3_backends[ACCOUNT]["aws"].buckets.get(bucket_name)
    return None if bucket is None else bucket.multiparts.get(request.args.get("uploadId"))


def _forget_other_units(environ: dict[str, Any]) -> None:
    """S3 ignores a range in another unit than bytes."""
    if not environ.get("HTTP_RANGE", "bytes=").startswith("bytes="):
        del environ["HTTP_RANGE"]


def _answer_condition(environ: dict[str, Any]) -> Response | None:
    """The answer to a GetObject or HeadObject with a condition that does not hold. Conditions that hold are removed from the
    request; those on an object that does not exist stay."""
    request = Request(environ)
    if request.method not in ("GET", "HEAD") or not any(
        name in request.headers for name in HEADERS
    ):
        return None
    bucket, _, key_name = request.path[1:].partition("/")
    backend = s3_backends[ACCOUNT]["aws"]
    if bucket not in backend.buckets:
        return None
    key = backend.get_object(bucket, key_name, request.args.get("versionId"))
    if not isinstance(key, FakeKey):
        return None
    failed = find_failed_condition(request.headers, key.etag, key.last_modified)
    for name in HEADERS:
        environ.pop(f"HTTP_{name.upper().replace('-', '_')}", None)
    if failed in ("If-None-Match", "If-Modified-Since"):
        modified = http_date(key.last_modified.replace(tzinfo=UTC))
        return Response(status=304, headers={"ETag": key.etag, "Last-Modified": modified})
    return refuse_s3(request, 412, *_ERRORS[412]) if failed else None


def _refuse_form(request: Request) -> Response | None:
    """A browser's upload is a form with a field `key`."""
    if request.mimetype != _FORM:
        message = "Bucket POST must be of the enclosure-type multipart/form-data"
        return refuse_s3(request, 412, "PreconditionFailed", message)
    body = request.environ["wsgi.input"]
    with Request(request.environ.copy()) as posted:
        named = "key" in posted.form
    body.seek(0)
    if not named:
        message = "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields."
        return refuse_s3(request, 400, "InvalidArgument", message)
    return None


def _forget_null_version(request: Request) -> None:
    """`null` is the version of every object of a bucket that has no versions, for HEAD too."""
    if request.method != "HEAD" or request.args.get("versionId") != "null":
        return
    bucket = s3_backends[ACCOUNT]["aws"].buckets.get(request.path[1:].partition("/")[0])
    if bucket is not None and not bucket.is_versioned:
        others = [
            f"{quote_plus(name)}={quote_plus(value)}" if value else quote_plus(name)
            for name, value in request.args.items(multi=True)
            if name != "versionId"
        ]
        request.environ["QUERY_STRING"] = "&".join(others)
