"""The last labels: exchanges between kinds that differ in one image of one or two labels.

Taking one image of a label out of a row leaves its context; kinds that share a context can be
exchanged and change two labels at most, one of them perhaps none (the context itself is a kind).
The cost of such an exchange is the sum of what its two labels cost, so the best of all of them is
found by two minima in each context. Among equals the one nearest to the threshold is taken.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twofold.split.keys import mix
from twofold.split.rows import Ints, row_sums_of_words
from twofold.split.window import KEY_BITS, Window

_NEVER = np.int64(1 << 61)
MAX_EXCHANGES = 5_000


@dataclass(frozen=True, slots=True)
class Places:
    """Kind `kind[i]` has its context after losing an image of `label[i]`.

    Context `c` owns the places from `start[c]` on. The label one past the last is for no loss.
    """

    start: Ints
    kind: Ints
    label: Ints


def places(window: Window, words: NDArray[np.uint64]) -> Places:
    whole = row_sums_of_words(window.rows, words)
    salt = mix(window.size.astype(np.uint64))
    owner = window.rows.owners()
    context = np.concatenate(
        (mix(whole) ^ salt, mix(whole[owner] - words[window.rows.labels]) ^ salt[owner])
    )
    kind = np.concatenate((np.arange(len(whole), dtype=np.int64), owner))
    nothing = np.full(len(whole), len(words), dtype=np.int64)
    label = np.concatenate((nothing, window.rows.labels.astype(np.int64)))
    order = np.lexsort((kind, context))
    context = context[order]
    new = np.concatenate(([True], context[1:] != context[:-1]))
    shared = ~(new & np.concatenate((new[1:], [True])))
    order = order[shared]
    return Places(np.flatnonzero(new[shared]), kind[order], label[order])


def exchanged_quotas(window: Window, words: NDArray[np.uint64], x: Ints) -> Ints:
    """Exchange while the summed deviation falls."""
    place = places(window, words)
    if len(place.start) == 0:
        return x
    x = x.copy()
    deviation = window.deviation(window.tested(x))
    entering, leaving = _distances(window, x)
    for _ in range(MAX_EXCHANGES):
        found = _best(window, place, deviation, entering, leaving)
        if found is None:
            break
        added, removed = found
        for kind, change in ((added, 1), (removed, -1)):
            x[kind] += change
            row = slice(window.rows.offsets[kind], window.rows.offsets[kind + 1])
            step = change * window.fraction.denominator
            deviation[window.rows.labels[row]] += step * window.rows.counts[row]
            entering[kind], leaving[kind] = _distance(window, kind, int(x[kind]))
    return x


def _distances(window: Window, x: Ints) -> tuple[Ints, Ints]:
    pairs = [_distance(window, kind, int(tested)) for kind, tested in enumerate(x)]
    table = np.array(pairs, dtype=np.int64)
    return table[:, 0].copy(), table[:, 1].copy()


def _distance(window: Window, kind: int, tested: int) -> tuple[int, int]:
    """How far the next unit to enter and the next to leave are from the threshold."""
    first, last = int(window.start[kind]), int(window.start[kind + 1])
    never = int(_NEVER)
    enter, leave = never, never
    if first + tested < last:
        enter = max(0, int(window.position[first + tested]) - window.threshold)
    if tested > 0:
        leave = max(0, window.threshold - int(window.position[first + tested - 1]))
    return enter, leave


def _best(
    window: Window, place: Places, deviation: Ints, entering: Ints, leaving: Ints
) -> tuple[int, int] | None:
    unit = window.fraction.denominator
    now = np.abs(deviation)
    gain = np.append(np.abs(deviation + unit) - now, 0)
    loss = np.append(np.abs(deviation - unit) - now, 0)
    scale = np.int64(1 << (KEY_BITS + 1))
    into = gain[place.label] * scale + entering[place.kind]
    out = loss[place.label] * scale + leaving[place.kind]
    total = np.minimum.reduceat(into, place.start) + np.minimum.reduceat(out, place.start)
    context = int(np.argmin(total))
    if total[context] >= -scale // 2:
        return None
    first = place.start[context]
    last = place.start[context + 1] if context + 1 < len(place.start) else len(place.kind)
    added = place.kind[first + np.argmin(into[first:last])]
    removed = place.kind[first + np.argmin(out[first:last])]
    return int(added), int(removed)
