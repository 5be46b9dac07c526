"""The order in which entries are preferred for testing: a keyed hash of the seed and the source.

The key of a source is `mix(source ^ mix(seed + GOLDEN))` with `mix` the finaliser of splitmix64
(Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). `mix` is a bijection of
64-bit words: distinct sources have distinct keys, and another seed gives an unrelated order.
"""

import numpy as np
from numpy.typing import NDArray

GOLDEN = 0x9E3779B97F4A7C15
_WORD = (1 << 64) - 1
MAX_SEED = (1 << 63) - 1


def mix(word: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scatter 64-bit words: the finaliser of splitmix64, a bijection."""
    word = word ^ (word >> np.uint64(30))
    word *= np.uint64(0xBF58476D1CE4E5B9)
    word ^= word >> np.uint64(27)
    word *= np.uint64(0x94D049BB133111EB)
    word ^= word >> np.uint64(31)
    return word


def entry_keys(source: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    """The 64-bit key of each source; the lowest keys are tested first.

    Raises ValueError for a seed outside 0..2**63-1.
    """
    if not 0 <= seed <= MAX_SEED:
        raise ValueError(f"The seed must be between 0 and {MAX_SEED}, not {seed}.")
    salt = mix(np.array([(seed + GOLDEN) & _WORD], dtype=np.uint64))
    return mix(np.asarray(source, dtype=np.uint64) ^ salt)
