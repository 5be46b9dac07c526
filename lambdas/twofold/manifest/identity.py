"""Which texts are the same: images by their source-ref, groups by their key.

Indexes and samples use 64-bit XXH3 hashes. Texts with equal ones can be made on purpose, so wherever two hashes meet, an
identity decides: 128 bits of BLAKE2b, for which nobody can make two texts. It is computed for texts whose hashes meet alone,
since it costs ten times as much.
"""

from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from itertools import count

import numpy as np
import orjson
from numpy.typing import NDArray

from twofold.errors import DamagedObjectError

Hashes = NDArray[np.uint64]
Identities = NDArray[np.uint64]
"""uint64[n, 2]"""

ReadLines = Callable[[NDArray[np.uint64], NDArray[np.uint32]], Iterable[bytes]]
"""The lines at these offsets, which ascend, with these lengths."""

_CHUNK = 1 << 17


def reading(text: bytes | bytearray) -> ReadLines:
    """Of lines of a text."""

    def read(start: NDArray[np.uint64], length: NDArray[np.uint32]) -> Iterator[bytes]:
        for at, size in zip(start.tolist(), length.tolist(), strict=True):
            yield bytes(text[at : at + size])

    return read


def canonical(source_ref: str) -> str:
    """The scheme of an S3 URI may be written `S3`, as AWS's guide does; it is the same image."""
    return "s" + source_ref[1:] if source_ref.startswith("S3://") else source_ref


def spellings(source_ref: str) -> tuple[str, str]:
    """Both source-refs whose canonical form this is."""
    return source_ref, "S" + source_ref[1:]


def identity(text: str) -> bytes:
    """16 bytes that no other text has."""
    return blake2b(text.encode(), digest_size=16).digest()


def source_identity(source_ref: str) -> bytes:
    return identity(canonical(source_ref))


def as_identities(identities: Iterable[bytes]) -> Identities:
    return np.frombuffer(b"".join(identities), ">u8").astype(np.uint64).reshape(-1, 2)


def read_identities(lines: Iterable[bytes]) -> Identities:
    """Of the images of lines that are entries; raises DamagedObjectError for a line that is none."""
    try:
        return as_identities(source_identity(orjson.loads(line)["source-ref"]) for line in lines)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedObjectError("A line is not as it was indexed.") from error


def repeated(hashes: Hashes) -> Hashes:
    """The hashes that occur more than once, ascending, each once."""
    ordered = np.sort(hashes)
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])


def places_of(hashes: Hashes, wanted: Hashes, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Where the chosen hashes are one of the wanted; in chunks, to bound memory."""
    found = [np.empty(0, np.int64)]
    for start in range(0, hashes.size if wanted.size else 0, _CHUNK):
        part = slice(start, start + _CHUNK)
        found.append(np.flatnonzero(chosen[part] & np.isin(hashes[part], wanted)) + start)
    return np.concatenate(found)


def first_of_each(identities: Identities) -> NDArray[np.int64]:
    """Of each identity the position at which it occurs first."""
    order = np.lexsort((identities[:, 1], identities[:, 0]))  # stable: equal ones stay in order
    ordered = identities[order]
    is_new = np.ones(order.size, np.bool_)
    is_new[1:] = np.any(ordered[1:] != ordered[:-1], axis=1)
    firsts = np.empty(order.size, np.int64)
    firsts[order] = order[is_new][np.cumsum(is_new) - 1]
    return firsts


def contains(known: Identities, wanted: Identities) -> NDArray[np.bool_]:
    """Of each wanted identity, whether it is among the known ones."""
    known = known[np.lexsort((known[:, 1], known[:, 0]))]
    found = np.zeros(len(wanted), np.bool_)
    place = np.searchsorted(known[:, 0], wanted[:, 0])
    left = np.arange(len(wanted))
    while (
        left.size
    ):  # once more for each further known identity with the same first half: next to never
        left = left[place[left] < len(known)]
        left = left[known[place[left], 0] == wanted[left, 0]]
        found[left] |= known[place[left], 1] == wanted[left, 1]
        place[left] += 1
    return found


def runs_of(
    start: NDArray[np.uint64], length: NDArray[np.uint32], gap: int, most: int
) -> Iterator[tuple[int, int]]:
    """Runs [first, last) of lines that may be read at once: less than `gap` bytes between them, about `most` in all."""
    first = 0
    for line in range(1, start.size):
        begins, ended = int(start[line]), int(start[line - 1]) + int(length[line - 1])
        if begins > ended + gap or begins - int(start[first]) > most:
            yield first, line
            first = line
    if start.size:
        yield first, start.size


def separated(hashes: Hashes, shared: NDArray[np.int64], identities: Identities) -> Hashes:
    """The hashes with another word for each of the texts at `shared`, whose hash a different text has: no two are equal.

    The word is 64 bits of a BLAKE2b of the identity, salted with the least number for which all words are distinct. So words
    depend on the texts alone, not on their order.
    """
    if not shared.size:
        return hashes
    plain = [bytes(each) for each in identities.astype(">u8")]
    words = hashes.copy()
    for salt in count(1):
        words[shared] = [_word(each, salt) for each in plain]
        if not repeated(words).size:
            break
    return words


def _word(plain: bytes, salt: int) -> int:
    return int.from_bytes(blake2b(plain, digest_size=8, salt=salt.to_bytes(16)).digest())


def distinct_sources(
    source: Hashes, start: NDArray[np.uint64], length: NDArray[np.uint32], read: ReadLines
) -> Hashes:
    """A word for each entry that no other has: the hash of its source-ref, but where two hashes meet.

    No two entries are of the same image; `start` and `length` are where their lines are.
    """
    every = np.ones(source.size, np.bool_)
    shared = places_of(source, repeated(source), every)
    if not shared.size:
        return source
    return separated(source, shared, read_identities(read(start[shared], length[shared])))
