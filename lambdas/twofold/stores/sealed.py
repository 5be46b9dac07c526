"""Sealed objects: messages between states, each followed by a checksum of key and bytes.

The seal detects a damaged object, and an object under the wrong key.
"""

from collections.abc import Iterable, Iterator

from xxhash import xxh3_64_digest

from twofold.errors import DamagedObjectError
from twofold.stores.objects import Bucket

SEAL_BYTES = 8


def put(bucket: Bucket, key: str, body: bytes | bytearray) -> None:
    bucket.put(key, body + _compute_seal(key, body))


def get(bucket: Bucket, key: str) -> bytes:
    """Return the body. Raises LostObjectError, DamagedObjectError."""
    return _verify_seal(key, bucket.get(key))


def get_all(bucket: Bucket, keys: Iterable[str]) -> Iterator[bytes]:
    """Yield the bodies in the order of the keys, fetched in parallel. Raises LostObjectError, DamagedObjectError."""
    ordered_keys = list(keys)
    for key, data in zip(ordered_keys, bucket.get_all(ordered_keys), strict=True):
        yield _verify_seal(key, data)


def _verify_seal(key: str, data: bytes) -> bytes:
    body = data[:-SEAL_BYTES]
    if data[-SEAL_BYTES:] != _compute_seal(key, body):
        raise DamagedObjectError(f"{key} does not match its checksum.")
    return body


def _compute_seal(key: str, body: bytes | bytearray) -> bytes:
    return xxh3_64_digest(key.encode() + b"\0" + body)
