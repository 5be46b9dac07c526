"""What the splitters split: real manifests, and generated labels as skewed and as entangled as real ones."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from twofold.manifest.identity import reading
from twofold.manifest.pieces import index_batches
from twofold.manifest.reader import batches_of_range
from twofold.manifest.resolve import resolve

ZIPF_EXPONENT = 1.1
TOPIC_LABELS = 8
LONGEST_SOURCE = 1 << 64


@dataclass(frozen=True, slots=True)
class Dataset:
    """N entries: entry `i` has the labels `labels[offsets[i]:offsets[i + 1]]` of `label_count`.

    `source` uint64[N] stands for the hash of the source-ref, `groups` uint64[N] for that of a group.
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
        """These entries, in this order."""
        sizes = np.diff(self.offsets)[chosen]
        offsets = np.concatenate(([0], np.cumsum(sizes)))
        inside = np.arange(offsets[-1]) - np.repeat(offsets[:-1], sizes)
        return replace(
            self,
            offsets=offsets,
            labels=self.labels[np.repeat(self.offsets[chosen], sizes) + inside],
            source=self.source[chosen],
            groups=None if self.groups is None else self.groups[chosen],
        )

    def images(self, test: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """Entries, or test entries, that carry each label."""
        labels = self.labels
        if test is not None:
            labels = labels[np.repeat(test, np.diff(self.offsets))]
        return np.bincount(labels, minlength=self.label_count)

    def matrix(self) -> NDArray[np.int8]:
        """Entries by labels, as the peers want it."""
        dense = np.zeros((len(self), self.label_count), dtype=np.int8)
        dense[np.repeat(np.arange(len(self)), np.diff(self.offsets)), self.labels] = 1
        return dense

    def label_sets(self) -> NDArray[np.int64]:
        """A number for each entry, equal for equal label sets."""
        bounds = zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist(), strict=True)
        known: dict[bytes, int] = {}
        numbers = [
            known.setdefault(np.sort(self.labels[first:last]).tobytes(), len(known))
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


def from_folder(folder: Path) -> Iterator[Dataset]:
    """The manifests of a folder that have at least ten entries and a label with two images."""
    for path in sorted(folder.glob("*.manifest")):
        content = path.read_bytes()
        index = resolve(
            [index_batches(batches_of_range([content], 0, len(content)))], reading(content)
        ).index
        sizes = index.set_sizes()[index.label_set]
        first = index.set_offsets[:-1].astype(np.int64)[index.label_set]
        offsets = np.concatenate(([0], np.cumsum(sizes)))
        inside = np.arange(offsets[-1]) - np.repeat(offsets[:-1], sizes)
        labels = index.set_labels[np.repeat(first, sizes) + inside].astype(np.int32)
        found = Dataset(path.stem, len(index.names), offsets, labels, index.source)
        if len(found) >= 10 and found.images().max(initial=0) >= 2:
            yield found


def generated(
    name: str, count: int, label_count: int, most: int, seed: int, group_size: int = 0
) -> Dataset:
    """1 to `most` labels an image, by Zipf's law and half of them around topics, so that labels occur together; one image in
    fifty has none. Groups have sizes around `group_size`, a few of them ten times as much, and lean towards a topic."""
    random = np.random.default_rng(seed)
    weights = 1 / np.arange(1, label_count + 1) ** ZIPF_EXPONENT
    topics = random.integers(0, label_count, (max(3, label_count // 6), TOPIC_LABELS))
    groups = _groups(random, count, group_size) if group_size else None
    topic = random.integers(0, len(topics), count)
    if groups is not None:
        topic = np.where(random.random(count) < 0.7, groups.astype(np.int64) % len(topics), topic)
    sizes = np.minimum(random.geometric(2 / (most + 1), count), most)
    owner = np.repeat(np.arange(count), sizes)
    wide = random.choice(label_count, len(owner), p=weights / weights.sum())
    near = topics[topic[owner], random.integers(0, TOPIC_LABELS, len(owner))]
    labels = np.where(random.random(len(owner)) < 0.5, wide, near)
    labelled = random.random(count) >= 0.02
    pairs = np.unique((owner * label_count + labels)[labelled[owner]])
    offsets = np.searchsorted(pairs, np.arange(count + 1) * label_count)
    source = random.integers(0, LONGEST_SOURCE, count, dtype=np.uint64)
    found = (pairs % label_count).astype(np.int32)
    return Dataset(name, label_count, offsets.astype(np.int64), found, source, groups)


def _groups(random: np.random.Generator, count: int, size: int) -> NDArray[np.uint64]:
    number = count // size
    weights = np.where(random.random(number) < 0.05, 10.0, 1.0) * random.random(number)
    return random.choice(number, count, p=weights / weights.sum()).astype(np.uint64)
