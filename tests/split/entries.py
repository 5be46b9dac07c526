"""Entries for tests: drawn by Hypothesis, or generated with Zipf-distributed labels that occur together."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from twofold.manifest.line.entry import Entry as ManifestEntry
from twofold.manifest.line.entry import read_entry
from twofold.split import LabelSets, Selection, select_test_entries

NAMES = ("ant", "bee", "Zebra", "été", "crow")


@dataclass(frozen=True)
class Entry:
    """An entry. `source` is the hash of the source-ref; `boxes` has numbers for the labels, repeated cyclically."""

    source: int
    labels: frozenset[str]
    group: int = 0
    boxes: tuple[int, ...] = ()


def split_entries(entries: Sequence[Entry], *, grouped: bool = False, **options: Any) -> Selection:
    """Split the entries, with labels and label sets numbered by first appearance as in an index."""
    names: dict[str, int] = {}
    sets: dict[tuple[int, ...], int] = {}
    ids = []
    for entry in entries:
        labels = tuple(names.setdefault(name, len(names)) for name in entry.labels)
        ids.append(sets.setdefault(labels, len(sets)))
    lengths = [len(labels) for labels in sets]
    label_sets = LabelSets(
        offsets=np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
        labels=np.array([label for labels in sets for label in labels], dtype=np.uint32),
        names=tuple(names),
    )
    groups = np.array([entry.group for entry in entries], dtype=np.uint64) if grouped else None
    boxes = [
        entry.boxes[place % len(entry.boxes)]
        for entry in entries
        for place in range(len(entry.labels))
        if entry.boxes
    ]
    return select_test_entries(
        boxes=np.array(boxes, dtype=np.uint8),
        source=np.array([entry.source for entry in entries], dtype=np.uint64),
        label_set=np.array(ids, dtype=np.uint32),
        label_sets=label_sets,
        groups=groups,
        **options,
    )


def select_test_set(entries: Sequence[Entry], selection: Selection) -> set[Entry]:
    return {entry for entry, test in zip(entries, selection.test_mask, strict=True) if test}


def compute_deviation(
    entries: Sequence[Entry], test: Sequence[bool] | set[Entry], fraction: Fraction
) -> Fraction:
    """The total deviation, computed independently with sets and fractions."""
    test_set = (
        test if isinstance(test, set) else {e for e, t in zip(entries, test, strict=True) if t}
    )
    total = Fraction(0)
    for name in {name for entry in entries for name in entry.labels} | {None}:
        carriers = [e for e in entries if (name in e.labels if name else not e.labels)]
        total += abs(sum(e in test_set for e in carriers) - fraction * len(carriers))
    return total


def generate_entries(count: int, label_count: int, seed: int, group_size: int = 1) -> list[Entry]:
    """Entries with up to eight Zipf-distributed labels each, drawn around topics so that labels occur together."""
    random = np.random.default_rng(seed)
    names = [f"label-{i}" for i in range(label_count)]
    weights = 1 / np.arange(1, label_count + 1) ** 1.1
    topics = [random.permutation(label_count)[:6] for _ in range(max(3, label_count // 6))]
    sources = random.integers(0, 1 << 63, size=count)
    entries = []
    for i in range(count):
        frequent = random.choice(label_count, size=random.integers(0, 3), p=weights / weights.sum())
        topic = topics[random.integers(len(topics))]
        related = random.choice(topic, size=random.integers(0, 5))
        labels = frozenset(names[label] for label in (*frequent, *related))
        entries.append(Entry(int(sources[i]), labels, int(random.integers(count // group_size))))
    return entries


def read_entries(manifest: Path) -> list[Entry]:
    """Read the entries of a manifest; line `i` has the source `i`."""
    lines = enumerate(map(read_entry, manifest.read_bytes().splitlines()))
    return [
        Entry(i, frozenset(entry.labels)) for i, entry in lines if isinstance(entry, ManifestEntry)
    ]


labels = st.frozensets(st.sampled_from(NAMES))
fractions = st.fractions(0, 1, max_denominator=1000)
seeds = st.integers(0, (1 << 63) - 1)


@st.composite
def draw_entries(draw: st.DrawFn, max_size: int = 40, max_groups: int = 12) -> list[Entry]:
    """Draw entries with distinct sources in a few groups."""
    sources = draw(st.sets(st.integers(0, (1 << 64) - 1), min_size=1, max_size=max_size))
    groups = st.integers(0, max_groups - 1)
    return [Entry(source, draw(labels), draw(groups)) for source in sorted(sources)]
