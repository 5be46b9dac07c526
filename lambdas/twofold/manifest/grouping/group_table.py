"""The groups of the lines of a manifest as arrays: numbered in each range, and joined over all ranges."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from twofold.manifest.index.hash_collisions import (
    find_first_occurrences,
    separate_hashes,
    stack_identities,
)
from twofold.manifest.index.numbering import Numbering
from twofold.manifest.index.source_hashes import compute_identity, hash_source_ref

NO_GROUP = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class GroupTable:
    """The L lines and K groups of one range.

    `number` uint32[L]: the group of each line, or NO_GROUP. `hash` uint64[K], `identity` uint64[K, 2]: of each group's key.
    """

    number: NDArray[np.uint32]
    hash: NDArray[np.uint64]
    identity: NDArray[np.uint64]

    def to_columns(self) -> dict[str, NDArray[np.generic]]:
        return {"number": self.number, "hash": self.hash, "identity": self.identity.ravel()}

    @classmethod
    def from_columns(cls, columns: dict[str, NDArray[np.generic]]) -> Self:
        return cls(
            number=columns["number"].astype(np.uint32),
            hash=columns["hash"].astype(np.uint64),
            identity=columns["identity"].astype(np.uint64).reshape(-1, 2),
        )


class GroupTableBuilder:
    """Collects the key of each line of one range. Hashes each key once, for any number of lines.

    The number of a single entry belongs to the tuple of its source-ref, which equals no key.
    """

    def __init__(self) -> None:
        self._key_numbers = Numbering()
        self._line_numbers = array("I")
        self._singles = bytearray()

    def __len__(self) -> int:
        return len(self._line_numbers)

    def add_line(self, key: str | None) -> None:
        """Add a line with its key, or None for a line without a group."""
        self._line_numbers.append(NO_GROUP if key is None else self._key_numbers[key])
        self._singles.append(False)

    def add_single(self, source_ref: str) -> None:
        """Add a line that is a group of its own."""
        self._line_numbers.append(self._key_numbers[(source_ref,)])
        self._singles.append(True)

    def mark_singles(self) -> NDArray[np.bool_]:
        """Whether each line is a group of its own."""
        return np.array(self._singles, np.bool_)

    def build(self) -> GroupTable:
        return GroupTable(
            number=np.array(self._line_numbers, np.uint32),
            hash=np.array([_hash_key(key) for key in self._key_numbers], np.uint64),
            identity=stack_identities(map(_identify_key, self._key_numbers)),
        )


def _hash_key(key: str | tuple[str]) -> int:
    """The hash of a key, or of the source-ref of a single entry: its sampling key is the same as without groups."""
    low, _ = hash_source_ref(key if isinstance(key, str) else key[0])
    return low


def _identify_key(key: str | tuple[str]) -> bytes:
    """16 bytes, distinct for distinct keys and single entries, also where a key is the text of a source-ref."""
    if isinstance(key, str):
        return compute_identity(key)
    return compute_identity(key[0], namespace=b"single")


def join_groups(
    tables: Sequence[GroupTable], kept: NDArray[np.bool_] | None = None
) -> NDArray[np.uint64]:
    """Return a group hash for each kept line: equal for lines of the same group, distinct for lines of different groups.

    The group hash is the hash of the group's key, replaced where the keys of two groups have equal hashes (see
    `separate_hashes`). All kept lines must have a group.
    """
    # Number the groups of all ranges consecutively; a group in two ranges has two numbers and one hash.
    offsets = np.cumsum([0, *(table.hash.size for table in tables)])
    number = np.concatenate(
        [table.number + offset for table, offset in zip(tables, offsets.tolist(), strict=False)]
    )
    if kept is not None:
        number = number[kept]
    hashes = np.concatenate([table.hash for table in tables])
    is_used = np.zeros(hashes.size, np.bool_)
    # Groups of rejected lines only must not change the hashes of other groups.
    is_used[number] = True
    distinct_hashes = _make_distinct_hashes(hashes, [table.identity for table in tables], is_used)
    group_hash: NDArray[np.uint64] = distinct_hashes[number]
    return group_hash


def _make_distinct_hashes(
    hashes: NDArray[np.uint64],
    identities: Sequence[NDArray[np.uint64]],
    is_used: NDArray[np.bool_],
) -> NDArray[np.uint64]:
    """Return a hash for each used key: equal for equal keys of several ranges, distinct for different keys."""
    used = np.flatnonzero(is_used)
    # Sort the used groups by hash, so that groups with equal hashes are neighbours.
    order = used[np.argsort(hashes[used], kind="stable")]
    ordered = hashes[order]
    is_same = ordered[1:] == ordered[:-1]
    identity = np.concatenate(identities)
    differs = np.any(identity[order[1:]] != identity[order[:-1]], axis=1)
    # Neighbours with equal hashes and different identities: different keys share this hash.
    shared_hashes = np.unique(ordered[1:][is_same & differs])
    if not shared_hashes.size:
        return hashes
    shared = used[np.isin(hashes[used], shared_hashes)]
    # One representative for each distinct key among them.
    firsts = shared[find_first_occurrences(identity[shared])]
    representatives = np.unique(firsts)
    # New hashes must differ from the hashes of all other groups as well.
    other_hashes = np.setdiff1d(np.unique(hashes[used]), shared_hashes)
    candidates = np.concatenate([other_hashes, hashes[representatives]])
    positions = np.arange(other_hashes.size, candidates.size)
    separated = separate_hashes(candidates, positions, identity[representatives])
    result = hashes.copy()
    result[shared] = separated[other_hashes.size + np.searchsorted(representatives, firsts)]
    return result
