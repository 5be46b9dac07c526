"""Reports with the contents that `twofold split` writes, built without files."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from twofold.label_sets import compute_offsets
from twofold.report import build_dataset_report, build_split_report, find_warnings
from twofold.split import LabelSets, select_test_entries


def build_sample_report(
    entries: Sequence[Sequence[str]],
    *,
    groups: Sequence[int] | None = None,
    fraction: Fraction = Fraction(1, 5),
    **added: Any,
) -> dict[str, Any]:
    """Build a report of entries with the labels `entries[i]`, in the groups `groups[i]` if given.

    `added` are further members of the report.
    """
    names = list(dict.fromkeys(label for labels in entries for label in labels))
    offsets = compute_offsets(np.array([len(labels) for labels in entries], np.int64))
    numbers = np.array([names.index(label) for labels in entries for label in labels], np.uint32)
    arrays: dict[str, Any] = {
        "label_set": np.arange(len(entries), dtype=np.uint32),
        "label_sets": LabelSets(offsets, numbers, tuple(names)),
        "groups": None if groups is None else np.array(groups, dtype=np.uint64),
    }
    source = np.arange(len(entries), dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    selection = select_test_entries(source=source, fraction=fraction, **arrays)
    group_by = None if groups is None else "/(video-[0-9]+)/"
    report = build_split_report(selection, **arrays, group_by=group_by)
    test = int(np.count_nonzero(selection.test_mask))
    report["datasets"] = {
        side: build_dataset_report(
            f"{side}.manifest", entries=count, size=100 * count, digest="0" * 16
        )
        for side, count in (("train", len(entries) - test), ("test", test))
    }
    report |= added
    return report | {"warnings": find_warnings(report)}
