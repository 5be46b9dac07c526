"""Distinct sampling keys of texts: source-refs or group keys.

A key is mix(h ^ salt), where h is the low half of XXH3-128 of the text. For texts with equal keys, h is replaced by the first 8
bytes of BLAKE2b(identity, digest_size=8, salt=n). The identity is BLAKE2b(text, digest_size=16), and n, as 16 bytes, is the
least integer from 1 for which all keys differ.

An entry that is a group of its own has the text of its source-ref after SINGLE. The hash h is that of the source-ref alone, the
identity is BLAKE2b(source-ref, digest_size=16, person="single").
"""

from collections import Counter
from collections.abc import Mapping
from hashlib import blake2b
from itertools import count

from twofold_verify.hashes import hash_xxh3_128_low, mix_splitmix64

SINGLE = "\ud800"
"""Half a surrogate pair, which no text of a valid line has."""


def normalize_source_ref(source_ref: str) -> str:
    """Returns the source-ref with a lower-case scheme: `S3://` is a valid spelling of `s3://`."""
    return "s" + source_ref[1:] if source_ref.startswith("S3://") else source_ref


def mark_single(source_ref: str) -> str:
    """Returns the group of an entry that is a group of its own."""
    return SINGLE + source_ref


def hash_group(group: str) -> int:
    return hash_xxh3_128_low(group.removeprefix(SINGLE).encode())


def resolve_key_collisions(keys: Mapping[str, int], salt: int) -> dict[str, int]:
    """Returns new keys for the texts with equal keys, and nothing for the other texts."""
    occurrences = Counter(keys.values())
    if len(occurrences) == len(keys):
        return {}
    shared = [text for text, key in keys.items() if occurrences[key] > 1]
    unique_keys = {key for key, times in occurrences.items() if times == 1}
    for number in count(1):
        new = {text: mix_splitmix64(_hash_with_salt(text, number) ^ salt) for text in shared}
        if len(unique_keys.union(new.values())) == len(keys):
            return new
    raise AssertionError("itertools.count is infinite.")


def _hash_with_salt(text: str, number: int) -> int:
    namespace = b"single" if text.startswith(SINGLE) else b""
    content = text.removeprefix(SINGLE).encode()
    identity = blake2b(content, digest_size=16, person=namespace).digest()
    salted = blake2b(identity, digest_size=8, salt=number.to_bytes(16, "big"))
    return int.from_bytes(salted.digest(), "big")
