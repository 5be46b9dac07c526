"""Local search: swap two units of equal size between the test set and the training set, each time the best swap.

The key alone decides on all units that are not swapped, in this split and in the split of a grown dataset, so the search makes
few swaps. It rates each swap by the labels of both units together. Among swaps of equal gain the swap nearest to the threshold
is made. The limits below bound the time; with higher limits the search is slower, and hard data may come out better.
"""

import numpy as np

from twofold.label_sets import Ints
from twofold.split.label_matrix import LabelMatrix
from twofold.split.window import Window

MAX_SWAPS = 2_000
NEAREST = 12_000
CANDIDATES = 64
IMPOSSIBLE = np.int64(1 << 61)


class SearchState:
    """An allocation `x` and the deviation of each label, updated by moves.

    `entry_distance[s]` is the distance above the threshold of the next unit of signature `s` to enter the test set,
    `exit_distance[s]` the distance below the threshold of the next unit to leave; IMPOSSIBLE without such a unit.
    """

    def __init__(self, window: Window, x: Ints) -> None:
        self.window = window
        self.x = x.copy()
        self.deviation = window.compute_deviation(window.count_test_images(x))
        self.entry_distance = np.empty(len(x), dtype=np.int64)
        self.exit_distance = np.empty(len(x), dtype=np.int64)
        self._measure_distances(np.arange(len(x), dtype=np.int64))

    def sort_by_distance(self) -> Ints:
        """All signatures, nearest to the threshold first."""
        return np.argsort(np.minimum(self.entry_distance, self.exit_distance), kind="stable")

    def move(self, signature: int, change: int) -> None:
        """Add `change` units of the signature to the test set."""
        matrix, scale = self.window.matrix, self.window.fraction.denominator
        self.x[signature] += change
        row = slice(matrix.offsets[signature], matrix.offsets[signature + 1])
        self.deviation[matrix.labels[row]] += change * scale * matrix.counts[row]
        self._measure_distances(np.array([signature], dtype=np.int64))

    def swap(self, added: int, removed: int) -> None:
        self.move(added, 1)
        self.move(removed, -1)

    def _measure_distances(self, signatures: Ints) -> None:
        window = self.window
        first, last = window.start[signatures], window.start[signatures + 1]
        # `following` is the place of the first unit outside the test set.
        following = first + self.x[signatures]
        end = len(window.short_key) - 1
        above = window.short_key[np.minimum(following, end)] - window.threshold
        below = window.threshold - window.short_key[np.maximum(following - 1, 0)]
        can_enter, can_leave = following < last, following > first
        self.entry_distance[signatures] = np.where(can_enter, np.maximum(above, 0), IMPOSSIBLE)
        self.exit_distance[signatures] = np.where(can_leave, np.maximum(below, 0), IMPOSSIBLE)


def improve_by_swaps(window: Window, x: Ints) -> Ints:
    """Swap units of candidate signatures until no swap lowers the cost."""
    state = SearchState(window, x)
    near = np.sort(state.sort_by_distance()[:NEAREST])
    matrix = window.matrix.take_rows(near)
    cost, floor = window.compute_cost(x), window.compute_floor()
    for _ in range(MAX_SWAPS):
        if cost == floor:
            break
        pair, gain = _find_best_swap(state, near, matrix)
        if gain <= 0:
            break
        state.swap(*pair)
        cost -= gain
    return state.x


def _find_best_swap(
    state: SearchState, near: Ints, matrix: LabelMatrix
) -> tuple[tuple[int, int], int]:
    """Return the signatures (added, removed) and the gain in cost; a gain of 0 or less if there is no good swap."""
    added = select_candidates(state, near, matrix, state.entry_distance, 1)
    removed = select_candidates(state, near, matrix, state.exit_distance, -1)
    if len(added) == 0 or len(removed) == 0:
        return (0, 0), 0
    # Tables of swaps: a row for each added signature, a column for each removed signature.
    change = _compute_swap_changes(state, matrix, added, removed)
    size = state.window.size
    # A swap of different sizes would change the number of test entries.
    change[size[near[added]][:, None] != size[near[removed]][None, :]] = IMPOSSIBLE
    distance = (
        state.entry_distance[near[added]][:, None] + state.exit_distance[near[removed]][None, :]
    )
    least = change.min()
    best = np.argmin(np.where(change == least, distance, IMPOSSIBLE * 2))
    row, column = divmod(int(best), len(removed))
    return (int(near[added[row]]), int(near[removed[column]])), -int(least)


def select_candidates(
    state: SearchState, near: Ints, matrix: LabelMatrix, distance: Ints, sign: int
) -> Ints:
    """Indices into `near` of the CANDIDATES signatures with the largest gain from a single move.

    `sign` is 1 for units entering the test set, -1 for units leaving the test set.
    """
    scale = sign * state.window.fraction.denominator
    changes = compute_single_changes(state.deviation, matrix, scale)
    possible = np.flatnonzero(distance[near] < IMPOSSIBLE)
    changes = changes[possible]
    if len(changes) > CANDIDATES:
        # Partition first: sorting all changes would take longer.
        good = changes <= np.partition(changes, CANDIDATES - 1)[CANDIDATES - 1]
        possible, changes = possible[good], changes[good]
    order = np.lexsort((distance[near[possible]], changes))
    return possible[order[:CANDIDATES]]


def compute_single_changes(deviation: Ints, matrix: LabelMatrix, scale: int) -> Ints:
    """For each row the change in cost if one unit enters alone, or leaves if `scale` is negative."""
    if matrix.is_binary:
        # For a binary matrix the change depends on the label alone.
        changes = np.abs(deviation + scale) - np.abs(deviation)
        return np.add.reduceat(changes[matrix.labels], matrix.offsets[:-1])
    moved = np.abs(deviation[matrix.labels] + scale * matrix.counts)
    return np.add.reduceat(moved - np.abs(deviation[matrix.labels]), matrix.offsets[:-1])


def sort_by_move_cost(state: SearchState) -> Ints:
    """All signatures by the cost of a single move, lowest first, then by the distance to the threshold."""
    window, deviation = state.window, state.deviation
    scale = window.fraction.denominator
    entry_cost = compute_single_changes(deviation, window.matrix, scale)
    exit_cost = compute_single_changes(deviation, window.matrix, -scale)
    entry_cost[state.entry_distance == IMPOSSIBLE] = IMPOSSIBLE
    exit_cost[state.exit_distance == IMPOSSIBLE] = IMPOSSIBLE
    distance = np.minimum(state.entry_distance, state.exit_distance)
    return np.lexsort((distance, np.minimum(entry_cost, exit_cost)))


def _compute_swap_changes(
    state: SearchState, matrix: LabelMatrix, added: Ints, removed: Ints
) -> Ints:
    """The change in cost of each swap: `added` (rows) by `removed` (columns)."""
    moving = matrix.take_rows(np.concatenate((added, removed)))
    labels, column = np.unique(moving.labels, return_inverse=True)
    # A dense table: a row for each moving signature, a column for each label that any of them has.
    table = np.zeros((len(moving), len(labels)), dtype=np.int64)
    table[moving.compute_row_indices(), column] = moving.counts
    table *= state.window.fraction.denominator
    deviation = state.deviation[labels]
    after_entry, leaving = deviation + table[: len(added)], table[len(added) :]
    cost = np.empty((len(added), len(removed)), dtype=np.int64)
    for index, row in enumerate(after_entry):
        cost[index] = np.abs(row - leaving).sum(axis=1)
    return cost - int(np.abs(deviation).sum())
