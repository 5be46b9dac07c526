"""S3's checks of a body against the digests and checksums in the request headers, which moto skips."""

import base64
import hashlib
import re
from typing import Any

from local.emulator.checksums import compute_checksum
from local.emulator.s3_requests import S3Error, read_checksum_headers

_SHA256 = re.compile(r"[0-9a-f]{64}")


def check_integrity(request: Any) -> None:
    """Raise S3Error for the first mismatch between the body and the headers of a werkzeug request. The body is in memory.

    Raises S3ClientError for an unknown checksum algorithm.
    """
    body = request.environ["wsgi.input"].getbuffer()
    stated = request.headers.get("x-amz-content-sha256", "")
    if _SHA256.fullmatch(stated) and hashlib.sha256(body).hexdigest() != stated:
        message = "The provided 'x-amz-content-sha256' header does not match what was computed."
        raise S3Error("XAmzContentSHA256Mismatch", message)
    _check_md5(request.headers.get("Content-MD5"), body)
    # CompleteMultipartUpload (POST) has the checksum of the object, not of the body.
    if request.method == "PUT":
        _check_checksum(request, body)


def _check_md5(stated: str | None, body: memoryview) -> None:
    if stated is None:
        return
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    decoded = _decode_base64(stated)
    if decoded is None or len(decoded) != len(digest):
        raise S3Error("InvalidDigest", "The Content-MD5 you specified was invalid.")
    if decoded != digest:
        message = "The Content-MD5 you specified did not match what we received."
        raise S3Error("BadDigest", message)


def _check_checksum(request: Any, body: memoryview) -> None:
    """Check for at most one checksum header, with the algorithm of x-amz-sdk-checksum-algorithm, and compare the value."""
    checksums = list(read_checksum_headers(request))
    if len(checksums) > 1:
        message = (
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        )
        raise S3Error("InvalidRequest", message)
    used = request.headers.get("x-amz-sdk-checksum-algorithm")
    for algorithm, stated in checksums:
        if used and used.upper() != algorithm:
            message = "Value for x-amz-sdk-checksum-algorithm header is invalid."
            raise S3Error("InvalidRequest", message)
        digest = compute_checksum(body, algorithm, encode_base64=False)
        decoded = _decode_base64(stated)
        if decoded is None or len(decoded) != len(digest):
            message = f"Value for x-amz-checksum-{algorithm.lower()} header is invalid."
            raise S3Error("InvalidRequest", message)
        if decoded != digest:
            message = f"The {algorithm} you specified did not match the calculated checksum."
            raise S3Error("BadDigest", message)


def _decode_base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None
