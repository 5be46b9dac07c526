"""Read a previous split, which the new split keeps as far as the balance allows."""

import json
import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from twofold.manifest.digests import DIGEST_MODULUS
from twofold.manifest.index.hash_collisions import match_identities
from twofold.split import PreviousSide
from twofold_command.errors import CommandError
from twofold_command.indexing import read_entries
from twofold_command.pool import WorkerPool
from twofold_command.progress import show_progress
from twofold_command.publication import finish_publication
from twofold_command.split_files import REPORT, TEST, TRAIN
from twofold_verify.files import MAX_REPORT_BYTES, UnreadableError, read_file


@dataclass(frozen=True, slots=True)
class PreviousSplit:
    """Identities of the images of both sides, uint64[images, 2], and the digests of both manifests in hexadecimal."""

    test_identities: NDArray[np.uint64]
    train_identities: NDArray[np.uint64]
    digests: dict[str, str]

    def classify(self, identity: NDArray[np.uint64]) -> NDArray[np.uint8]:
        """Returns a PreviousSide for each image identity."""
        sides = np.full(len(identity), PreviousSide.NEW, dtype=np.uint8)
        sides[match_identities(self.train_identities, identity)] = PreviousSide.TRAINING
        sides[match_identities(self.test_identities, identity)] = PreviousSide.TEST
        return sides


def read_previous(folder: Path, pool: WorkerPool) -> PreviousSplit:
    """Reads the two manifests of a split in `folder`. Raises CommandError without a valid split."""
    finish_publication(folder)
    train_identities, train_digest = _read_identities(folder / TRAIN, pool)
    test_identities, test_digest = _read_identities(folder / TEST, pool)
    both = int(np.count_nonzero(match_identities(train_identities, test_identities)))
    if both:
        raise CommandError(
            f"{folder} is not the folder of a split: {both} source-refs are in both {TRAIN} and {TEST}."
        )
    _require_reported_digests(folder, train=train_digest, test=test_digest)
    return PreviousSplit(
        test_identities, train_identities, {"trainDigest": train_digest, "testDigest": test_digest}
    )


def _require_reported_digests(folder: Path, **digests: str) -> None:
    """Raises CommandError if the digests differ from report.json. Does nothing without a report."""
    try:
        if not (folder / REPORT).exists():
            return
        datasets = json.loads(read_file(folder / REPORT, MAX_REPORT_BYTES))["datasets"]
        reported = {side: datasets[side]["digest"] for side in digests}
    except (UnreadableError, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CommandError(f"{folder / REPORT} is not the report of a split.") from error
    for side, digest in digests.items():
        if reported[side] != digest:
            raise CommandError(
                f"{folder / f'{side}.manifest'} has been changed since the split: its digest differs from {REPORT}. "
                f"Run twofold verify {folder}."
            )


def _read_identities(manifest: Path, pool: WorkerPool) -> tuple[NDArray[np.uint64], str]:
    try:
        status = manifest.stat()
    except OSError as error:
        raise CommandError(
            f"{manifest} cannot be read: {error.strerror}. --previous names the folder of a split."
        ) from error
    if not stat.S_ISREG(status.st_mode):
        raise CommandError(f"{manifest} is not a regular file.")
    size = status.st_size
    if size == 0:
        return np.empty((0, 2), dtype=np.uint64), f"{0:016x}"
    with show_progress("Reading the previous split", size) as bar:
        entries = read_entries(manifest, size, None, pool, bar, identify=True)
    resolution = entries.resolution
    # If the entries and their line feeds are all bytes of the file, its lines are the entries and the digest is known.
    plain = int(resolution.length.sum(dtype=np.int64)) + len(resolution.index) == size
    digest = resolution.digest if plain else _compute_line_digest(manifest)
    return entries.identity, f"{digest:016x}"


def _compute_line_digest(manifest: Path) -> int:
    """Returns the digest of the lines as stored. The digest of the entries differs for lines with a final carriage return, and
    for a damaged manifest."""
    total = 0
    with manifest.open("rb") as file:
        for line in file:
            total += xxh3_64_intdigest(line.removesuffix(b"\n"))
    return total % DIGEST_MODULUS
