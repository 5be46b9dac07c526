"""How many units of each kind to test: bulk balance, the fewest swaps, and the proof."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twofold.split.changes import fewest_changes
from twofold.split.doubles import double_while_better
from twofold.split.exchanges import exchange_while_better
from twofold.split.highs import LIMITS, Solver
from twofold.split.optimum import fewest_missing, least_deviation, missing_weights
from twofold.split.prices import lowest_quotas, priced_quotas
from twofold.split.rows import Ints
from twofold.split.sizes import sized_quotas
from twofold.split.standing import Standing
from twofold.split.swaps import cheapest, swap_while_better
from twofold.split.window import Window, narrowed

FLOOR = "integrality floor"
OPTIMUM = "MILP optimum"
TOO_LARGE = "too large for a MILP"
INEXACT = "inexact MILP"
"""What HiGHS found does not hold in integers."""

# Non-zero values of a programme that HiGHS settles in seconds.
WHOLE_PROGRAMME = 10_000
PART_PROGRAMMES = (4_000, 8_000, 16_000, 16_000, 16_000)


@dataclass(frozen=True, slots=True)
class Quotas:
    """Units to test of each kind, their entries, their scaled cost, a lower bound of it and its proof."""

    x: Ints
    entries: int
    cost: int
    bound: int
    proof: str


def best_quotas(
    window: Window, paired: Window, words: NDArray[np.uint64], solver: Solver
) -> Quotas:
    """Quotas with the least summed deviation; of those, few labels missing on a side, and where the
    window is coordinated with a previous split, few entries that change sides.

    `paired` is the window with common pairs as further labels, to be balanced on the way.
    Their entries are fewer than the window needs only where its units do not add up to that.
    """
    x = min(_searched(window, paired, words, solver), key=window.cost)
    return finish_quotas(window, x, solver)


def finish_quotas(window: Window, x: Ints, solver: Solver) -> Quotas:
    """`x` brought to the optimum, as far as programmes reach, and near a previous split."""
    quotas = _closed(window, x, solver)
    if window.ranks is None:
        return quotas
    kept = fewest_changes(window, quotas.x, solver)
    required = required_labels(window)
    worse = _missing(window, kept, required) > _missing(window, quotas.x, required)
    return quotas if worse else replace(quotas, x=kept)


def _searched(
    window: Window, paired: Window, words: NDArray[np.uint64], solver: Solver
) -> Iterator[Ints]:
    """What swaps reach: from the previous split, if there is one, as long as that is not the floor from prices."""
    if window.ranks is not None:
        yield (x := _swapped(window, lowest_quotas(window), words, solver))
        if window.cost(x) == window.floor():
            return
    yield _swapped(window, priced_quotas(paired, len(window.images)), words, solver)


def _swapped(window: Window, x: Ints, words: NDArray[np.uint64], solver: Solver) -> Ints:
    x = swap_while_better(window, sized_quotas(window, x, solver))
    if window.cost(x) > window.floor():
        x = exchange_while_better(window, words, x)
        x = double_while_better(window, x)
    return x


def _closed(window: Window, x: Ints, solver: Solver) -> Quotas:
    """Programmes where swaps have not reached the floor."""
    if window.cost(x) == window.floor():
        return _quotas(window, x, window.floor(), FLOOR)
    if len(window.rows.labels) <= WHOLE_PROGRAMME:
        return _proved(window, x, solver)
    for values in PART_PROGRAMMES:
        x = _part_closed(window, x, values, solver)
        if window.cost(x) == window.floor():
            return _quotas(window, x, window.floor(), FLOOR)
    return _quotas(window, x, window.floor(), TOO_LARGE)


def _part_closed(window: Window, x: Ints, values: int, solver: Solver) -> Ints:
    """The best quotas when only the kinds that cost least to move may change."""
    kinds = cheapest(Standing(window, x))
    fits = np.searchsorted(np.cumsum(window.rows.lengths()[kinds]), values)
    kinds = np.sort(kinds[:fits])
    part = narrowed(window, x, kinds)
    outcome = least_deviation(part, x[kinds], solver, effort=0.1)
    if outcome.x is None or part.cost(outcome.x) >= window.cost(x):
        return x
    result = x.copy()
    result[kinds] = outcome.x
    return result


def _proved(window: Window, x: Ints, solver: Solver) -> Quotas:
    outcome = least_deviation(window, x, solver)
    bound = outcome.bound if window.whole else window.floor()
    if outcome.x is not None and window.cost(outcome.x) < window.cost(x):
        x = outcome.x
    required = required_labels(window)
    if _missing(window, x, required):
        x = fewest_missing(window, x, required, solver)
    if window.cost(x) <= bound:
        return _quotas(window, x, bound, FLOOR if bound == window.floor() else OPTIMUM)
    if not window.whole:
        return _quotas(window, x, bound, TOO_LARGE)
    return _quotas(window, x, bound, outcome.ended if outcome.ended in LIMITS else INEXACT)


def _quotas(window: Window, x: Ints, bound: int, proof: str) -> Quotas:
    entries, cost = int((x * window.size).sum()), window.cost(x)
    return Quotas(x, entries, cost, min(bound, cost), proof)


def required_labels(window: Window) -> Ints:
    """Labels whose share is an image or more on each side: at one fifth, those with 5 images."""
    small = min(window.fraction, 1 - window.fraction)
    return np.flatnonzero(small.numerator * window.images >= small.denominator)


def _missing(window: Window, x: Ints, required: Ints) -> int:
    """Twice the required labels that are missing on a side; once for entries without a label."""
    tested = window.tested(x)[required]
    missing = (tested == 0) | (tested == window.images[required])
    return int(missing_weights(window, required)[missing].sum())
