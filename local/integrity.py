"""What S3 compares of a body with the headers that describe it, which moto believes."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Any

from moto.s3.exceptions import S3ClientError

from local.checksums import compute_checksum

_CHECKSUM = re.compile(r"x-amz-checksum-(?!algorithm$|type$|mode$)(?P<algorithm>[a-z0-9]+)")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Damage:
    """What is wrong, as S3 calls it; S3 answers with HTTP 400."""

    code: str
    message: str


def find_damage(request: Any) -> Damage | None:
    """The first header of a werkzeug request that its body contradicts. The body has been read into memory."""
    body = request.environ["wsgi.input"].getbuffer()
    claimed = request.headers.get("x-amz-content-sha256", "")
    if _SHA256.fullmatch(claimed) and hashlib.sha256(body).hexdigest() != claimed:
        message = "The provided 'x-amz-content-sha256' header does not match what was computed."
        return Damage("XAmzContentSHA256Mismatch", message)
    return _compare_md5(request.headers.get("Content-MD5"), body) or _compare_checksums(
        request, body
    )


def _compare_md5(claimed: str | None, body: memoryview) -> Damage | None:
    if claimed is None:
        return None
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    decoded = _decode(claimed)
    if decoded is None or len(decoded) != len(digest):
        return Damage("InvalidDigest", "The Content-MD5 you specified was invalid.")
    if decoded != digest:
        return Damage("BadDigest", "The Content-MD5 you specified did not match what we received.")
    return None


def _compare_checksums(request: Any, body: memoryview) -> Damage | None:
    """Of a body that is an object or a part; a completed upload has the checksum of the object, not of its body."""
    if request.method != "PUT":
        return None
    for name, claimed in request.headers.items():
        found = _CHECKSUM.fullmatch(name.lower())
        if found is None:
            continue
        algorithm = found["algorithm"].upper()
        try:
            digest = compute_checksum(body, algorithm, encode_base64=False)
        except S3ClientError as error:
            return Damage(error.code, error.message)
        decoded = _decode(claimed)
        if decoded is None or len(decoded) != len(digest):
            return Damage("InvalidRequest", f"Value for {name.lower()} header is invalid.")
        if decoded != digest:
            message = f"The {algorithm} you specified did not match the calculated checksum."
            return Damage("BadDigest", message)
    return None


def _decode(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return None
