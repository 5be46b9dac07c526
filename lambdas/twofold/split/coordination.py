"""Coordinated samples: keys that keep the split of a changed dataset near the split before the change.

Units are ranked: first those that were tested, then those that are new, then those that were trained
on, each by their own keys. The lowest ranks are then the old test set and, of the new units, their
share, so nothing old changes sides but for balance. Spread evenly, ranks are keys like any others.
The surveys' literature knows this as positive coordination of samples by permanent random numbers
(E. Ohlsson: Coordination of samples using permanent random numbers, 1995).
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from twofold.split.rows import Ints

_LAST = (1 << 64) - 1


class Previously(IntEnum):
    """On which side of the previous split an entry was; the values are ranks."""

    TESTED = 0
    NEW = 1
    TRAINED = 2


@dataclass(frozen=True, slots=True)
class Ranks:
    """Keys below `new` belong to units that were tested, keys from `trained` on to units that were trained on."""

    new: np.uint64
    trained: np.uint64


def coordinated_keys(
    key: NDArray[np.uint64], tie: NDArray[np.uint64], previous: NDArray[np.uint8]
) -> tuple[NDArray[np.uint64], Ranks]:
    """Keys by rank, and where the ranks begin. `previous` holds a Previously for each unit."""
    order = np.lexsort((tie, key, previous))
    step = _LAST // max(1, len(key))
    keys = np.empty_like(key)
    keys[order] = np.arange(len(key), dtype=np.uint64) * np.uint64(step)
    tested = int(np.count_nonzero(previous == Previously.TESTED))
    trained = int(np.count_nonzero(previous != Previously.TRAINED))
    return keys, Ranks(_first(tested, step), _first(trained, step))


def _first(rank: int, step: int) -> np.uint64:
    return np.uint64(min(rank * step, _LAST))


def of_groups(previous: NDArray[np.uint8], group: Ints, count: int) -> NDArray[np.uint8]:
    """Of each of `count` groups, the lowest rank of its entries that are not new.

    A group that was on one side grows there; one that was on both, whose key has changed, is better tested.
    """
    ranks = np.full(count, Previously.NEW, dtype=np.uint8)
    for side in (Previously.TRAINED, Previously.TESTED):
        ranks[group[previous == side]] = side
    return ranks
