"""Levels: the values of further members of the entries, balanced like labels.

A *member* of the lines, such as `camera`, has *levels*, such as `front` and `rear`. Every entry has exactly one level of every
balanced member: an entry without a value has the level None, "missing". Levels are never labels, also with equal texts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Levels:
    """The levels of N entries in M members.

    `members`: the expressions of the members, in the order of the names' UTF-8 bytes. `names`: (member, level) of each level,
    member by member: quantiles by number, other levels by bytes, the missing level last. `level` uint32[M, N]: for each member
    the position in `names` of each entry's level.
    """

    members: tuple[str, ...]
    names: tuple[tuple[str, str | None], ...]
    level: NDArray[np.uint32]
