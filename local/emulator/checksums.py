"""Checksums of S3 objects, computed as in S3.

moto falls back to CRC32 for algorithms without an installed library.
"""

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import xxhash
from anycrc import Model
from moto.s3.exceptions import S3ClientError

Body = Any
"""An object with the buffer protocol: bytes or a memory-mapped file."""

COMPOSITE, FULL_OBJECT = "COMPOSITE", "FULL_OBJECT"

Compute = Callable[[Iterable[Body]], bytes]


def _compute_crc32(bodies: Iterable[Body]) -> bytes:
    value = 0
    for body in bodies:
        value = zlib.crc32(body, value)
    return value.to_bytes(4, "big")


def _make_crc(model: str, size: int) -> Compute:
    def compute(bodies: Iterable[Body]) -> bytes:
        crc = Model(model)
        value = crc.calc(b"")
        for body in bodies:
            value = crc.calc(body, value)
        return int(value).to_bytes(size, "big")

    return compute


def _make_digest(new: Callable[[], Any]) -> Compute:
    def compute(bodies: Iterable[Body]) -> bytes:
        hasher = new()
        for body in bodies:
            hasher.update(body)
        digest: bytes = hasher.digest()
        return digest

    return compute


_FULL_OBJECT: Mapping[str, Compute] = {
    "CRC32": _compute_crc32,
    "CRC32C": _make_crc("CRC32C", 4),
    "CRC64NVME": _make_crc("CRC64-NVME", 8),
}
"""Algorithms for which the checksum of an object can be computed from the checksums of the parts."""

_ALGORITHMS: Mapping[str, Compute] = {
    **_FULL_OBJECT,
    "SHA1": _make_digest(lambda: hashlib.sha1(usedforsecurity=False)),
    "SHA256": _make_digest(hashlib.sha256),
    "SHA512": _make_digest(hashlib.sha512),
    "MD5": _make_digest(lambda: hashlib.md5(usedforsecurity=False)),
    "XXHASH64": _make_digest(xxhash.xxh64),
    "XXHASH3": _make_digest(xxhash.xxh3_64),
    "XXHASH128": _make_digest(xxhash.xxh3_128),
}
FULL_OBJECT_ALGORITHMS = frozenset(_FULL_OBJECT)
_NEVER_COMPOSITE = frozenset({"CRC64NVME"})


def compute_checksum(body: Body, algorithm: str, encode_base64: bool = True) -> bytes:
    """Replacement of moto's function of this name. Raises S3ClientError if S3 does not have the algorithm."""
    digest = _get_algorithm(algorithm)([body])
    return base64.b64encode(digest) if encode_base64 else digest


def compute_joined_checksum(bodies: Iterable[Body], algorithm: str) -> str:
    """Return the base64 checksum of the concatenated bodies. Raises S3ClientError if S3 does not have the algorithm."""
    return _encode_base64(_get_algorithm(algorithm)(bodies))


def check_checksum_type(algorithm: str | None, checksum_type: str | None) -> None:
    """Raise S3ClientError, with S3's message, if the algorithm of an upload does not support the checksum type."""
    if algorithm is None:
        return
    _get_algorithm(algorithm)
    full_only, never_full = algorithm in _NEVER_COMPOSITE, algorithm not in _FULL_OBJECT
    if (checksum_type == COMPOSITE and full_only) or (checksum_type == FULL_OBJECT and never_full):
        raise S3ClientError(
            "InvalidRequest",
            f"The {checksum_type} checksum type cannot be used with the {algorithm.lower()} checksum algorithm.",
        )


def combine_part_checksums(
    algorithm: str, checksum_type: str | None, parts: Sequence[Sequence[Body]]
) -> tuple[str, str, int]:
    """Return the checksum of a multipart upload in moto's form: (type, base64 value, number of parts).

    `parts` has the bodies of each part. The default type is FULL_OBJECT for CRC64NVME and COMPOSITE for other algorithms.
    """
    check_checksum_type(algorithm, checksum_type)
    compute = _get_algorithm(algorithm)
    checksum_type = checksum_type or (FULL_OBJECT if algorithm in _NEVER_COMPOSITE else COMPOSITE)
    if checksum_type == FULL_OBJECT:
        return (
            checksum_type,
            _encode_base64(compute(body for bodies in parts for body in bodies)),
            1,
        )
    return checksum_type, _encode_base64(compute([compute(bodies) for bodies in parts])), len(parts)


def _get_algorithm(algorithm: str) -> Compute:
    try:
        return _ALGORITHMS[algorithm.upper()]
    except KeyError:
        raise S3ClientError(
            "InvalidRequest",
            f"Checksum algorithm provided is unsupported: {algorithm}. "
            f"Use one of {', '.join(_ALGORITHMS)}.",
        ) from None


def _encode_base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
