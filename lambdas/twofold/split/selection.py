"""Select the test entries of a dataset: the entry point of the split."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from twofold.fraction import MAX_DENOMINATOR
from twofold.label_sets import Ints, LabelSets, compute_lengths
from twofold.levels import Levels
from twofold.split.boxes import Objective, balance_boxes, count_boxes, count_unit_boxes
from twofold.split.certificate import (
    ALGORITHM_VERSION,
    BoxTable,
    Certificate,
    CoverageCost,
    LevelCounts,
    Overlap,
    Selection,
    compute_total_deviation,
)
from twofold.split.coverage import NO_COVERAGE, Coverage
from twofold.split.covered_solver import solve_covered
from twofold.split.dual_bound import DualBound
from twofold.split.eligibility import round_share
from twofold.split.highs import WORK_LIMIT
from twofold.split.label_matrix import LabelMatrix, build_label_matrix
from twofold.split.level_columns import Columns, build_columns, compute_floor_excess
from twofold.split.pairs import LabelCounts, count_labels
from twofold.split.proof import prove_solution
from twofold.split.sampling import (
    Units,
    combine_group_sides,
    coordinate_units,
    make_entry_units,
    make_group_units,
)
from twofold.split.solver import SplitProblem, SplitSolution, solve
from twofold.split.subset_sum import find_nearest_sum
from twofold.split.window import find_threshold_key

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
    levels: Levels | None = None,
    min_per_label: int = 0,
    work_limit: int = WORK_LIMIT,
) -> Selection:
    """Select floor(fraction * N + 1/2) of N entries so that of every label the fraction of its images is in the test set.

    For each entry, `source` has the hash of the `source-ref`, `label_set` an index into `label_sets`, `groups` the hash of the
    group, and `previous` the PreviousSide. Groups are in the test set as a whole or not at all, and the number of test entries
    is then the nearest sum of group sizes. With `previous` the split keeps as much of the previous split as size and balance
    allow. `boxes` has a number for each entry and each label of the entry's set, or is empty; the objective
    `labels-and-boxes` brings boxes near the shares at no cost in labels. `levels` are balanced like labels.
    Every label with at least twice `min_per_label` images has at least `min_per_label` images on each side.

    The selection depends on the seed and on the sources, label names, groups and previous sides of the entries alone: not on
    the order or the numbering of entries and labels. `work_limit` bounds the search of hard data in steps of HiGHS.
    Raises CoverageError if no split with `min_per_label` is found, and ValueError for a fraction or a seed out of range and for
    arrays of different lengths.
    """
    _check_arguments(source, label_set, label_sets, fraction, groups, previous, levels)
    boxes = _check_boxes(boxes, label_set, label_sets)
    matrix, order = build_label_matrix(label_sets)
    names = tuple(label_sets.names[label] for label in order)
    columns = build_columns(matrix, label_set, names, levels)
    counts = _count_columns(columns, matrix, label_set, len(names))
    units, unit_of_entry = _make_units(source, columns, seed, groups, previous)
    wanted = round_share(len(source), fraction)
    reachable = wanted if unit_of_entry is None else find_nearest_sum(units.size, wanted)
    is_label = _mark_labels(len(names), columns.count)
    floor_excess = 0
    if levels is not None:
        floor_excess = compute_floor_excess(levels, counts.labels[~is_label], fraction, reachable)
    problem = SplitProblem(
        units=units,
        is_grouped=unit_of_entry is not None,
        fraction=fraction,
        test_entries=reachable,
        label_hashes=columns.hashes,
        counts=counts,
        label_count=len(names),
        floor_excess=floor_excess,
        coverage=Coverage(min_per_label, len(names)) if min_per_label else NO_COVERAGE,
    )
    coverage_cost = None
    if min_per_label:
        covered = solve_covered(problem, names, work_limit)
        solution = covered.solution
        without = Fraction(covered.cost_without, fraction.denominator)
        coverage_cost = CoverageCost(min_per_label, without)
    else:
        solution = solve(problem, work_limit)
    solution, dual_bound = prove_solution(problem, solution)
    if boxes is not None and objective is Objective.LABELS_AND_BOXES:
        solution = _balance_boxes(problem, solution, unit_of_entry, boxes, label_set, label_sets)
    # From units to entries.
    test_mask = solution.test_mask if unit_of_entry is None else solution.test_mask[unit_of_entry]
    test_counts = _count_columns(columns, matrix, label_set, len(names), test_mask)
    return Selection(
        test_mask,
        _build_certificate(problem, solution, dual_bound, test_counts, wanted, seed),
        names,
        counts.labels[is_label],
        test_counts.labels[is_label],
        None if previous is None else Overlap.from_sides(previous, test_mask),
        None if boxes is None else BoxTable(*count_boxes(boxes, label_set, label_sets, test_mask)),
        None
        if levels is None
        else LevelCounts(levels, counts.labels[~is_label], test_counts.labels[~is_label]),
        coverage_cost,
    )


def _mark_labels(label_count: int, columns: int) -> NDArray[np.bool_]:
    """Whether each column is a label or "unlabelled", the last column; the others are levels."""
    column = np.arange(columns)
    is_label: NDArray[np.bool_] = (column < label_count) | (column == columns - 1)
    return is_label


def _count_columns(
    columns: Columns,
    matrix: LabelMatrix,
    label_set: NDArray[np.uint32],
    label_count: int,
    mask: NDArray[np.bool_] | None = None,
) -> LabelCounts:
    """Count the entries in the mask by column, and by pair of labels."""
    kept = slice(None) if mask is None else mask
    counts = count_labels(matrix, label_set[kept], label_count)
    if columns.matrix is matrix:
        return counts
    times = np.bincount(columns.row[kept], minlength=len(columns.matrix))
    return replace(counts, labels=columns.matrix.sum_by_label(times, columns.count))


def _check_arguments(
    source: NDArray[np.uint64],
    label_set: NDArray[np.uint32],
    label_sets: LabelSets,
    fraction: Fraction,
    groups: NDArray[np.uint64] | None,
    previous: NDArray[np.uint8] | None,
    levels: Levels | None,
) -> None:
    if not 0 <= fraction <= 1 or fraction.denominator > MAX_DENOMINATOR:
        raise ValueError(
            f"The test fraction must be between 0 and 1 with a denominator of at most "
            f"{MAX_DENOMINATOR}, not {fraction}."
        )
    arrays = {"label sets": label_set, "groups": groups, "previous sides": previous}
    if levels is not None:
        arrays |= {f"levels of {name}": levels.level[i] for i, name in enumerate(levels.members)}
    for name, values in arrays.items():
        if values is not None and len(values) != len(source):
            raise ValueError(f"There are {len(source)} sources and {len(values)} {name}.")
    set_count = len(label_sets.offsets) - 1
    if len(label_set) and int(label_set.max()) >= set_count:
        raise ValueError(
            f"Label set {int(label_set.max())} is out of range: there are {set_count} label sets."
        )


def _check_boxes(
    boxes: NDArray[np.uint8] | None, label_set: NDArray[np.uint32], label_sets: LabelSets
) -> NDArray[np.uint8] | None:
    """Return None if there are no boxes. Raise ValueError if the boxes do not fit the label sets."""
    if boxes is None or len(boxes) == 0:
        return None
    labels = int(compute_lengths(label_sets.offsets)[label_set].sum())
    if len(boxes) != labels:
        raise ValueError(f"There are {len(boxes)} numbers of boxes for {labels} labels of entries.")
    return boxes


def _make_units(
    source: NDArray[np.uint64],
    columns: Columns,
    seed: int,
    groups: NDArray[np.uint64] | None,
    previous: NDArray[np.uint8] | None,
) -> tuple[Units, Ints | None]:
    """Return the sampling units and the unit of each entry, or None if each entry is a unit."""
    if groups is None or len(groups) == 0:
        units, unit_of_entry = make_entry_units(source, columns.row, columns.matrix, seed), None
    else:
        units, unit_of_entry = make_group_units(groups, columns.row, columns.matrix, seed)
    if previous is None:
        return units, unit_of_entry
    sides = (
        previous
        if unit_of_entry is None
        else combine_group_sides(previous, unit_of_entry, len(units))
    )
    return coordinate_units(units, sides), unit_of_entry


def _balance_boxes(
    problem: SplitProblem,
    solution: SplitSolution,
    unit_of_entry: Ints | None,
    boxes: NDArray[np.uint8],
    label_set: NDArray[np.uint32],
    label_sets: LabelSets,
) -> SplitSolution:
    entry_units = (
        np.arange(len(label_set), dtype=np.int64) if unit_of_entry is None else unit_of_entry
    )
    test_mask = balance_boxes(
        problem.units,
        count_unit_boxes(boxes, label_set, label_sets, entry_units),
        problem.label_hashes,
        solution.test_mask,
        problem.fraction,
    )
    return replace(solution, test_mask=test_mask)


def _build_certificate(
    problem: SplitProblem,
    solution: SplitSolution,
    dual_bound: DualBound,
    test_counts: LabelCounts,
    wanted: int,
    seed: int,
) -> Certificate:
    counts, fraction, units = problem.counts, problem.fraction, problem.units
    return Certificate(
        entries=int(units.size.sum()),
        groups=len(units) if problem.is_grouped else None,
        wanted=wanted,
        reachable=problem.test_entries,
        reached=int(units.size[solution.test_mask].sum()),
        fraction=fraction,
        seed=seed,
        algorithm_version=ALGORITHM_VERSION,
        deviation=compute_total_deviation(counts.labels, test_counts.labels, fraction),
        lower_bound=Fraction(solution.bound, fraction.denominator),
        proof=solution.proof,
        swapped=_count_swapped_entries(units, solution.test_mask),
        pairs=int(np.count_nonzero(counts.pairs)),
        pair_deviation=compute_total_deviation(counts.pairs, test_counts.pairs, fraction),
        dual_bound=dual_bound,
    )


def _count_swapped_entries(units: Units, test_mask: NDArray[np.bool_]) -> int:
    """Test entries that are not among the lowest keys that fit into a test set of the same size."""
    test_entries = int(units.size[test_mask].sum())
    if units.size.max(initial=1) > 1:
        order = np.argsort(units.key, kind="stable")
        size = units.size[order]
        # Units after the first `test_entries` entries in the order of keys are swapped in.
        return int(size[test_mask[order] & (np.cumsum(size) > test_entries)].sum())
    if test_entries == 0:
        return 0
    threshold = find_threshold_key(units, test_entries)
    is_below, is_equal = units.key < threshold, units.key == threshold
    # The lowest keys are all keys below the threshold, and the threshold's key for the entries that are then left: one entry,
    # unless sources are equal.
    equal_limit = test_entries - int(is_below.sum())
    unswapped = int((test_mask & is_below).sum())
    return test_entries - unswapped - min(equal_limit, int((test_mask & is_equal).sum()))
