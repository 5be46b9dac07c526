"""S3's checks of a body against the digests and checksums in the request headers, which moto skips."""

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Any

from moto.s3.exceptions import S3ClientError

from local.emulator.checksums import compute_checksum

_CHECKSUM = re.compile(r"x-amz-checksum-(?!algorithm$|type$|mode$)(?P<algorithm>[a-z0-9]+)")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class IntegrityFault:
    """S3's error code and message for a body that does not match the headers. S3 responds with HTTP 400."""

    code: str
    message: str


def find_integrity_fault(request: Any) -> IntegrityFault | None:
    """Return the first mismatch between the body and the headers of a werkzeug request, or None. The body is in memory."""
    body = request.environ["wsgi.input"].getbuffer()
    stated = request.headers.get("x-amz-content-sha256", "")
    if _SHA256.fullmatch(stated) and hashlib.sha256(body).hexdigest() != stated:
        message = "The provided 'x-amz-content-sha256' header does not match what was computed."
        return IntegrityFault("XAmzContentSHA256Mismatch", message)
    return _compare_md5(request.headers.get("Content-MD5"), body) or _compare_checksums(
        request, body
    )


def _compare_md5(stated: str | None, body: memoryview) -> IntegrityFault | None:
    if stated is None:
        return None
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    decoded = _decode_base64(stated)
    if decoded is None or len(decoded) != len(digest):
        return IntegrityFault("InvalidDigest", "The Content-MD5 you specified was invalid.")
    if decoded != digest:
        return IntegrityFault(
            "BadDigest", "The Content-MD5 you specified did not match what we received."
        )
    return None


def _compare_checksums(request: Any, body: memoryview) -> IntegrityFault | None:
    """Compare the checksum headers of a PUT: the body is an object or a part.

    CompleteMultipartUpload (POST) has the checksum of the object, not of the body.
    """
    if request.method != "PUT":
        return None
    fault = _check_algorithms(request)
    if fault:
        return fault
    for name, stated in request.headers.items():
        match = _CHECKSUM.fullmatch(name.lower())
        if match is None:
            continue
        algorithm = match["algorithm"].upper()
        try:
            digest = compute_checksum(body, algorithm, encode_base64=False)
        except S3ClientError as error:
            return IntegrityFault(error.code, error.message)
        decoded = _decode_base64(stated)
        if decoded is None or len(decoded) != len(digest):
            return IntegrityFault("InvalidRequest", f"Value for {name.lower()} header is invalid.")
        if decoded != digest:
            message = f"The {algorithm} you specified did not match the calculated checksum."
            return IntegrityFault("BadDigest", message)
    return None


def _check_algorithms(request: Any) -> IntegrityFault | None:
    """Check for at most one checksum header, with the algorithm of x-amz-sdk-checksum-algorithm."""
    matches = [_CHECKSUM.fullmatch(name.lower()) for name, _ in request.headers.items()]
    algorithms = [match["algorithm"].upper() for match in matches if match]
    if len(algorithms) > 1:
        message = (
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        )
        return IntegrityFault("InvalidRequest", message)
    used = request.headers.get("x-amz-sdk-checksum-algorithm")
    if used and algorithms and used.upper() != algorithms[0]:
        message = "Value for x-amz-sdk-checksum-algorithm header is invalid."
        return IntegrityFault("InvalidRequest", message)
    return None


def _decode_base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None
