"""The last labels: exchanges between kinds that differ in one image of one or two labels.

Taking one image of a label out of a row leaves its context; kinds that share a context can be
exchanged and change two labels at most, one of them perhaps none (the context itself is a kind).
The cost of such an exchange is the sum of what its two labels cost, so the best of all of them is
found by two minima in each context. Among equals the one nearest to the threshold is taken.
Contexts are found by their words, which are only a hint: the two of an exchange are compared before it is made.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twofold.split.keys import mix
from twofold.split.rows import Ints, row_sums_of_words
from twofold.split.signatures import Content, content_of
from twofold.split.standing import Standing
from twofold.split.window import KEY_BITS, Window

MAX_EXCHANGES = 2_000


@dataclass(frozen=True, slots=True)
class Places:
    """Kind `kind[i]` has its context after losing an image of `label[i]`.

    Context `c` owns the places from `start[c]` on. The label one past the last is for no loss.
    """

    start: Ints
    kind: Ints
    label: Ints


def exchange_while_better(window: Window, words: NDArray[np.uint64], x: Ints) -> Ints:
    """Quotas that no exchange within a context makes better."""
    places = _places(window, words)
    if len(places.start) == 0:
        return x
    standing = Standing(window, x)
    for _ in range(MAX_EXCHANGES):
        pair = _best_pair(standing, places)
        if pair is None:
            break
        added, removed = pair
        if _context(window, places, added) == _context(window, places, removed):
            standing.swap(int(places.kind[added]), int(places.kind[removed]))
        else:
            places = _separated(window, places, added)
            if len(places.start) == 0:
                break
    return standing.x


def _places(window: Window, words: NDArray[np.uint64]) -> Places:
    whole = row_sums_of_words(window.rows, words)
    salt = mix(window.size.astype(np.uint64))
    owner = window.rows.owners()
    lost = mix(whole[owner] - words[window.rows.labels]) ^ salt[owner]
    context = np.concatenate((mix(whole) ^ salt, lost))
    kind = np.concatenate((np.arange(len(whole), dtype=np.int64), owner))
    nothing = np.full(len(whole), len(words), dtype=np.int64)
    label = np.concatenate((nothing, window.rows.labels.astype(np.int64)))
    order = np.lexsort((kind, context))
    context = context[order]
    new = np.concatenate(([True], context[1:] != context[:-1]))
    shared = ~(new & np.concatenate((new[1:], [True])))
    order = order[shared]
    return Places(np.flatnonzero(new[shared]), kind[order], label[order])


def _context(window: Window, places: Places, place: int) -> tuple[int, Content]:
    """What is left of the kind: its size, and its row without one image of the label."""
    kind, label = int(places.kind[place]), int(places.label[place])
    labels, counts = content_of(window.rows, kind)
    left = [
        (each, count - (each == label))
        for each, count in zip(labels, counts, strict=True)
        if each != label or count > 1
    ]
    return int(window.size[kind]), (tuple(each for each, _ in left), tuple(c for _, c in left))


def _separated(window: Window, places: Places, place: int) -> Places:
    """The places with the context of this one divided: label names can be made whose contexts have equal words."""
    ends = np.append(places.start[1:], len(places.kind))
    number = int(np.searchsorted(places.start, place, side="right")) - 1
    members = np.arange(places.start[number], ends[number])
    contexts: dict[tuple[int, Content], list[int]] = {}
    for member in members.tolist():
        contexts.setdefault(_context(window, places, member), []).append(member)
    parts = [part for part in contexts.values() if len(part) > 1]
    kept = np.setdiff1d(np.arange(len(places.kind)), members)
    order = np.concatenate([kept, *parts]).astype(np.int64)
    lengths = np.concatenate((np.delete(ends - places.start, number), [len(p) for p in parts]))
    start = np.cumsum(lengths) - lengths
    return Places(start.astype(np.int64), places.kind[order], places.label[order])


def _best_pair(standing: Standing, places: Places) -> tuple[int, int] | None:
    """The places of the kinds to add and to remove, or None if no exchange lowers the cost."""
    unit = standing.window.fraction.denominator
    now = np.abs(standing.deviation)
    gain = np.append(np.abs(standing.deviation + unit) - now, 0)
    loss = np.append(np.abs(standing.deviation - unit) - now, 0)
    scale = np.int64(1 << (KEY_BITS + 1))
    into = gain[places.label] * scale + standing.entering[places.kind]
    out = loss[places.label] * scale + standing.leaving[places.kind]
    total = np.minimum.reduceat(into, places.start) + np.minimum.reduceat(out, places.start)
    context = int(np.argmin(total))
    if total[context] >= 0:
        return None
    first = places.start[context]
    last = np.append(places.start, len(places.kind))[context + 1]
    added = first + np.argmin(into[first:last])
    removed = first + np.argmin(out[first:last])
    return int(added), int(removed)
