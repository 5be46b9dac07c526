"""The groups of the lines of a manifest: numbered in each range, joined over all of them."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from twofold.manifest.identity import as_identities, first_of_each, identity, separated
from twofold.manifest.index import Numbering, source_hash

NO_GROUP = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class GroupTable:
    """The L lines and K groups of one range.

    `number` uint32[L]: the group of each line, or NO_GROUP. `hash` uint64[K], `identity` uint64[K, 2]: of each group's key.
    """

    number: NDArray[np.uint32]
    hash: NDArray[np.uint64]
    identity: NDArray[np.uint64]

    def columns(self) -> dict[str, NDArray[np.generic]]:
        return {"number": self.number, "hash": self.hash, "identity": self.identity.ravel()}

    @classmethod
    def of_columns(cls, columns: dict[str, NDArray[np.generic]]) -> Self:
        return cls(
            number=columns["number"].astype(np.uint32),
            hash=columns["hash"].astype(np.uint64),
            identity=columns["identity"].astype(np.uint64).reshape(-1, 2),
        )


class GroupKeys:
    """Gathers the key of each line of one range; a key is hashed once, however many lines have it."""

    def __init__(self) -> None:
        self._numbers = Numbering()
        self._number = array("I")

    def __len__(self) -> int:
        return len(self._number)

    def add(self, key: str | None) -> None:
        """None for a line without a group."""
        self._number.append(NO_GROUP if key is None else self._numbers[key])

    def table(self) -> GroupTable:
        return GroupTable(
            number=np.array(self._number, np.uint32),
            hash=np.array([source_hash(key)[0] for key in self._numbers], np.uint64),
            identity=as_identities(map(identity, self._numbers)),
        )


def join_groups(
    tables: Sequence[GroupTable], kept: NDArray[np.bool_] | None = None
) -> NDArray[np.uint64]:
    """A word for each kept line: equal for lines of one group, and for no others.

    It is the hash of the group's key, but where the hashes of two groups of these lines meet (see `separated`). All kept lines
    must have a group.
    """
    offsets = np.cumsum([0, *(table.hash.size for table in tables)])
    number = np.concatenate(
        [table.number + offset for table, offset in zip(tables, offsets.tolist(), strict=False)]
    )
    if kept is not None:
        number = number[kept]
    hashes = np.concatenate([table.hash for table in tables])
    is_used = np.zeros(hashes.size, np.bool_)
    is_used[number] = True
    words = _distinct_words(hashes, [table.identity for table in tables], is_used)
    groups: NDArray[np.uint64] = words[number]
    return groups


def _distinct_words(
    hashes: NDArray[np.uint64],
    identities: Sequence[NDArray[np.uint64]],
    is_used: NDArray[np.bool_],
) -> NDArray[np.uint64]:
    """The same word for equal keys of several ranges, another one for each other key that is used."""
    used = np.flatnonzero(is_used)
    order = used[np.argsort(hashes[used], kind="stable")]
    ordered = hashes[order]
    is_same = ordered[1:] == ordered[:-1]
    identity_of = np.concatenate(identities)
    differs = np.any(identity_of[order[1:]] != identity_of[order[:-1]], axis=1)
    shared_hashes = np.unique(ordered[1:][is_same & differs])
    if not shared_hashes.size:
        return hashes
    shared = used[np.isin(hashes[used], shared_hashes)]
    firsts = shared[first_of_each(identity_of[shared])]
    representatives = np.unique(firsts)
    others = np.setdiff1d(np.unique(hashes[used]), shared_hashes)
    words = np.concatenate([others, hashes[representatives]])
    places = np.arange(others.size, words.size)
    words = separated(words, places, identity_of[representatives])
    result = hashes.copy()
    result[shared] = words[others.size + np.searchsorted(representatives, firsts)]
    return result
