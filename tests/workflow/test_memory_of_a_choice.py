"""A choice takes no more memory than is reckoned for it, whatever the shape of the data: measured in processes of their own."""

import numpy as np
import pytest

from bench.peak import peak_bytes
from tests.peak import apart
from twofold.manifest.index import Index
from twofold.split import LabelSets, select_test_entries
from twofold.workflow.room import BASE_BYTES, Load

STEPS = 100
"""Of HiGHS: what it takes grows no more after that."""


def sample(entries: int, labels: int, of_each: int, groups: int) -> tuple[Index, np.ndarray | None]:
    """Each entry has a label set of its own, of labels drawn at random; no groups for 0."""
    random = np.random.default_rng(entries + labels)
    drawn = np.sort(random.integers(0, labels, (entries, of_each), np.uint32), axis=1)
    index = Index(
        length=np.full(entries, 500, np.uint32),
        source=random.integers(0, 1 << 64, entries, np.uint64),
        file_name=np.empty(0, np.uint32),
        label_set=np.arange(entries, dtype=np.uint32),
        flags=np.ones(entries, np.uint8),
        codes=np.empty(0, np.uint16),
        boxes=np.empty(0, np.uint8),
        set_offsets=np.arange(0, entries * of_each + 1, of_each, dtype=np.uint32),
        set_labels=drawn.ravel(),
        names=tuple(f"label-{n}" for n in range(labels)),
    )
    if not groups:
        return index, None
    return index, random.integers(0, 1 << 64, groups, np.uint64)[
        random.integers(0, groups, entries)
    ]


def choose(*shape: int) -> tuple[int, int]:
    """(bytes at the most, bytes reckoned) of the process that makes the choice."""
    index, groups = sample(*shape)
    select_test_entries(
        source=index.source,
        label_set=index.label_set,
        label_sets=LabelSets(index.set_offsets.astype(np.int64), index.set_labels, index.names),
        groups=groups,
        work_limit=STEPS,
    )
    load = Load.of(index, chosen=True, grouped=groups is not None)
    return peak_bytes(), BASE_BYTES + load.bytes


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param((2_000, 8_000, 3, 400), id="groups, many labels"),
        pytest.param((1_500, 300, 40, 150), id="groups, many labels of each entry"),
        pytest.param((3_000, 8_000, 3, 0), id="no groups, many labels"),
        pytest.param((20_000, 20, 2, 5_000), id="many groups, few labels"),
    ],
)
def test_a_choice_takes_no_more_than_is_reckoned(shape: tuple[int, int, int, int]) -> None:
    taken, reckoned = apart(choose, *shape)
    assert taken < reckoned
