"""Different texts with equal XXH3, and label sets with equal sums of words, made as anybody can make them.

XXH3 has no key, and its constants are public.

Of a text over 240 bytes XXH3 sums up, for each of eight lanes, the lane's 8 bytes in every stretch of 64, and the products of
their halves after an exclusive or with constants. Two places of one lane are chosen so that the lower halves are equal after
the exclusive or; a bit in which the constants of the upper halves agree is then moved from one place to the other. Neither of
the two sums changes, and everything that follows, be it 64 or 128 bits, is equal. Printable characters are enough.
"""

from collections.abc import Iterator
from itertools import combinations, islice, product

from xxhash import xxh3_64_digest, xxh3_128_digest

from twofold_verify.hashes import _SECRET

STRIPES, STRIPE, LANE, SIZE = range(1, 8), 64, 8, 600
_LETTERS = (
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!*'();:@&=+$,?#[] ^~|<>{}"
)

EQUAL_SUMS = [
    (("label 4520808", "label 3190610"), ("label 8284548", "label 1640630")),
    (("label 6654669", "label 2186157"), ("label 3495738", "label 2193181")),
    (("label 1394304", "label 2820609"), ("label 2817714", "label 6104943")),
    (("label 1147929", "label 3935383"), ("label 6843960", "label 6227530")),
    (("label 7321283", "label 2442667"), ("label 7787960", "label 7905107")),
    (("label 4292843", "label 850813"), ("label 7605836", "label 4217382")),
]
"""Label sets of which two have one sum of words: found among 2**23 names, sorted by the lower 22 bits, in ten seconds."""

Bit = tuple[int, int]
"""Where two bytes are, of which one has a bit more than the other."""


def _constant(stripe: int, lane: int) -> bytes:
    return _SECRET[8 * (stripe + lane) : 8 * (stripe + lane + 1)]


def _equal_halves(one: bytes, other: bytes) -> tuple[bytes, bytes] | None:
    """Letters of two lower halves that are equal after the exclusive or with these constants."""
    halves = []
    for a, b in zip(one[:4], other[:4], strict=True):
        found = ((x, y) for x in _LETTERS for y in _LETTERS if x ^ y == a ^ b)
        if (pair := next(found, None)) is None:
            return None
        halves.append(pair)
    first, second = zip(*halves, strict=True)
    return bytes(first), bytes(second)


def _prepare(text: bytearray) -> Iterator[Bit]:
    """Writes the lower halves, and yields the bits of the upper ones that can be moved."""
    for lane in range(8):
        for one, other in combinations(STRIPES, 2):
            constants = _constant(one, lane), _constant(other, lane)
            if halves := _equal_halves(*constants):
                places = [STRIPE * stripe + LANE * lane for stripe in (one, other)]
                for place, half in zip(places, halves, strict=True):
                    text[place : place + 4] = half
                    text[place + 4 : place + 8] = b"bbbb"
                for byte in range(4, 8):
                    if (constants[0][byte] ^ constants[1][byte]) & 1 == 0:
                        yield places[0] + byte, places[1] + byte
                break


def colliding(count: int, prefix: str = "s3://example-images/") -> list[str]:
    """So many texts of this prefix (of 64 bytes at most) with equal XXH3 of 64 and of 128 bits."""
    text = bytearray(b"x" * SIZE)
    text[: len(prefix)] = prefix.encode()
    text[-4:] = b".jpg"
    bits = list(_prepare(text))
    texts = []
    for choice in islice(product((0, 1), repeat=len(bits)), count):
        for (one, other), moved in zip(bits, choice, strict=True):
            text[one], text[other] = (ord("b"), ord("c")) if moved else (ord("c"), ord("b"))
        texts.append(text.decode())
    encoded = [each.encode() for each in texts]
    assert len(set(texts)) == count
    assert len(set(map(xxh3_128_digest, encoded))) == len(set(map(xxh3_64_digest, encoded))) == 1
    return texts
