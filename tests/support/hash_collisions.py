"""Different texts with equal XXH3 hashes, and label sets with equal hash sums, made without any secret.

XXH3 has no key, and its constants are public.

For a text over 240 bytes, XXH3 has eight lanes of 8 bytes in every 64 bytes. For each lane, XXH3 adds up the bytes, and the
products of the two halves after an exclusive or with constants. The program selects two positions of a lane and makes the lower
halves equal after the exclusive or. Then a bit can move from an upper half to the other, if the constants agree in this bit,
and neither sum changes. So the hashes are equal, of 64 and of 128 bits. Printable characters are enough.
"""

from collections.abc import Iterator
from itertools import combinations, islice, product

from xxhash import xxh3_64_digest, xxh3_128_digest

from twofold_verify.hashes import _SECRET

STRIPES, STRIPE, LANE, SIZE = range(1, 8), 64, 8, 600
_LETTERS = (
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!*'();:@&=+$,?#[] ^~|<>{}"
)

EQUAL_SUM_SETS = [
    (("label 4520808", "label 3190610"), ("label 8284548", "label 1640630")),
    (("label 6654669", "label 2186157"), ("label 3495738", "label 2193181")),
    (("label 1394304", "label 2820609"), ("label 2817714", "label 6104943")),
    (("label 1147929", "label 3935383"), ("label 6843960", "label 6227530")),
    (("label 7321283", "label 2442667"), ("label 7787960", "label 7905107")),
    (("label 4292843", "label 850813"), ("label 7605836", "label 4217382")),
]
"""Pairs of label sets with equal hash sums. A search of 2**23 names, sorted by the lower 22 bits, took ten seconds."""

Bit = tuple[int, int]
"""The positions of two bytes; a bit can move from one byte to the other."""


def _get_constant(stripe: int, lane: int) -> bytes:
    return _SECRET[8 * (stripe + lane) : 8 * (stripe + lane + 1)]


def _find_equal_halves(first_constant: bytes, second_constant: bytes) -> tuple[bytes, bytes] | None:
    """Return letters for two lower halves that are equal after the exclusive or with these constants."""
    halves = []
    for a, b in zip(first_constant[:4], second_constant[:4], strict=True):
        pairs = ((x, y) for x in _LETTERS for y in _LETTERS if x ^ y == a ^ b)
        if (pair := next(pairs, None)) is None:
            return None
        halves.append(pair)
    first, second = zip(*halves, strict=True)
    return bytes(first), bytes(second)


def _write_lower_halves(text: bytearray) -> Iterator[Bit]:
    """Write the lower halves, and yield the movable bits of the upper halves."""
    for lane in range(8):
        for stripes in combinations(STRIPES, 2):
            constants = _get_constant(stripes[0], lane), _get_constant(stripes[1], lane)
            if halves := _find_equal_halves(*constants):
                offsets = [STRIPE * stripe + LANE * lane for stripe in stripes]
                for offset, half in zip(offsets, halves, strict=True):
                    text[offset : offset + 4] = half
                    text[offset + 4 : offset + 8] = b"bbbb"
                for byte in range(4, 8):
                    if (constants[0][byte] ^ constants[1][byte]) & 1 == 0:
                        yield offsets[0] + byte, offsets[1] + byte
                break


def make_colliding_texts(count: int, prefix: str = "s3://example-images/") -> list[str]:
    """Return `count` texts with equal XXH3 hashes, of 64 and of 128 bits. The prefix has at most 64 bytes."""
    text = bytearray(b"x" * SIZE)
    text[: len(prefix)] = prefix.encode()
    text[-4:] = b".jpg"
    bits = list(_write_lower_halves(text))
    texts = []
    for choice in islice(product((0, 1), repeat=len(bits)), count):
        for (first, second), moved in zip(bits, choice, strict=True):
            text[first], text[second] = (ord("b"), ord("c")) if moved else (ord("c"), ord("b"))
        texts.append(text.decode())
    encoded = [text.encode() for text in texts]
    assert len(set(texts)) == count
    assert len(set(map(xxh3_128_digest, encoded))) == len(set(map(xxh3_64_digest, encoded))) == 1
    return texts
