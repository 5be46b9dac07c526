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
class PreviousManifest:
    """A side of the previous split: identities of the keys of the images, uint64[images, 2], the only bucket of the images
    (None without images), and the digest of the lines in hexadecimal."""

    identities: NDArray[np.uint64]
    bucket: str | None
    digest: str


@dataclass(frozen=True, slots=True)
class PreviousSplit:
    """Both sides of the previous split."""

    train: PreviousManifest
    test: PreviousManifest

    def is_renamed(self, bucket: str) -> bool:
        """Whether no image is in this bucket. The images of a split are in one bucket, so it was renamed, or the images were
        copied."""
        buckets = {self.train.bucket, self.test.bucket} - {None}
        return bool(buckets) and bucket not in buckets

    def classify(self, identity: NDArray[np.uint64], bucket: str) -> NDArray[np.uint8]:
        """Returns a PreviousSide for each image of a bucket, by the identity of its key.

        Images of the previous split in another bucket match only if no image of the split is in this bucket.
        """
        sides = np.full(len(identity), PreviousSide.NEW, dtype=np.uint8)
        for manifest, side in (
            (self.train, PreviousSide.TRAINING),
            (self.test, PreviousSide.TEST),
        ):
            if manifest.bucket == bucket or self.is_renamed(bucket):
                sides[match_identities(manifest.identities, identity)] = side
        return sides

    def describe(self, bucket: str) -> dict[str, str]:
        """Returns the parameters of the report, for a split of images of a bucket."""
        digests = {"trainDigest": self.train.digest, "testDigest": self.test.digest}
        return digests | ({"matchedBy": "key"} if self.is_renamed(bucket) else {})


def read_previous(folder: Path, pool: WorkerPool) -> PreviousSplit:
    """Reads the two manifests of a split in `folder`. Raises CommandError without a valid split."""
    finish_publication(folder)
    train, test = (_read_manifest(folder / name, pool) for name in (TRAIN, TEST))
    both = int(np.count_nonzero(match_identities(train.identities, test.identities)))
    if both and train.bucket == test.bucket:
        raise CommandError(
            f"{folder} is not the folder of a split: {both} source-refs are in both {TRAIN} and {TEST}."
        )
    _require_reported_digests(folder, train=train.digest, test=test.digest)
    return PreviousSplit(train, test)


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


def _read_manifest(manifest: Path, pool: WorkerPool) -> PreviousManifest:
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
        return PreviousManifest(np.empty((0, 2), dtype=np.uint64), None, f"{0:016x}")
    with show_progress("Reading the previous split", size) as bar:
        entries = read_entries(manifest, size, None, pool, bar, identify=True)
    resolution = entries.resolution
    # If the entries and their line feeds are all bytes of the file, its lines are the entries and the digest is known.
    plain = int(resolution.length.sum(dtype=np.int64)) + len(resolution.index) == size
    digest = resolution.digest if plain else _compute_line_digest(manifest)
    return PreviousManifest(entries.identity, entries.bucket, f"{digest:016x}")


def _compute_line_digest(manifest: Path) -> int:
    """Returns the digest of the lines as stored. The digest of the entries differs for lines with a final carriage return, and
    for a damaged manifest."""
    total = 0
    with manifest.open("rb") as file:
        for line in file:
            total += xxh3_64_intdigest(line.removesuffix(b"\n"))
    return total % DIGEST_MODULUS
