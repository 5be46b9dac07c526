"""Objects that one state of a workflow leaves for another, with a checksum of their key and bytes behind them.

So an object that was damaged, or that lies where another one belongs, is told from the one that was written.
"""

from collections.abc import Iterable, Iterator

from xxhash import xxh3_64_digest

from twofold.errors import DamagedObjectError
from twofold.stores.objects import Bucket

SEAL_BYTES = 8


def put(bucket: Bucket, key: str, body: bytes | bytearray) -> None:
    bucket.put(key, body + _seal(key, body))


def get(bucket: Bucket, key: str) -> bytes:
    """Raises LostObjectError, DamagedObjectError."""
    return _opened(key, bucket.get(key))


def get_all(bucket: Bucket, keys: Iterable[str]) -> Iterator[bytes]:
    """Objects in the order of the keys, fetched side by side; raises LostObjectError, DamagedObjectError."""
    wanted = list(keys)
    for key, data in zip(wanted, bucket.get_all(wanted), strict=True):
        yield _opened(key, data)


def _opened(key: str, data: bytes) -> bytes:
    body = data[:-SEAL_BYTES]
    if data[-SEAL_BYTES:] != _seal(key, body):
        raise DamagedObjectError(f"{key} is not as it was written.")
    return body


def _seal(key: str, body: bytes | bytearray) -> bytes:
    return xxh3_64_digest(key.encode() + b"\0" + body)
