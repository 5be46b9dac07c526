"""A previous split, to be kept as far as balance allows."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twofold.split import Previously
from twofold_command.errors import CommandError
from twofold_command.indexing import read_entries
from twofold_command.outputs import TEST, TRAIN
from twofold_command.pool import Pool
from twofold_command.progress import progress


@dataclass(frozen=True, slots=True)
class PreviousSplit:
    """The hashes of the sources of both sides, and the digests of both manifests in hexadecimal."""

    tested: NDArray[np.uint64]
    trained: NDArray[np.uint64]
    digests: dict[str, str]

    def sides(self, source: NDArray[np.uint64]) -> NDArray[np.uint8]:
        """A Previously for each source."""
        sides = np.full(len(source), Previously.NEW, dtype=np.uint8)
        sides[np.isin(source, self.trained)] = Previously.TRAINED
        sides[np.isin(source, self.tested)] = Previously.TESTED
        return sides


def read_previous(folder: Path, pool: Pool) -> PreviousSplit:
    """Reads the two manifests that a split left in `folder`. Raises CommandError if they are none."""
    trained, train_digest = _sources(folder / TRAIN, pool)
    tested, test_digest = _sources(folder / TEST, pool)
    both = len(np.intersect1d(tested, trained))
    if both:
        raise CommandError(
            f"{folder} holds no split: {both} source-refs are in both {TRAIN} and {TEST}."
        )
    return PreviousSplit(tested, trained, {"trainDigest": train_digest, "testDigest": test_digest})


def _sources(manifest: Path, pool: Pool) -> tuple[NDArray[np.uint64], str]:
    try:
        size = manifest.stat().st_size
    except OSError as error:
        raise CommandError(
            f"{manifest} cannot be read: {error.strerror}. --previous names the folder of a split."
        ) from error
    if size == 0:
        return np.empty(0, dtype=np.uint64), f"{0:016x}"
    with progress("Reading the previous split", size) as step:
        resolution = read_entries(manifest, size, None, pool, step).resolution
    return resolution.index.source, f"{resolution.digest:016x}"
