"""A previous split, to be kept as far as balance allows."""

import json
import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from twofold.manifest.carve import DIGEST_MODULUS
from twofold.manifest.identity import contains
from twofold.split import Previously
from twofold_command.errors import CommandError
from twofold_command.indexing import read_entries
from twofold_command.outputs import REPORT, TEST, TRAIN
from twofold_command.pool import Pool
from twofold_command.progress import progress
from twofold_command.publication import finish


@dataclass(frozen=True, slots=True)
class PreviousSplit:
    """The identities uint64[n, 2] of the images of both sides, and the digests of both manifests in hexadecimal."""

    tested: NDArray[np.uint64]
    trained: NDArray[np.uint64]
    digests: dict[str, str]

    def sides(self, identity: NDArray[np.uint64]) -> NDArray[np.uint8]:
        """A Previously for each image, by its identity."""
        sides = np.full(len(identity), Previously.NEW, dtype=np.uint8)
        sides[contains(self.trained, identity)] = Previously.TRAINED
        sides[contains(self.tested, identity)] = Previously.TESTED
        return sides


def read_previous(folder: Path, pool: Pool) -> PreviousSplit:
    """Reads the two manifests that a split left in `folder`. Raises CommandError if they are none."""
    finish(folder)
    trained, train_digest = _sources(folder / TRAIN, pool)
    tested, test_digest = _sources(folder / TEST, pool)
    both = int(np.count_nonzero(contains(trained, tested)))
    if both:
        raise CommandError(
            f"{folder} holds no split: {both} source-refs are in both {TRAIN} and {TEST}."
        )
    _require_reported(folder, train=train_digest, test=test_digest)
    return PreviousSplit(tested, trained, {"trainDigest": train_digest, "testDigest": test_digest})


def _require_reported(folder: Path, **digests: str) -> None:
    """Raises CommandError for manifests that the split's report.json, if there is one, does not describe."""
    try:
        datasets = json.loads((folder / REPORT).read_bytes())["datasets"]
        reported = {side: datasets[side]["digest"] for side in digests}
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CommandError(f"{folder / REPORT} is no report of a split.") from error
    for side, digest in digests.items():
        if reported[side] != digest:
            raise CommandError(
                f"{folder / f'{side}.manifest'} is not as {REPORT} says: it has been changed since the split. "
                f"Run twofold verify {folder}."
            )


def _sources(manifest: Path, pool: Pool) -> tuple[NDArray[np.uint64], str]:
    try:
        found = manifest.stat()
    except OSError as error:
        raise CommandError(
            f"{manifest} cannot be read: {error.strerror}. --previous names the folder of a split."
        ) from error
    if not stat.S_ISREG(found.st_mode):
        raise CommandError(f"{manifest} is not a file on a disk.")
    size = found.st_size
    if size == 0:
        return np.empty((0, 2), dtype=np.uint64), f"{0:016x}"
    with progress("Reading the previous split", size) as step:
        entries = read_entries(manifest, size, None, pool, step, identify=True)
    resolution = entries.resolution
    # Every byte is of an entry or ends its line: the lines are as they were read.
    plain = int(resolution.length.sum(dtype=np.int64)) + len(resolution.index) == size
    digest = resolution.digest if plain else _sum_lines(manifest)
    return entries.identity, f"{digest:016x}"


def _sum_lines(manifest: Path) -> int:
    """The digest that the split had for a manifest whose lines are not as they are read again: some end with carriage
    returns of their own, or the manifest is damaged."""
    total = 0
    with manifest.open("rb") as file:
        for line in file:
            total += xxh3_64_intdigest(line.removesuffix(b"\n"))
    return total % DIGEST_MODULUS
