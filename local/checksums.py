"""Checksums of S3 objects, as S3 computes them.

moto computes a CRC32 where it finds no library for the algorithm asked for.
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
"""Anything with a buffer: bytes or a map of a file."""

COMPOSITE, FULL_OBJECT = "COMPOSITE", "FULL_OBJECT"

Compute = Callable[[Iterable[Body]], bytes]


def _crc32(bodies: Iterable[Body]) -> bytes:
    value = 0
    for body in bodies:
        value = zlib.crc32(body, value)
    return value.to_bytes(4, "big")


def _crc(model: str, size: int) -> Compute:
    def compute(bodies: Iterable[Body]) -> bytes:
        crc = Model(model)
        value = crc.calc(b"")
        for body in bodies:
            value = crc.calc(body, value)
        return int(value).to_bytes(size, "big")

    return compute


def _digest(new: Callable[[], Any]) -> Compute:
    def compute(bodies: Iterable[Body]) -> bytes:
        hasher = new()
        for body in bodies:
            hasher.update(body)
        digest: bytes = hasher.digest()
        return digest

    return compute


_FULL_OBJECT: Mapping[str, Compute] = {
    "CRC32": _crc32,
    "CRC32C": _crc("CRC32C", 4),
    "CRC64NVME": _crc("CRC64-NVME", 8),
}
"""Those whose value for a whole object follows from the values of its parts."""

_ALGORITHMS: Mapping[str, Compute] = {
    **_FULL_OBJECT,
    "SHA1": _digest(lambda: hashlib.sha1(usedforsecurity=False)),
    "SHA256": _digest(hashlib.sha256),
    "SHA512": _digest(hashlib.sha512),
    "MD5": _digest(lambda: hashlib.md5(usedforsecurity=False)),
    "XXHASH64": _digest(xxhash.xxh64),
    "XXHASH3": _digest(xxhash.xxh3_64),
    "XXHASH128": _digest(xxhash.xxh3_128),
}
_ONLY_FULL_OBJECT = frozenset({"CRC64NVME"})


def compute_checksum(body: Body, algorithm: str, encode_base64: bool = True) -> bytes:
    """In moto's place and with its signature. Raises S3ClientError for an algorithm that S3 does not have."""
    digest = _find(algorithm)([body])
    return base64.b64encode(digest) if encode_base64 else digest


def check_type(algorithm: str | None, kind: str | None) -> None:
    """Raises S3ClientError, in S3's words, for a type of checksum that the algorithm of an upload does not have."""
    if algorithm is None:
        return
    _find(algorithm)
    full_only, never_full = algorithm in _ONLY_FULL_OBJECT, algorithm not in _FULL_OBJECT
    if (kind == COMPOSITE and full_only) or (kind == FULL_OBJECT and never_full):
        raise S3ClientError(
            "InvalidRequest",
            f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum algorithm.",
        )


def combine_parts(
    algorithm: str, kind: str | None, parts: Sequence[Sequence[Body]]
) -> tuple[str, str, int]:
    """The checksum of an upload, as moto keeps it: (type, value in base64, number of parts).

    `parts` are the bodies of each part. By default S3 takes the type COMPOSITE, but for CRC64NVME, which has only FULL_OBJECT.
    """
    check_type(algorithm, kind)
    compute = _find(algorithm)
    kind = kind or (FULL_OBJECT if algorithm in _ONLY_FULL_OBJECT else COMPOSITE)
    if kind == FULL_OBJECT:
        return kind, _text(compute(body for bodies in parts for body in bodies)), 1
    return kind, _text(compute([compute(bodies) for bodies in parts])), len(parts)


def _find(algorithm: str) -> Compute:
    try:
        return _ALGORITHMS[algorithm.upper()]
    except KeyError:
        raise S3ClientError(
            "InvalidRequest",
            f"Checksum algorithm provided is unsupported: {algorithm}. "
            f"Use one of {', '.join(_ALGORITHMS)}.",
        ) from None


def _text(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
