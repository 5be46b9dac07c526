"""The entries of a distribution: those of the test dataset, if they are kept, then those of the training dataset.

Offsets and numbers of lines count through both manifests, as if they were one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Self

import numpy as np
import orjson
from numpy.typing import NDArray

from twofold.errors import OperationRefused
from twofold.manifest.digests import DIGEST_MODULUS
from twofold.manifest.index.acceptance import MULTIPLE_BUCKETS
from twofold.manifest.index.concatenation import concatenate_indexes
from twofold.manifest.index.dataset_index import DatasetIndex
from twofold.manifest.index.hash_collisions import (
    find_first_occurrences,
    find_positions,
    read_identities,
)
from twofold.manifest.line.document import parse_bucket
from twofold.records import Contents
from twofold.stores.keys import ContentsKeys
from twofold.stores.objects import Bucket
from twofold.workflow.contents import read_index

BATCH_LINES = 1024
_BATCH_HASHES = 512
_DATASETS = ("test", "training")


@dataclass(frozen=True, slots=True)
class SourceEntries:
    """The entries of one or two datasets in the order of their manifests.

    `contents` are those of the training dataset, or of the test and the training dataset. `starts` uint64[n] are offsets.
    """

    bucket: Bucket
    contents: tuple[Contents, ...]
    index: DatasetIndex
    starts: NDArray[np.uint64]

    @classmethod
    def read(cls, bucket: Bucket, contents: tuple[Contents, ...]) -> Self:
        """Read the indexes. Raises LostObjectError, DamagedObjectError."""
        index = concatenate_indexes([read_index(bucket, version) for version in contents])
        return cls(bucket, contents, index, index.compute_starts())

    @property
    def manifest_bytes(self) -> int:
        return sum(version.bytes for version in self.contents)

    @property
    def digest(self) -> str:
        """The digest of the lines of all manifests, in hexadecimal."""
        return f"{sum_digests(self.contents):016x}"

    def read_lines(self, start: NDArray[np.uint64], length: NDArray[np.uint32]) -> Iterator[bytes]:
        """Yield lines by start and length, reading BATCH_LINES at a time."""
        for first in range(0, start.size, BATCH_LINES):
            batch = slice(first, first + BATCH_LINES)
            yield from self._read_batch(start[batch], length[batch])

    def read_entries(self, entries: Sequence[int]) -> list[bytes]:
        """Return the lines of entries by number."""
        return list(self._read_batch(self.starts[list(entries)], self.index.length[list(entries)]))

    def _read_batch(self, start: NDArray[np.uint64], length: NDArray[np.uint32]) -> list[bytes]:
        lines = [b""] * start.size
        manifest_start = 0
        for version in self.contents:
            manifest_end = manifest_start + version.bytes
            numbers = np.flatnonzero((start >= manifest_start) & (start < manifest_end)).tolist()
            spans = [(int(start[i]) - manifest_start, int(length[i])) for i in numbers]
            texts = self.bucket.get_ranges(ContentsKeys(version.folder).manifest, spans)
            for number, text in zip(numbers, texts, strict=True):
                lines[number] = text
            manifest_start = manifest_end
        return lines


def sum_digests(contents: Sequence[Contents]) -> int:
    return sum(int(version.digest, 16) for version in contents) % DIGEST_MODULUS


def make_line_describer(contents: Sequence[Contents]) -> Callable[[int], object]:
    """Return a function that describes the line of an entry, from 0, for a message: its number, from 1, and with two datasets
    also the dataset."""

    def describe(entry: int) -> object:
        if len(contents) == 1:
            return entry + 1
        ends = accumulate(version.entries for version in contents)
        number = next((i for i, end in enumerate(ends) if entry < end), len(contents) - 1)
        line = entry - sum(version.entries for version in contents[:number]) + 1
        return f"{line} of the {_DATASETS[number]} dataset"

    return describe


def require_one_bucket(entries: SourceEntries) -> None:
    """Raises OperationRefused if the images of the two datasets are in different buckets. Those of a dataset are in one."""
    if len(entries.contents) == 1:
        return
    test, training = (
        parse_bucket(orjson.loads(line)["source-ref"])
        for line in entries.read_entries([0, entries.contents[0].entries])
    )
    if test != training:
        raise OperationRefused(
            f"{MULTIPLE_BUCKETS} The images of the test dataset are in the bucket {test}, "
            f"those of the training dataset in {training}."
        )


def require_distinct_images(entries: SourceEntries) -> None:
    """Raises OperationRefused if an image is in both datasets. Equal hashes are only a hint: the lines decide."""
    if len(entries.contents) == 1:
        return
    source, test_entries = entries.index.source, entries.contents[0].entries
    shared = np.intersect1d(source[:test_entries], source[test_entries:])
    for first in range(0, shared.size, _BATCH_HASHES):
        batch = shared[first : first + _BATCH_HASHES]
        positions = find_positions(source, batch, np.ones(source.size, np.bool_))
        identities = read_identities(
            entries.read_lines(entries.starts[positions], entries.index.length[positions])
        )
        originals = find_first_occurrences(identities)
        repeated = np.flatnonzero(originals != np.arange(originals.size))
        if repeated.size:
            pair = positions[[originals[repeated[0]], repeated[0]]].tolist()
            raise OperationRefused(_describe_shared_image(entries, shared.size, pair))


def _describe_shared_image(entries: SourceEntries, count: int, pair: Sequence[int]) -> str:
    describe = make_line_describer(entries.contents)
    images = "1 image is" if count == 1 else f"{count} images are"
    return (
        f"{images} in both datasets, for example that of line {describe(pair[0])} and line {describe(pair[1])}. "
        "Create one of the datasets again without the images of the other."
    )
