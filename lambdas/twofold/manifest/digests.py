"""Digests of lines, to prove that no line was lost or changed.

The digest of several lines is the sum of the xxh3-64 hashes modulo 2**64, and does not depend on the order of the lines. Move
computes the digests of a shard, and Publish compares their sum with the digest of the source; Group's digests are compared by
Select. The *placed* digest depends on the offsets of the lines; only the command uses it.
"""

import numpy as np
from numpy.typing import NDArray

DIGEST_MODULUS = 1 << 64


def compute_placed_digest(hashes: NDArray[np.uint64], start: NDArray[np.uint64]) -> int:
    """Return the digest of lines with these hashes at these offsets, modulo 2**64. Exchanged lines change the digest."""
    # An odd factor for each offset, so that no line drops out of the sum.
    return int((hashes * (np.uint64(2) * start + np.uint64(1))).sum(dtype=np.uint64))
