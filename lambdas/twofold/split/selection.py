"""Which entries are tested: the entrance of the split."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from twofold.fraction import MAX_DENOMINATOR
from twofold.split.boxes import Objective, balance_boxes, boxes_of_units, count_boxes
from twofold.split.certificate import ALGORITHM_VERSION, BoxTable, Certificate, Overlap, Selection
from twofold.split.coordination import coordinated_keys, of_groups
from twofold.split.division import Counts, Division, Task, count, divide, summed_deviation
from twofold.split.eligibility import rounded_share
from twofold.split.highs import WORK_LIMIT
from twofold.split.rows import Ints, LabelSets, Rows, canonical_rows, label_words
from twofold.split.sizes import nearest_reachable
from twofold.split.units import Units, entries_as_units, groups_as_units
from twofold.split.window import threshold_key

ONE_FIFTH = Fraction(1, 5)


def select_test_entries(
    *,
    source: NDArray[np.uint64],
    label_set: NDArray[np.uint32],
    label_sets: LabelSets,
    fraction: Fraction = ONE_FIFTH,
    seed: int = 0,
    groups: NDArray[np.uint64] | None = None,
    previous: NDArray[np.uint8] | None = None,
    boxes: NDArray[np.uint8] | None = None,
    objective: Objective = Objective.LABELS,
    work_limit: int = WORK_LIMIT,
) -> Selection:
    """Choose floor(fraction * N + 1/2) of N entries so that every label keeps its share.

    `source` holds the hash of each entry's `source-ref`, `label_set` the index of its set in
    `label_sets`, `groups` the hash of its group: a group is tested as a whole or not at all, and
    the number of test entries is then the nearest that groups add up to. `previous` holds the
    Previously of each entry, for a split that keeps as much of a previous one as balance allows.
    `boxes` are an index's: the number for each entry and each label of its set, empty for no boxes
    at all; the objective `labels-and-boxes` brings them near their share, without giving up labels. The
    choice depends on the seed and on the entries' sources, label names, groups and previous sides
    alone: not on their order nor on any numbering. `work_limit`, in steps of HiGHS,
    bounds how long hard data is searched.
    Raises ValueError for a fraction, a seed or arrays that make no sense.
    """
    _check(source, label_set, label_sets, fraction, groups, previous)
    boxes = _fitting(boxes, label_set, label_sets)
    rows, order = canonical_rows(label_sets)
    names = tuple(label_sets.names[label] for label in order)
    before = count(rows, label_set, len(names) + 1)
    units, unit = _units(source, label_set, rows, seed, groups, previous)
    wanted = rounded_share(len(source), fraction)
    reachable = wanted if unit is None else nearest_reachable(units.size, wanted)
    task = Task(units, unit is not None, fraction, reachable, label_words(names), before)
    division = divide(task, work_limit)
    if boxes is not None and objective is Objective.LABELS_AND_BOXES:
        division = _balanced(task, division, unit, boxes, label_set, label_sets)
    test = division.test if unit is None else division.test[unit]
    after = count(rows, label_set[test], len(names) + 1)
    certificate = _certificate(task, division, after, wanted, seed)
    overlap = None if previous is None else Overlap.of(previous, test)
    table = None
    if boxes is not None:
        table = BoxTable(*count_boxes(boxes, label_set, label_sets, test))
    return Selection(test, certificate, names, before.labels, after.labels, overlap, table)


def _units(
    source: NDArray[np.uint64],
    label_set: NDArray[np.uint32],
    rows: Rows,
    seed: int,
    groups: NDArray[np.uint64] | None,
    previous: NDArray[np.uint8] | None,
) -> tuple[Units, Ints | None]:
    """What is tested as a whole, and of each entry in which of them it is; None where each is one by itself."""
    if groups is None or len(groups) == 0:
        units, unit = entries_as_units(source, label_set, rows, seed), None
    else:
        units, unit = groups_as_units(groups, label_set, rows, seed)
    return units if previous is None else _coordinated(units, unit, previous), unit


def _balanced(
    task: Task,
    division: Division,
    unit: Ints | None,
    boxes: NDArray[np.uint8],
    label_set: NDArray[np.uint32],
    label_sets: LabelSets,
) -> Division:
    """With boxes brought near their share, too."""
    each = np.arange(len(label_set), dtype=np.int64) if unit is None else unit
    counted = boxes_of_units(boxes, label_set, label_sets, each)
    test = balance_boxes(task.units, counted, task.words, division.test, task.fraction)
    return replace(division, test=test)


def _fitting(
    boxes: NDArray[np.uint8] | None, label_set: NDArray[np.uint32], label_sets: LabelSets
) -> NDArray[np.uint8] | None:
    """None where there are no boxes at all. Raises ValueError if they do not fit the label sets."""
    if boxes is None or len(boxes) == 0:
        return None
    labels = int(np.diff(label_sets.offsets)[label_set].sum())
    if len(boxes) != labels:
        raise ValueError(f"There are {len(boxes)} numbers of boxes for {labels} labels of entries.")
    return boxes


def _coordinated(units: Units, unit: Ints | None, previous: NDArray[np.uint8]) -> Units:
    sides = previous if unit is None else of_groups(previous, unit, len(units))
    key, ranks = coordinated_keys(units.key, units.tie, sides)
    return replace(units, key=key, ranks=ranks)


def _certificate(
    task: Task, division: Division, after: Counts, wanted: int, seed: int
) -> Certificate:
    before, fraction = task.before, task.fraction
    return Certificate(
        entries=int(task.units.size.sum()),
        groups=len(task.units) if task.grouped else None,
        wanted=wanted,
        reachable=task.size,
        reached=int(task.units.size[division.test].sum()),
        fraction=fraction,
        seed=seed,
        algorithm_version=ALGORITHM_VERSION,
        deviation=summed_deviation(before.labels, after.labels, fraction),
        lower_bound=Fraction(division.bound, fraction.denominator),
        proof=division.proof,
        swapped=_swapped(task.units, division.test),
        pairs=int(np.count_nonzero(before.pairs)),
        pair_deviation=summed_deviation(before.pairs, after.pairs, fraction),
    )


def _check(
    source: NDArray[np.uint64],
    label_set: NDArray[np.uint32],
    label_sets: LabelSets,
    fraction: Fraction,
    groups: NDArray[np.uint64] | None,
    previous: NDArray[np.uint8] | None,
) -> None:
    if not 0 <= fraction <= 1 or fraction.denominator > MAX_DENOMINATOR:
        raise ValueError(
            f"The test fraction must be between 0 and 1 with a denominator of at most "
            f"{MAX_DENOMINATOR}, not {fraction}."
        )
    others = {"label sets": label_set, "groups": groups, "previous sides": previous}
    for what, values in others.items():
        if values is not None and len(values) != len(source):
            raise ValueError(f"There are {len(source)} sources and {len(values)} {what}.")
    if len(label_set) and int(label_set.max()) >= len(label_sets.offsets) - 1:
        raise ValueError(
            f"Label set {int(label_set.max())} is not one of the {len(label_sets.offsets) - 1}."
        )


def _swapped(units: Units, test: NDArray[np.bool_]) -> int:
    """Tested entries that are not among the lowest keys that fit into a test set as large."""
    tested = int(units.size[test].sum())
    if units.size.max(initial=1) > 1:
        order = np.argsort(units.key, kind="stable")
        size = units.size[order]
        return int(size[test[order] & (np.cumsum(size) > tested)].sum())
    if tested == 0:
        return 0
    last = threshold_key(units, tested)
    below, at = units.key < last, units.key == last
    room = tested - int(below.sum())
    return tested - int((test & below).sum()) - min(room, int((test & at).sum()))
