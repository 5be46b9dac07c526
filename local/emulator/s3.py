"""S3: a WSGI application that validates and rewrites requests for moto's S3."""

import io
import logging
import re
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any
from xml.parsers.expat import ExpatError

from werkzeug.wrappers import Request, Response

from local.emulator import aws_chunked
from local.emulator.conditions import (
    check_if_range,
    check_read_conditions,
    check_write_conditions,
    has_write_conditions,
)
from local.emulator.copies import check_copy
from local.emulator.deletions import delete_objects, is_delete_objects
from local.emulator.error_responses import make_s3_error_response
from local.emulator.gateway import Application
from local.emulator.large_objects import serve_range
from local.emulator.object_parts import add_parts_count, use_part_range
from local.emulator.s3_bodies import has_subresource_body, make_malformed_xml_error
from local.emulator.s3_requests import S3Error, find_bucket, read_target, replace_query
from local.emulator.s3_validation import check_request
from local.emulator.versions import add_null_version, write_lock
from local.emulator.virtual_hosts import use_path_style

_log = logging.getLogger(__name__)
_INTERNAL = ("InternalError", "We encountered an internal error. Please try again.")
_ERRORS = {
    400: ("InvalidRequest", "The request is not valid."),
    403: ("AccessDenied", "Access Denied"),
    404: ("NoSuchKey", "The specified key does not exist."),
    405: ("MethodNotAllowed", "The specified method is not allowed against this resource."),
    412: (
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
    ),
    416: ("InvalidRange", "The requested range is not satisfiable"),
}
_ANY_SIGNATURE = "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
_XML = ("application/xml", "text/xml")
_MISSING_LENGTH = "You must provide the Content-Length HTTP header."
_DECODED_LENGTH = re.compile(r"[0-9]{1,15}")
_REQUEST_ERRORS = (
    *(ArithmeticError, AssertionError, AttributeError, ExpatError, LookupError),
    *(RecursionError, SyntaxError, TypeError, ValueError),
)
"""Exceptions that moto raises for invalid values in requests."""


@dataclass(slots=True)
class S3:
    """moto's S3 with S3's validation. The body of a request must be in memory."""

    moto: Application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        use_path_style(environ)
        _sign_unsigned(environ)
        try:
            with _lock_conditional_write(Request(environ)):
                response = self._respond(environ)
        except S3Error as error:
            response = _make_error_response(Request(environ), error)
        return response(environ, start_response)

    def _respond(self, environ: dict[str, Any]) -> Response:
        """Return the response. Raises S3Error if S3 rejects the request."""
        _decode_chunks(environ)
        check_request(environ)
        request = Request(environ)
        _remove_null_version(request)
        not_modified = check_read_conditions(environ)
        if not_modified is not None:
            return not_modified
        check_if_range(environ)
        check_write_conditions(environ)
        check_copy(environ)
        if is_delete_objects(request):
            deleted = delete_objects(environ, self._forward)
            if deleted is not None:
                return deleted
        parts_count = use_part_range(environ)
        response = serve_range(Request(environ)) or self._forward(environ)
        add_parts_count(response, parts_count)
        add_null_version(request, response)
        return response

    def _forward(self, environ: dict[str, Any]) -> Response:
        """Return moto's response. Convert an HTML error page of moto's web framework to an S3 error.

        Raises S3Error if moto raises an exception of a kind that invalid values in a request cause.
        """
        request = Request(environ)
        try:
            response = Response.from_app(self.moto, environ)
        except _REQUEST_ERRORS as error:
            _log.debug("moto rejects a request", exc_info=True)
            if has_subresource_body(request):
                raise make_malformed_xml_error() from error
            message = f"moto cannot handle the request: {type(error).__name__}: {error}"
            raise S3Error("InvalidRequest", message) from error
        if response.status_code < 400 or response.mimetype != "text/html":
            _escape_carriage_returns(request, response)
            return response
        code, message = _ERRORS.get(response.status_code, _INTERNAL)
        return make_s3_error_response(request, response.status_code, code, message)


def _lock_conditional_write(request: Request) -> AbstractContextManager[Any]:
    """Return the lock of writes if a request depends on the present objects, so that the check and the write are atomic."""
    is_conditional = has_write_conditions(request) or is_delete_objects(request)
    return write_lock if is_conditional else nullcontext()


def _make_error_response(request: Request, error: S3Error) -> Response:
    response = make_s3_error_response(
        request, error.status, error.code, error.message, error.members
    )
    response.headers.update(error.headers)
    return response


def _escape_carriage_returns(request: Request, response: Response) -> None:
    """Escape carriage returns in an XML response about a bucket: keys may have them, and XML parsers normalize them."""
    is_object = bool(read_target(request).key)
    if not is_object and response.mimetype in _XML and b"\r" in response.data:
        response.data = response.data.replace(b"\r", b"&#13;")


def _decode_chunks(environ: dict[str, Any]) -> None:
    """Decode an `aws-chunked` body in place and add the trailers to the headers. Raises S3Error."""
    if not environ.get("HTTP_X_AMZ_CONTENT_SHA256", "").startswith("STREAMING-"):
        return
    length = environ.get("HTTP_X_AMZ_DECODED_CONTENT_LENGTH", "")
    if not _DECODED_LENGTH.fullmatch(length):
        raise S3Error("MissingContentLength", _MISSING_LENGTH, 411)
    announced = environ.get("HTTP_X_AMZ_TRAILER", "")
    try:
        decoded = aws_chunked.decode(environ["wsgi.input"].getvalue(), int(length), announced)
    except aws_chunked.ChunkError as error:
        raise S3Error(error.code, str(error)) from error
    del environ["HTTP_X_AMZ_CONTENT_SHA256"]
    environ["wsgi.input"] = io.BytesIO(decoded.body)
    environ["CONTENT_LENGTH"] = str(len(decoded.body))
    _add_trailers(environ, decoded.trailers)


def _add_trailers(environ: dict[str, Any], trailers: Mapping[str, str]) -> None:
    prefix = "x-amz-checksum-"
    for name, value in trailers.items():
        if name.startswith(prefix):
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
            environ["HTTP_X_AMZ_SDK_CHECKSUM_ALGORITHM"] = name.removeprefix(prefix).upper()


def _sign_unsigned(environ: dict[str, Any]) -> None:
    """Add a signature to an unsigned request: moto denies unsigned reads. Signatures have been verified before."""
    if "HTTP_AUTHORIZATION" not in environ and "X-Amz-" not in environ.get("QUERY_STRING", ""):
        environ["HTTP_AUTHORIZATION"] = _ANY_SIGNATURE


def _remove_null_version(request: Request) -> None:
    """Remove `versionId=null` from a HEAD request to an unversioned bucket: moto would not find the object."""
    if request.method != "HEAD" or request.args.get("versionId") != "null":
        return
    bucket = find_bucket(read_target(request).bucket)
    if bucket is not None and not bucket.is_versioned:
        replace_query(request.environ, {"versionId": None})
