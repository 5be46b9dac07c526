"""Datasets of the comparison: public manifests, and generated labels with realistic skew and co-occurrence."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from twofold.manifest.index.hash_collisions import make_line_reader
from twofold.manifest.index.range_indexer import index_batches
from twofold.manifest.index.resolve import join_ranges
from twofold.manifest.line.byte_ranges import read_batches

ZIPF_EXPONENT = 1.1
TOPIC_LABELS = 8
LONGEST_SOURCE = 1 << 64
LEAST_ENTRIES = 100
"""In smaller datasets rounding hides most differences between splitters."""
MOST_FREQUENT = 0.88
"""The largest share of entries with a label in wide data: CAL500's most frequent label is on 444 of 502 songs."""

LESIONS_BY_SIZE = (5514, 1423, 490, 34, 5, 4)
"""HAM10000's lesions with 1, 2, ... images."""

LESION_ATTRIBUTES = (
    (6705, 1113, 1099, 514, 327, 142, 115),
    (5340, 3704, 902, 69),
    (5406, 4552, 57),
    (2192, 2077, 1404, 1118, 1022, 745, 407, 319, 234, 168, 128, 90, 56, 48, 7),
)
"""HAM10000's images by diagnosis, way of confirmation, sex and body site."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """N entries: entry `i` has the labels `labels[offsets[i]:offsets[i + 1]]` of `label_count`.

    `source` uint64[N] has the hash of each source-ref, `groups` uint64[N] the hash of each group.
    """

    name: str
    label_count: int
    offsets: NDArray[np.int64]
    labels: NDArray[np.int32]
    source: NDArray[np.uint64]
    groups: NDArray[np.uint64] | None = None

    def __len__(self) -> int:
        return len(self.source)

    def take(self, chosen: NDArray[np.int64]) -> Self:
        """The chosen entries, in this order."""
        sizes = np.diff(self.offsets)[chosen]
        offsets = np.concatenate(([0], np.cumsum(sizes)))
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], sizes)
        return replace(
            self,
            offsets=offsets,
            labels=self.labels[np.repeat(self.offsets[chosen], sizes) + within],
            source=self.source[chosen],
            groups=None if self.groups is None else self.groups[chosen],
        )

    def count_images(self, test: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """The number of entries, or of test entries, with each label."""
        labels = self.labels
        if test is not None:
            labels = labels[np.repeat(test, np.diff(self.offsets))]
        return np.bincount(labels, minlength=self.label_count)

    def count_units(self) -> int:
        """The number of groups, or of entries in data without groups."""
        return len(self) if self.groups is None else len(np.unique(self.groups))

    def build_columns(self) -> Self:
        """The dataset without unused labels; entries without labels get a last label of their own."""
        sizes = np.diff(self.offsets)
        unlabelled = np.flatnonzero(sizes == 0)
        label_count = self.label_count + 1
        labels = np.insert(self.labels, self.offsets[unlabelled], self.label_count)
        used = np.bincount(labels, minlength=label_count) > 0
        return replace(
            self,
            label_count=int(used.sum()),
            offsets=np.concatenate(([0], np.cumsum(np.maximum(sizes, 1)))),
            labels=(np.cumsum(used) - 1)[labels].astype(np.int32),
        )

    def build_dense_matrix(self) -> NDArray[np.int8]:
        """A dense matrix of entries (rows) by labels (columns), the input of the peers."""
        dense = np.zeros((len(self), self.label_count), dtype=np.int8)
        dense[np.repeat(np.arange(len(self)), np.diff(self.offsets)), self.labels] = 1
        return dense

    def number_label_sets(self) -> NDArray[np.int64]:
        """A number for each entry, equal for equal label sets."""
        bounds = zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist(), strict=True)
        numbers_by_set: dict[bytes, int] = {}
        numbers = [
            numbers_by_set.setdefault(
                np.sort(self.labels[first:last]).tobytes(), len(numbers_by_set)
            )
            for first, last in bounds
        ]
        return np.array(numbers, dtype=np.int64)

    def save(self, path: Path) -> None:
        arrays: dict[str, Any] = {
            name: getattr(self, name) for name in ("offsets", "labels", "source")
        }
        if self.groups is not None:
            arrays["groups"] = self.groups
        np.savez(path, name=self.name, label_count=self.label_count, **arrays)

    @classmethod
    def load(cls, path: Path) -> Self:
        with np.load(path) as stored:
            return cls(
                name=str(stored["name"]),
                label_count=int(stored["label_count"]),
                offsets=stored["offsets"],
                labels=stored["labels"],
                source=stored["source"],
                groups=stored.get("groups"),
            )


def read_folder(folder: Path) -> Iterator[Dataset]:
    """The manifests of a folder that have at least LEAST_ENTRIES entries and a label with two images."""
    for path in sorted(folder.glob("*.manifest")):
        content = path.read_bytes()
        index = join_ranges(
            [index_batches(read_batches([content], 0, len(content)))], make_line_reader(content)
        ).index
        sizes = index.compute_set_lengths()[index.label_set]
        first = index.set_offsets[:-1].astype(np.int64)[index.label_set]
        offsets = np.concatenate(([0], np.cumsum(sizes)))
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], sizes)
        labels = index.set_labels[np.repeat(first, sizes) + within].astype(np.int32)
        dataset = Dataset(path.stem, len(index.names), offsets, labels, index.source)
        if len(dataset) >= LEAST_ENTRIES and dataset.count_images().max(initial=0) >= 2:
            yield dataset


def generate_dataset(
    name: str, count: int, label_count: int, max_labels: int, seed: int, group_size: int = 0
) -> Dataset:
    """Generate images with 1 to `max_labels` labels each.

    Labels follow Zipf's law, and half of them are drawn around topics, so labels occur together. One image in fifty has no
    label. Groups have sizes around `group_size`, a few ten times as much, and favour a topic.
    """
    random = np.random.default_rng(seed)
    weights = 1 / np.arange(1, label_count + 1) ** ZIPF_EXPONENT
    topics = random.integers(0, label_count, (max(3, label_count // 6), TOPIC_LABELS))
    groups = _draw_groups(random, count, group_size) if group_size else None
    topic = random.integers(0, len(topics), count)
    if groups is not None:
        topic = np.where(random.random(count) < 0.7, groups.astype(np.int64) % len(topics), topic)
    sizes = np.minimum(random.geometric(2 / (max_labels + 1), count), max_labels)
    owner = np.repeat(np.arange(count), sizes)
    frequent = random.choice(label_count, len(owner), p=weights / weights.sum())
    related = topics[topic[owner], random.integers(0, TOPIC_LABELS, len(owner))]
    labels = np.where(random.random(len(owner)) < 0.5, frequent, related)
    labelled = random.random(count) >= 0.02
    pairs = np.unique((owner * label_count + labels)[labelled[owner]])
    offsets = np.searchsorted(pairs, np.arange(count + 1) * label_count)
    source = random.integers(0, LONGEST_SOURCE, count, dtype=np.uint64)
    label_numbers = (pairs % label_count).astype(np.int32)
    return Dataset(name, label_count, offsets.astype(np.int64), label_numbers, source, groups)


def _draw_groups(random: np.random.Generator, count: int, size: int) -> NDArray[np.uint64]:
    number = count // size
    weights = np.where(random.random(number) < 0.05, 10.0, 1.0) * random.random(number)
    return random.choice(number, count, p=weights / weights.sum()).astype(np.uint64)


def generate_wide_dataset(
    name: str, count: int, label_count: int, mean_labels: float, exponent: float, seed: int
) -> Dataset:
    """Generate entries with about `mean_labels` labels each, independently, so nearly all label sets differ.

    The frequency of the label of rank r is proportional to r ** -exponent, up to MOST_FREQUENT.
    """
    random = np.random.default_rng(seed)
    frequencies = _scale_frequencies(1 / np.arange(1, label_count + 1) ** exponent, mean_labels)
    rows = [random.random(label_count) < frequencies for _ in range(count)]
    offsets = np.concatenate(([0], np.cumsum([row.sum() for row in rows])))
    labels = np.concatenate([np.flatnonzero(row) for row in rows]).astype(np.int32)
    source = random.integers(0, LONGEST_SOURCE, count, dtype=np.uint64)
    return Dataset(name, label_count, offsets, labels, source)


def _scale_frequencies(weights: NDArray[np.floating], total: float) -> NDArray[np.floating]:
    """Frequencies in proportion to the weights, up to MOST_FREQUENT, that add up to `total`, by bisection."""
    low, high = 0.0, total / weights.min()
    for _ in range(100):
        middle = (low + high) / 2
        if np.minimum(middle * weights, MOST_FREQUENT).sum() < total:
            low = middle
        else:
            high = middle
    scaled: NDArray[np.floating] = np.minimum(high * weights, MOST_FREQUENT)
    return scaled


def generate_lesion_dataset(name: str, seed: int) -> Dataset:
    """Generate images of skin lesions in the shape of HAM10000: 7,470 groups of 1 to 6 images, 29 labels, 4 on each image.

    A lesion has a diagnosis, a way of confirmation, a sex and a body site, drawn in HAM10000's frequencies.
    """
    random = np.random.default_rng(seed)
    sizes = np.repeat(np.arange(1, len(LESIONS_BY_SIZE) + 1), LESIONS_BY_SIZE)
    random.shuffle(sizes)
    lesions = np.stack(
        [_draw_attribute(random, images, len(sizes)) for images in LESION_ATTRIBUTES], axis=1
    )
    starts = np.cumsum([0, *map(len, LESION_ATTRIBUTES[:-1])])
    count = int(sizes.sum())
    return Dataset(
        name,
        sum(map(len, LESION_ATTRIBUTES)),
        np.arange(count + 1, dtype=np.int64) * len(LESION_ATTRIBUTES),
        np.repeat(lesions + starts, sizes, axis=0).ravel().astype(np.int32),
        random.integers(0, LONGEST_SOURCE, count, dtype=np.uint64),
        np.repeat(np.arange(len(sizes)), sizes).astype(np.uint64),
    )


def _draw_attribute(
    random: np.random.Generator, images: tuple[int, ...], count: int
) -> NDArray[np.int64]:
    return random.choice(len(images), count, p=np.array(images) / sum(images))
