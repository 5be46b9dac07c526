"""Hashes and identities of source-refs and group keys.

A hash is 64 bits of XXH3: fast, but texts with equal hashes can be made on purpose. An identity is 128 bits of BLAKE2b: nobody
can make two texts with equal identities. An identity costs ten times as much as a hash, so only texts with equal hashes get an
identity (`hash_collisions`).
"""

from hashlib import blake2b

from xxhash import xxh3_128_digest

_LOW_64 = (1 << 64) - 1

hash_source_bytes = xxh3_128_digest
"""The hash of a UTF-8 source-ref: 16 bytes, the most significant first. Indexes keep the last 8."""


def hash_source_ref(source_ref: str) -> tuple[int, int]:
    """Return `hash_source_bytes` as (low, high) 64-bit halves."""
    digest = int.from_bytes(hash_source_bytes(source_ref.encode()))
    return digest & _LOW_64, digest >> 64


def extract_file_name(source_ref: bytes) -> bytes:
    """Return the text after the last slash, or the whole text if nothing follows the slash."""
    return source_ref.rpartition(b"/")[2] or source_ref


def normalize_source_ref(source_ref: str) -> str:
    """Return the source-ref with the scheme `s3`. It may be `S3`, as in AWS's guide, and names the same image."""
    return "s" + source_ref[1:] if source_ref.startswith("S3://") else source_ref


def list_spellings(source_ref: str) -> tuple[str, str]:
    """Return both spellings of a normalized source-ref."""
    return source_ref, "S" + source_ref[1:]


def compute_identity(text: str, namespace: bytes = b"") -> bytes:
    """Return 16 bytes, distinct for distinct texts and namespaces (of at most 16 bytes)."""
    return blake2b(text.encode(), digest_size=16, person=namespace).digest()


def compute_source_identity(source_ref: str) -> bytes:
    """Return the identity of an image: equal for both spellings of the source-ref."""
    return compute_identity(normalize_source_ref(source_ref))


def compute_key_identity(source_ref: str) -> bytes:
    """Return the identity of an image within its bucket: that of the key in `s3://bucket/key`. Any text has one."""
    return compute_identity(source_ref.partition("://")[2].partition("/")[2])
