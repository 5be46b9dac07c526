"""Which entries are tested: the entrance of the split."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from twofold.split.certificate import ALGORITHM_VERSION, Certificate, Selection
from twofold.split.eligibility import test_size
from twofold.split.pairs import common_pairs, pair_counts, track_pairs
from twofold.split.quotas import FLOOR, best_quotas
from twofold.split.rows import Ints, LabelSets, canonical_rows, label_words
from twofold.split.sizes import nearest_reachable
from twofold.split.units import Units, entries_as_units, groups_as_units
from twofold.split.window import ALWAYS_OPEN, Window, open_window

ONE_FIFTH = Fraction(1, 5)
MAX_DENOMINATOR = 1_000_000


@dataclass(frozen=True, slots=True)
class _Task:
    """What is to be divided: units, and the counts of labels and pairs over all entries."""

    units: Units
    fraction: Fraction
    wanted: int
    words: NDArray[np.uint64]
    images: Ints
    pair_images: Ints
    grouped: bool


def select_test_entries(
    *,
    source: NDArray[np.uint64],
    label_set: NDArray[np.uint32],
    label_sets: LabelSets,
    fraction: Fraction = ONE_FIFTH,
    seed: int = 0,
    groups: NDArray[np.uint64] | None = None,
    time_limit: float = 20.0,
) -> Selection:
    """Choose floor(fraction * N + 1/2) of N entries so that every label keeps its share.

    `source` holds the hash of each entry's `source-ref`, `label_set` the index of its set in
    `label_sets`, `groups` the hash of its group: a group is tested as a whole or not at all, and
    the number of test entries is then the nearest that groups add up to. The choice depends on the
    seed and on the entries' sources, label names and groups alone: not on their order nor on any
    numbering. `time_limit`, in seconds, bounds each of the few programmes that HiGHS may solve.
    Raises ValueError for a fraction, a seed or arrays that make no sense.
    """
    _check(source, label_set, label_sets, fraction, groups)
    rows, order = canonical_rows(label_sets)
    times = np.bincount(label_set, minlength=len(rows))
    label_count = len(order) + 1
    wanted = test_size(len(source), fraction)
    if groups is None:
        units, unit = entries_as_units(source, label_set, rows, seed), None
    else:
        units, unit = groups_as_units(groups, label_set, rows, seed)
    task = _Task(
        units=units,
        fraction=fraction,
        wanted=nearest_reachable(units.size, wanted) if unit is not None and wanted else wanted,
        words=label_words(label_sets.names, order),
        images=rows.totals(times, label_count),
        pair_images=pair_counts(rows, times, label_count),
        grouped=unit is not None,
    )
    chosen, bound, proof = _tested(task, time_limit)
    test = chosen if unit is None else chosen[unit]
    test_times = np.bincount(label_set[test], minlength=len(rows))
    tested = rows.totals(test_times, label_count)
    pair_tested = pair_counts(rows, test_times, label_count)
    certificate = Certificate(
        entries=len(source),
        wanted=wanted,
        reached=int(test.sum()),
        fraction=fraction,
        seed=seed,
        algorithm_version=ALGORITHM_VERSION,
        deviation=_deviation(task.images, tested, fraction),
        lower_bound=Fraction(bound, fraction.denominator),
        proof=proof,
        swapped=_swapped(units, chosen),
        pairs=int(np.count_nonzero(task.pair_images)),
        pair_deviation=_deviation(task.pair_images, pair_tested, fraction),
    )
    names = tuple(label_sets.names[label] for label in order)
    return Selection(test, certificate, names, task.images, tested)


def _check(
    source: NDArray[np.uint64],
    label_set: NDArray[np.uint32],
    label_sets: LabelSets,
    fraction: Fraction,
    groups: NDArray[np.uint64] | None,
) -> None:
    if not 0 <= fraction <= 1 or fraction.denominator > MAX_DENOMINATOR:
        raise ValueError(
            f"The test fraction must be between 0 and 1 with a denominator of at most "
            f"{MAX_DENOMINATOR}, not {fraction}."
        )
    if len(source) != len(label_set):
        raise ValueError(f"There are {len(source)} sources and {len(label_set)} label sets.")
    if groups is not None and len(source) != len(groups):
        raise ValueError(f"There are {len(source)} sources and {len(groups)} groups.")
    if len(label_set) and int(label_set.max()) >= len(label_sets.offsets) - 1:
        raise ValueError(
            f"Label set {int(label_set.max())} is not one of the {len(label_sets.offsets) - 1}."
        )


def _tested(task: _Task, time_limit: float) -> tuple[NDArray[np.bool_], int, str]:
    """The tested units, a lower bound of their scaled deviation and the proof of the bound.

    Where groups near the threshold do not add up to the entries wanted, all are opened.
    """
    entries = int(task.units.size.sum())
    if task.wanted in (0, entries):
        test = np.full(len(task.units), task.wanted > 0)
        tested = task.images if task.wanted else task.images * 0
        sole = _deviation(task.images, tested, task.fraction) * task.fraction.denominator
        return test, int(sole), FLOOR
    for always_open in (ALWAYS_OPEN, len(task.units)):
        window, test = open_window(
            task.units, task.images, task.words, task.fraction, task.wanted, always_open
        )
        quotas = best_quotas(window, _paired(task, window, test), task.words, time_limit)
        if quotas.entries == window.need:
            break
    test[window.chosen(quotas.x)] = True
    return test, quotas.bound, quotas.proof


def _paired(task: _Task, window: Window, decided: NDArray[np.bool_]) -> Window:
    """The window with common pairs tracked; with groups there are none."""
    if task.grouped:
        return window
    codes = common_pairs(task.pair_images, task.fraction, task.wanted)
    if len(codes) == 0:
        return window
    rows = task.units.rows
    times = np.bincount(task.units.row[decided], minlength=len(rows))
    fixed = pair_counts(rows, times, len(task.images))
    return track_pairs(window, codes, task.pair_images, fixed)


def _deviation(images: Ints, tested: Ints, fraction: Fraction) -> Fraction:
    scaled = fraction.denominator * tested - fraction.numerator * images
    return Fraction(int(np.abs(scaled).sum()), fraction.denominator)


def _swapped(units: Units, test: NDArray[np.bool_]) -> int:
    """Tested entries that are not among the lowest keys that fit into a test set as large."""
    order = np.argsort(units.key, kind="stable")
    size = units.size[order]
    by_key = np.cumsum(size) <= int(units.size[test].sum())
    return int(size[test[order] & ~by_key].sum())
