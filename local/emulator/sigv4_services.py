"""Signature Version 4 as S3 and the other AWS services verify it.

S3 accepts signatures in the Authorization header and in presigned URLs, of the body, of its chunks, or of the headers only.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from werkzeug.wrappers import Request, Response

from local.emulator import aws_chunked, sigv4
from local.emulator.clients import REGION
from local.emulator.error_responses import get_signing_service, is_for_s3, make_error_response
from local.emulator.gateway import Application
from local.emulator.sigv4 import INCOMPLETE, MISMATCH, UNKNOWN, Keys, SignsGivenHeaders, User

_UNSIGNED_BODIES = ("UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
_SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
_CHUNK, _TRAILER = "AWS4-HMAC-SHA256-PAYLOAD", "AWS4-HMAC-SHA256-TRAILER"
_MAX_EXPIRES_SECONDS = 604_800
_UNSUPPORTED_VERSION = (
    "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256 "
    '(boto3 presigns so with Config(signature_version="s3v4")).'
)
_UNSUPPORTED_FORM = (
    "The local emulator does not verify signatures of POST forms. Use a presigned URL of a PUT request, or run the emulator "
    "without AUTH=strict."
)
_EXPIRES_NO_NUMBER = "X-Amz-Expires should be a number"
_EXPIRES_TOO_LONG = (
    "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
    f"{_MAX_EXPIRES_SECONDS} seconds"
)
_EXPIRES = re.compile(r"0*(\d{1,10})", re.ASCII)
_EMPTY = sha256(b"").hexdigest()


class _Signer(SignsGivenHeaders, S3SigV4Auth):
    pass


class _PresignedSigner(_Signer):
    def payload(self, request: Any) -> str:
        return "UNSIGNED-PAYLOAD"


@dataclass(slots=True)
class SignatureVerifier:
    """A WSGI application that rejects requests without a valid signature, if `get_keys` returns keys.

    `internal_keys` are the keys of the emulator's own components. The body of a request must be in memory.
    """

    application: Application
    get_keys: Callable[[], Keys | None]
    internal_keys: Keys

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        keys = self.get_keys()
        if keys is not None:
            request = Request(environ)
            fault = _find_fault(request, {**keys, **self.internal_keys}, datetime.now(UTC))
            environ["wsgi.input"].seek(0)
            if fault:
                return _make_error_response(request, fault)(environ, start_response)
        return self.application(environ, start_response)


def _make_error_response(request: Request, fault: str) -> Response:
    if not is_for_s3(request):
        return make_error_response(request, 403, "InvalidSignatureException", fault)
    if fault in (_EXPIRES_NO_NUMBER, _EXPIRES_TOO_LONG):
        return make_error_response(request, 400, "AuthorizationQueryParametersError", fault)
    code = "SignatureDoesNotMatch" if fault == MISMATCH else "AccessDenied"
    return make_error_response(request, 403, code, fault)


def _find_fault(request: Request, keys: Keys, now: datetime) -> str:
    if "AWSAccessKeyId" in request.args or request.headers.get("Authorization", "").startswith(
        "AWS "
    ):
        return _UNSUPPORTED_VERSION
    if "X-Amz-Signature" in request.args and is_for_s3(request):
        return _find_presigned_fault(request, keys, now)
    if request.mimetype == "multipart/form-data" and "Authorization" not in request.headers:
        return _UNSUPPORTED_FORM
    if get_signing_service(request) == "s3":
        return sigv4.find_fault(request, keys, REGION, now, _find_s3_mismatch)
    return sigv4.find_fault(request, keys, REGION, now)


def _find_s3_mismatch(
    request: Request, authorization: Mapping[str, str], user: User, timestamp: str
) -> str:
    signed_headers = set(authorization["headers"].split(";"))
    stated = request.headers.get("X-Amz-Content-SHA256", "")
    body = request.environ["wsgi.input"].getvalue()
    unhashed = (*_UNSIGNED_BODIES, _SIGNED_CHUNKS, f"{_SIGNED_CHUNKS}-TRAILER")
    if not sigv4.list_required_headers(request) <= signed_headers:
        return MISMATCH
    if stated not in unhashed and stated != sha256(body).hexdigest():
        return MISMATCH
    signer = _Signer(Credentials(authorization["key"], user.secret), "s3", authorization["region"])
    received: Any = AWSRequest(request.method, sigv4.get_received_url(request))
    expected = sigv4.sign_request(signer, received, request, timestamp, signed_headers)
    if not sigv4.is_same_signature(expected, authorization["signature"]):
        return MISMATCH
    if stated.startswith(_SIGNED_CHUNKS):
        announced = request.headers.get("x-amz-trailer", "")
        return _find_chunk_mismatch(signer, received, authorization["signature"], body, announced)
    return ""


def _find_chunk_mismatch(
    signer: Any, received: Any, seed_signature: str, body: bytes, announced: str
) -> str:
    """Verify the chain of chunk signatures: each covers the previous signature, the first the seed signature."""
    try:
        decoded = aws_chunked.decode(body, None, announced)
    except aws_chunked.ChunkError:
        return ""  # s3.py rejects the body with the error of the decoder
    scope = (received.context["timestamp"], signer.credential_scope(received))

    def sign(algorithm: str, *rest: str) -> str:
        return str(signer.signature("\n".join((algorithm, *scope, *rest)), received))

    previous = seed_signature
    for chunk in decoded.chunks:
        expected = sign(_CHUNK, previous, _EMPTY, sha256(chunk.data).hexdigest())
        if not sigv4.is_same_signature(expected, chunk.signature):
            return MISMATCH
        previous = expected
    stated = decoded.trailers.get(aws_chunked.TRAILER_SIGNATURE, "")
    text = "".join(
        f"{name}:{value}\n"
        for name, value in decoded.trailers.items()
        if name != aws_chunked.TRAILER_SIGNATURE
    )
    if not text:
        return ""
    expected = sign(_TRAILER, previous, sha256(text.encode()).hexdigest())
    return "" if sigv4.is_same_signature(expected, stated) else MISMATCH


def _find_presigned_fault(request: Request, keys: Keys, now: datetime) -> str:
    key, _, scope = request.args.get("X-Amz-Credential", "").partition("/")
    day, _, service_scope = scope.partition("/")
    user = keys.get(key)
    if not user or "X-Amz-Security-Token" in request.args:
        return UNKNOWN
    if service_scope != f"{REGION}/s3/aws4_request":
        return f"Credential should be scoped to the region {REGION} and to s3, not to '{service_scope}'."
    timestamp, expires = request.args.get("X-Amz-Date", ""), request.args.get("X-Amz-Expires", "")
    signed_at = _parse_timestamp(timestamp)
    if signed_at is None or not expires:
        return INCOMPLETE
    if not expires.isascii() or not expires.isdigit():
        return _EXPIRES_NO_NUMBER
    seconds = _EXPIRES.fullmatch(expires)
    if not seconds or int(seconds[1]) > _MAX_EXPIRES_SECONDS:
        return _EXPIRES_TOO_LONG
    if now - signed_at > timedelta(seconds=int(seconds[1])):
        return "Request has expired"
    date_fault = sigv4.find_date_fault(timestamp, day, min(now, signed_at))
    return date_fault or _find_presigned_mismatch(request, key, user, timestamp)


def _parse_timestamp(timestamp: str) -> datetime | None:
    try:
        return datetime.strptime(timestamp, sigv4.DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None


def _find_presigned_mismatch(request: Request, key: str, user: User, timestamp: str) -> str:
    """Verify the signature of a presigned URL, which covers the URL without the signature."""
    signed_headers = set(request.args.get("X-Amz-SignedHeaders", "").split(";"))
    if not sigv4.list_required_headers(request) <= signed_headers:
        return MISMATCH
    parts = urlsplit(sigv4.get_received_url(request))
    members = [
        member for member in parts.query.split("&") if not member.startswith("X-Amz-Signature=")
    ]
    url = urlunsplit(parts._replace(query="&".join(members)))
    signer = _PresignedSigner(Credentials(key, user.secret), "s3", REGION)
    expected = sigv4.sign_request(
        signer, AWSRequest(request.method, url), request, timestamp, signed_headers
    )
    received = request.args["X-Amz-Signature"]
    return "" if sigv4.is_same_signature(expected, received) else MISMATCH
