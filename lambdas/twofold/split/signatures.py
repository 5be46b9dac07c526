"""Signatures: units with equal rows of label counts and equal sizes are interchangeable.

Rows are numbered by 64-bit words from the names of their labels, so the order does not depend on the order of entries. A word
is a sum, and label names can be made whose sums are equal. Equal words are therefore only a hint: the rows behind them are
compared, and rows that differ keep signatures of their own.
"""

import numpy as np
from numpy.typing import NDArray

from twofold.split.keys import mix
from twofold.split.rows import Ints, Rows, places, row_sums_of_words, spans
from twofold.split.units import Units

Words = NDArray[np.uint64]
Content = tuple[tuple[int, ...], tuple[int, ...]]
"""The labels of a row and their counts."""


def sort_by_signature(units: Units, words: Words) -> tuple[Ints, Ints]:
    """The order of the units by signature and then by key, and the place in it of the first unit of each signature.

    `words` are those of the labels, as `label_words` makes them.
    """
    row_word = mix(row_sums_of_words(units.rows, words))
    rank = rank_rows(units.rows, row_word)
    word = row_word[units.row] ^ units.size.astype(np.uint64)
    order = np.lexsort((units.tie, units.key, word))
    new = _changes(word[order])
    if rank.any() or units.size.max(initial=1) > 1:
        # Of units with equal words but different rows or sizes the content decides, which also orders them.
        rank = rank[units.row]
        if np.any((_changes(rank[order]) | _changes(units.size[order])) & ~new):
            order = np.lexsort((units.tie, units.key, rank, units.size, word))
            new = _changes(word[order]) | _changes(rank[order]) | _changes(units.size[order])
    starts = np.concatenate((np.ones(min(1, len(order)), np.bool_), new))
    return order, np.flatnonzero(starts)


def rank_rows(rows: Rows, word: Words) -> Ints:
    """A number for each row, so that rows are equal if and only if word and number are: 0 where no other row has the word."""
    rank = np.zeros(len(rows), dtype=np.int64)
    order = np.argsort(word, kind="stable")
    at = np.flatnonzero(word[order][1:] == word[order][:-1])
    if not len(at):
        return rank
    equal = _are_equal(rows, order[at], order[at + 1])
    for shared in np.unique(word[order[at[~equal]]]):
        members = np.flatnonzero(word == shared).tolist()
        contents = [content_of(rows, member) for member in members]
        numbers = {content: number for number, content in enumerate(sorted(set(contents)))}
        rank[members] = [numbers[content] for content in contents]
    return rank


def content_of(rows: Rows, row: int) -> Content:
    where = slice(int(rows.offsets[row]), int(rows.offsets[row + 1]))
    return tuple(rows.labels[where].tolist()), tuple(rows.counts[where].tolist())


def _are_equal(rows: Rows, ones: Ints, others: Ints) -> NDArray[np.bool_]:
    """Whether the rows of each pair are equal; in chunks to bound memory."""
    lengths = rows.lengths()
    equal: NDArray[np.bool_] = lengths[ones] == lengths[others]
    comparable = np.flatnonzero(equal)
    edges = np.concatenate(([0], np.cumsum(lengths[ones[comparable]])))
    for first, last in spans(edges):
        pairs = comparable[first:last]
        offsets, here = places(rows.offsets, ones[pairs])
        _, there = places(rows.offsets, others[pairs])
        same = (rows.labels[here] == rows.labels[there]) & (rows.counts[here] == rows.counts[there])
        equal[pairs] = np.logical_and.reduceat(same, offsets[:-1])
    return equal


def _changes(values: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Whether each value but the first differs from the one before it."""
    changed: NDArray[np.bool_] = values[1:] != values[:-1]
    return changed
