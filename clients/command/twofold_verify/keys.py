"""Keys of texts, source-refs or groups, of which no two are equal.

A key is mix(h ^ salt) with h the low half of XXH3-128 of the text. Texts whose keys meet get others: h is then the first 8
bytes of BLAKE2b(identity, digest_size=8, salt=n), the identity being BLAKE2b(text, digest_size=16) and n, as 16 bytes, the
least number from 1 for which all keys differ.
"""

from collections import Counter
from collections.abc import Mapping
from hashlib import blake2b
from itertools import count

from twofold_verify.hashes import splitmix64


def canonical(source_ref: str) -> str:
    """The scheme of an S3 URI may be written `S3`."""
    return "s" + source_ref[1:] if source_ref.startswith("S3://") else source_ref


def differing_keys(keys: Mapping[str, int], salt: int) -> dict[str, int]:
    """New keys for the texts whose keys meet; none for the others."""
    times = Counter(keys.values())
    if len(times) == len(keys):
        return {}
    shared = [text for text, key in keys.items() if times[key] > 1]
    others = {key for key, seen in times.items() if seen == 1}
    for number in count(1):
        new = {text: splitmix64(_word(text, number) ^ salt) for text in shared}
        if len(others.union(new.values())) == len(keys):
            return new
    raise AssertionError("Numbers do not end.")


def _word(text: str, number: int) -> int:
    identity = blake2b(text.encode(), digest_size=16).digest()
    salted = blake2b(identity, digest_size=8, salt=number.to_bytes(16, "big"))
    return int.from_bytes(salted.digest(), "big")
