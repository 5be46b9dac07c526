"""Entries with equal hashes: find such entries, compare the identities of the images, and make hashes distinct.

Equal 64-bit hashes are only a hint, since texts with equal hashes can be made on purpose. So the lines of entries with equal
hashes are read again, and the 128-bit identities of the source-refs decide.
"""

from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from itertools import count

import numpy as np
import orjson
from numpy.typing import NDArray

from twofold.errors import DamagedObjectError
from twofold.manifest.index.source_hashes import compute_source_identity

Hashes = NDArray[np.uint64]
Identities = NDArray[np.uint64]
"""uint64[n, 2]: high and low half of each identity."""

ReadLines = Callable[[NDArray[np.uint64], NDArray[np.uint32]], Iterable[bytes]]
"""Reads the lines at these ascending offsets, with these lengths."""

_CHUNK_HASHES = 1 << 17


def make_line_reader(text: bytes | bytearray) -> ReadLines:
    """Return a function that reads lines of a text in memory."""

    def read(start: NDArray[np.uint64], length: NDArray[np.uint32]) -> Iterator[bytes]:
        for offset, size in zip(start.tolist(), length.tolist(), strict=True):
            yield bytes(text[offset : offset + size])

    return read


def stack_identities(identities: Iterable[bytes]) -> Identities:
    """Return identities of 16 bytes each as an array."""
    return np.frombuffer(b"".join(identities), ">u8").astype(np.uint64).reshape(-1, 2)


def read_identities(lines: Iterable[bytes]) -> Identities:
    """Return the identities of the images of these entries. Raises DamagedObjectError for a line that is no entry."""
    try:
        return stack_identities(
            compute_source_identity(orjson.loads(line)["source-ref"]) for line in lines
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedObjectError("A line is not as it was indexed.") from error


def find_repeated(hashes: Hashes) -> Hashes:
    """Return the distinct values of repeated hashes, ascending."""
    # After sorting, equal hashes are neighbours.
    ordered = np.sort(hashes)
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])


def find_positions(hashes: Hashes, wanted: Hashes, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the positions in the mask with a wanted hash. Works in chunks, to bound memory."""
    positions = [np.empty(0, np.int64)]
    for start in range(0, hashes.size if wanted.size else 0, _CHUNK_HASHES):
        chunk = slice(start, start + _CHUNK_HASHES)
        positions.append(np.flatnonzero(mask[chunk] & np.isin(hashes[chunk], wanted)) + start)
    return np.concatenate(positions)


def find_first_occurrences(identities: Identities) -> NDArray[np.int64]:
    """Return, for each identity, the position of its first occurrence."""
    # The sort is stable: equal identities stay in their order.
    order = np.lexsort((identities[:, 1], identities[:, 0]))
    ordered = identities[order]
    is_first = np.ones(order.size, np.bool_)
    is_first[1:] = np.any(ordered[1:] != ordered[:-1], axis=1)
    firsts = np.empty(order.size, np.int64)
    # The running count of firsts numbers the runs of equal identities.
    firsts[order] = order[is_first][np.cumsum(is_first) - 1]
    return firsts


def match_identities(known: Identities, wanted: Identities) -> NDArray[np.bool_]:
    """Return a mask of the wanted identities among the known identities."""
    ordered = known[np.lexsort((known[:, 1], known[:, 0]))]
    is_known = np.zeros(len(wanted), np.bool_)
    position = np.searchsorted(ordered[:, 0], wanted[:, 0])
    remaining = np.arange(len(wanted))
    # Compare the known identities with an equal first half one after the other; there is almost never a second one.
    while remaining.size:
        remaining = remaining[position[remaining] < len(ordered)]
        remaining = remaining[ordered[position[remaining], 0] == wanted[remaining, 0]]
        is_known[remaining] |= ordered[position[remaining], 1] == wanted[remaining, 1]
        position[remaining] += 1
    return is_known


def iterate_runs(
    start: NDArray[np.uint64], length: NDArray[np.uint32], gap: int, most: int
) -> Iterator[tuple[int, int]]:
    """Yield runs [first, last) of lines to read at once: less than `gap` bytes between lines, about `most` bytes in all."""
    first = 0
    for line in range(1, start.size):
        begin, previous_end = int(start[line]), int(start[line - 1]) + int(length[line - 1])
        if begin > previous_end + gap or begin - int(start[first]) > most:
            yield first, line
            first = line
    if start.size:
        yield first, start.size


def separate_hashes(hashes: Hashes, shared: NDArray[np.int64], identities: Identities) -> Hashes:
    """Return distinct hashes. Replaces the hashes at `shared`, where distinct texts have equal hashes.

    `identities` belong to the texts at `shared`. A new hash is 64 bits of a BLAKE2b of the identity, salted with the lowest
    number for which all hashes are distinct. So hashes depend on the texts only, not on the order of texts.
    """
    if not shared.size:
        return hashes
    identity_bytes = [bytes(identity) for identity in identities.astype(">u8")]
    separated = hashes.copy()
    # Salt 1 is almost always enough: another round needs a collision of 64-bit hashes.
    for salt in count(1):
        separated[shared] = [_hash_with_salt(identity, salt) for identity in identity_bytes]
        if not find_repeated(separated).size:
            break
    return separated


def _hash_with_salt(identity: bytes, salt: int) -> int:
    return int.from_bytes(blake2b(identity, digest_size=8, salt=salt.to_bytes(16)).digest())


def make_distinct_hashes(
    source: Hashes, start: NDArray[np.uint64], length: NDArray[np.uint32], read: ReadLines
) -> Hashes:
    """Return a distinct hash for each entry: the hash of the source-ref, replaced where two hashes are equal.

    All entries are of distinct images; `start` and `length` locate the lines.
    """
    every = np.ones(source.size, np.bool_)
    shared = find_positions(source, find_repeated(source), every)
    if not shared.size:
        return source
    return separate_hashes(source, shared, read_identities(read(start[shared], length[shared])))
