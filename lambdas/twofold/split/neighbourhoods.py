"""Further neighbourhoods of the local search: exchanges within a context, and double swaps.

The *context* of a signature and a label is the row without an image of the label. Two signatures with equal contexts and equal
sizes can be exchanged, and the exchange changes at most two labels (a single label if the context itself is a signature). The
cost of an exchange is the sum of the costs of both labels, so two minima in each context give the best exchange. Contexts are
found by hashes, and the two contexts of an exchange are compared before the exchange.

A *double swap* is for groups of different sizes. A swap of two sizes, or a group that moves alone, changes the number of test
entries by a difference. The best few swaps of each difference are combined with the best few of the opposite difference.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import Ints
from twofold.split.label_matrix import RowContent, sum_label_hashes
from twofold.split.local_search import SearchState, select_candidates
from twofold.split.sampling import mix
from twofold.split.window import KEY_BITS, Window

MAX_EXCHANGES = 2_000
MAX_DOUBLE_SWAPS = 300
_BEST_OF_EACH = 8
_NO_SIGNATURE = -1


@dataclass(frozen=True, slots=True)
class ContextIndex:
    """Places (signature, label), sorted by context: `signature[i]` has its context after losing an image of `label[i]`.

    Context `c` has the places from `start[c]` on. The number of labels means no loss: the context is the whole row.
    """

    start: Ints
    signature: Ints
    label: Ints


def improve_by_exchanges(window: Window, label_hashes: NDArray[np.uint64], x: Ints) -> Ints:
    """Exchange units within contexts until no exchange lowers the cost."""
    index = _build_context_index(window, label_hashes)
    if len(index.start) == 0:
        return x
    state = SearchState(window, x)
    for _ in range(MAX_EXCHANGES):
        pair = _find_best_exchange(state, index)
        if pair is None:
            break
        added, removed = pair
        if _read_context(window, index, added) == _read_context(window, index, removed):
            state.swap(int(index.signature[added]), int(index.signature[removed]))
        else:
            index = _separate_contexts(window, index, added)
            if len(index.start) == 0:
                break
    return state.x


def _build_context_index(window: Window, label_hashes: NDArray[np.uint64]) -> ContextIndex:
    """The places whose context has the same hash as another place."""
    row_hashes = sum_label_hashes(window.matrix, label_hashes)
    # The salt keeps contexts of different sizes apart.
    salt = mix(window.size.astype(np.uint64))
    row = window.matrix.compute_row_indices()
    reduced = mix(row_hashes[row] - label_hashes[window.matrix.labels]) ^ salt[row]
    # First a place without loss for each signature, then a place for each label of each signature.
    context = np.concatenate((mix(row_hashes) ^ salt, reduced))
    signature = np.concatenate((np.arange(len(row_hashes), dtype=np.int64), row))
    no_loss = np.full(len(row_hashes), len(label_hashes), dtype=np.int64)
    label = np.concatenate((no_loss, window.matrix.labels.astype(np.int64)))
    order = np.lexsort((signature, context))
    context = context[order]
    is_first = np.concatenate(([True], context[1:] != context[:-1]))
    is_shared = ~(is_first & np.concatenate((is_first[1:], [True])))
    order = order[is_shared]
    return ContextIndex(np.flatnonzero(is_first[is_shared]), signature[order], label[order])


def _read_context(window: Window, index: ContextIndex, place: int) -> tuple[int, RowContent]:
    """The context of a place: the size of the signature, and the row without an image of the label."""
    signature, lost_label = int(index.signature[place]), int(index.label[place])
    labels, counts = window.matrix.read_row(signature)
    remaining = [
        (label, count - (label == lost_label))
        for label, count in zip(labels, counts, strict=True)
        if label != lost_label or count > 1
    ]
    content = tuple(label for label, _ in remaining), tuple(count for _, count in remaining)
    return int(window.size[signature]), content


def _separate_contexts(window: Window, index: ContextIndex, place: int) -> ContextIndex:
    """The index with the context of `place` separated by content, for label names made to give contexts equal hashes."""
    ends = np.append(index.start[1:], len(index.signature))
    number = int(np.searchsorted(index.start, place, side="right")) - 1
    members = np.arange(index.start[number], ends[number])
    contexts: dict[tuple[int, RowContent], list[int]] = {}
    for member in members.tolist():
        contexts.setdefault(_read_context(window, index, member), []).append(member)
    # A context with one place has no exchange.
    parts = [part for part in contexts.values() if len(part) > 1]
    other_places = np.setdiff1d(np.arange(len(index.signature)), members)
    order = np.concatenate([other_places, *parts]).astype(np.int64)
    other_lengths = np.delete(ends - index.start, number)
    lengths = np.concatenate((other_lengths, [len(part) for part in parts]))
    start = np.cumsum(lengths) - lengths
    return ContextIndex(start.astype(np.int64), index.signature[order], index.label[order])


def _find_best_exchange(state: SearchState, index: ContextIndex) -> tuple[int, int] | None:
    """Return the places of the signatures to add and to remove, or None if no exchange lowers the cost."""
    scale = state.window.fraction.denominator
    cost = np.abs(state.deviation)
    # The change in cost of one image more, and of one image fewer, of each label; 0 for no loss.
    change_if_added = np.append(np.abs(state.deviation + scale) - cost, 0)
    change_if_removed = np.append(np.abs(state.deviation - scale) - cost, 0)
    # The distance to the threshold, in the low bits, decides between equal changes.
    shift = np.int64(1 << (KEY_BITS + 1))
    adding = change_if_added[index.label] * shift + state.entry_distance[index.signature]
    removing = change_if_removed[index.label] * shift + state.exit_distance[index.signature]
    least_adding = np.minimum.reduceat(adding, index.start)
    least = least_adding + np.minimum.reduceat(removing, index.start)
    # Both minima may be at one place. Then the sum is not negative, because |d + s| + |d - s| >= 2 |d|.
    context = int(np.argmin(least))
    if least[context] >= 0:
        return None
    first = index.start[context]
    last = np.append(index.start, len(index.signature))[context + 1]
    added = first + np.argmin(adding[first:last])
    removed = first + np.argmin(removing[first:last])
    return int(added), int(removed)


def improve_by_double_swaps(window: Window, x: Ints) -> Ints:
    """Make double swaps until no candidate lowers the cost; `x` itself if all sizes are equal."""
    if window.size.min() == window.size.max():
        return x
    state = SearchState(window, x)
    signatures = np.arange(len(x), dtype=np.int64)
    for _ in range(MAX_DOUBLE_SWAPS):
        moves = _find_best_double_swap(state, signatures)
        if moves is None:
            break
        for signature, change in moves:
            state.move(signature, change)
    return state.x


@dataclass(frozen=True, slots=True)
class _SwapTable:
    """Swaps of candidates: swap `i` adds `into[i // len(out)]` and removes `out[i % len(out)]`.

    `into` and `out` end with _NO_SIGNATURE, for single moves. `added` and `removed` have the scaled counts of these signatures
    (rows) for all of their labels (columns), `deviation` has the deviation of these labels. A table of all swaps would have
    4,225 numbers for each label, so swaps are computed a row at a time.
    """

    into: Ints
    out: Ints
    added: Ints
    removed: Ints
    deviation: Ints

    @classmethod
    def build(cls, state: SearchState, signatures: Ints) -> "_SwapTable":
        window = state.window
        into = select_candidates(state, signatures, window.matrix, state.entry_distance, 1)
        out = select_candidates(state, signatures, window.matrix, state.exit_distance, -1)
        matrix = window.matrix.take_rows(np.concatenate((into, out)))
        labels, column = np.unique(matrix.labels, return_inverse=True)
        table = np.zeros((len(matrix) + 2, len(labels)), dtype=np.int64)
        row = matrix.compute_row_indices()
        # Row len(into) and the last row stay zero: they belong to _NO_SIGNATURE.
        table[row + (row >= len(into)), column] = matrix.counts * window.fraction.denominator
        return cls(
            into=np.append(into, _NO_SIGNATURE),
            out=np.append(out, _NO_SIGNATURE),
            added=table[: len(into) + 1],
            removed=table[len(into) + 1 :],
            deviation=state.deviation[labels],
        )

    def compute_changes(self, swaps: Ints) -> Ints:
        """The change of the deviation of each label (column) by each swap (row)."""
        return self.added[swaps // len(self.out)] - self.removed[swaps % len(self.out)]

    def compute_costs(self) -> Ints:
        """The sum of absolute deviations after each swap."""
        costs = [np.abs(self.deviation + row - self.removed).sum(axis=1) for row in self.added]
        return np.concatenate(costs)

    def compute_pair_costs(self, ups: Ints, downs: Ints) -> Ints:
        """The sum of absolute deviations after each of `ups` (rows) together with each of `downs` (columns)."""
        after = self.compute_changes(downs) + self.deviation
        return np.array(
            [np.abs(after + change).sum(axis=1) for change in self.compute_changes(ups)]
        )

    def get_signatures(self, swaps: Ints) -> Ints:
        """The signatures (added, removed) of each swap."""
        return np.column_stack((self.into[swaps // len(self.out)], self.out[swaps % len(self.out)]))


def _find_best_double_swap(state: SearchState, signatures: Ints) -> list[tuple[int, int]] | None:
    """Return the moves (signature, change) of the double swap that lowers the cost most, or None."""
    table = _SwapTable.build(state, signatures)
    swaps, differences = _select_swaps(state, table)
    least, best = int(np.abs(table.deviation).sum()), None
    for difference in np.unique(np.abs(differences)).tolist():
        ups, downs = swaps[differences == difference], swaps[differences == -difference]
        if len(ups) == 0 or len(downs) == 0:
            continue
        costs = table.compute_pair_costs(ups, downs)
        # Two swaps that move the same signature the same way are no double swap. Axes: ups, downs, (added, removed).
        first, second = table.get_signatures(ups)[:, None], table.get_signatures(downs)[None, :]
        costs[np.any((first == second) & (first != _NO_SIGNATURE), axis=2)] = least
        best_index = int(np.argmin(costs))
        if costs.flat[best_index] < least:
            least = int(costs.flat[best_index])
            up, down = divmod(best_index, len(downs))
            best = table.get_signatures(np.array([ups[up], downs[down]])).ravel()
    if best is None:
        return None
    moves = zip(best.tolist(), (1, -1, 1, -1), strict=True)
    return [(signature, change) for signature, change in moves if signature != _NO_SIGNATURE]


def _select_swaps(state: SearchState, table: _SwapTable) -> tuple[Ints, Ints]:
    """Return the best few swaps of each difference in entries, and their differences."""
    size = np.append(state.window.size, 0)
    differences = (size[table.into][:, None] - size[table.out][None, :]).ravel()
    order = np.lexsort((table.compute_costs(), differences))
    in_order = differences[order]
    first = np.searchsorted(in_order, in_order)
    selected = order[np.arange(len(order)) - first < _BEST_OF_EACH]
    return selected, differences[selected]
