"""Reports as `twofold split` makes them, without the files."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from tests.label_rows import label_rows
from twofold.report import dataset_report, split_report, warnings
from twofold.split import LabelSets, select_test_entries


def report_of(
    entries: Sequence[Sequence[str]],
    *,
    groups: Sequence[int] | None = None,
    fraction: Fraction = Fraction(1, 5),
    **added: Any,
) -> dict[str, Any]:
    """Of entries given as their labels; with groups, entry `i` is in group `groups[i]`."""
    names = list(dict.fromkeys(label for labels in entries for label in labels))
    offsets, members = label_rows(
        [tuple(names.index(label) for label in labels) for labels in entries]
    )
    arrays: dict[str, Any] = {
        "label_set": np.arange(len(entries), dtype=np.uint32),
        "label_sets": LabelSets(offsets.astype(np.int64), members, tuple(names)),
        "groups": None if groups is None else np.array(groups, dtype=np.uint64),
    }
    source = np.arange(len(entries), dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    selection = select_test_entries(source=source, fraction=fraction, **arrays)
    group_by = None if groups is None else "/(video-[0-9]+)/"
    report = split_report(selection, **arrays, group_by=group_by)
    test = int(np.count_nonzero(selection.test))
    report["datasets"] = {
        side: dataset_report(f"{side}.manifest", entries=count, size=100 * count, digest="0" * 16)
        for side, count in (("train", len(entries) - test), ("test", test))
    }
    report |= added
    return report | {"warnings": warnings(report)}
