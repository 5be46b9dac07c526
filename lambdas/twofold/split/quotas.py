"""How many units of each kind to test: bulk balance, last exchanges, and the proof."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twofold.split.optimum import MAX_VALUES, least_deviation, nearest_quotas
from twofold.split.prices import priced_quotas
from twofold.split.rows import Ints
from twofold.split.swaps import exchanged_quotas
from twofold.split.window import Window

FLOOR = "integrality floor"
OPTIMUM = "MILP optimum"
UNPROVED = "not proved: too many label sets for a MILP"


@dataclass(frozen=True, slots=True)
class Quotas:
    """Units to test of each kind, a lower bound of the scaled cost, and how that was proved."""

    x: Ints
    bound: int
    proof: str


def best_quotas(window: Window, words: NDArray[np.uint64], time_limit: float) -> Quotas:
    """Quotas with the least summed deviation; of those, few labels missing on a side."""
    x = exchanged_quotas(window, words, priced_quotas(window))
    if window.cost(x) == window.floor():
        return Quotas(x, window.floor(), FLOOR)
    if len(window.rows.labels) > MAX_VALUES:
        return Quotas(x, window.floor(), UNPROVED)
    return _proved(window, x, time_limit)


def _proved(window: Window, x: Ints, time_limit: float) -> Quotas:
    outcome = least_deviation(window, time_limit)
    least = window.cost(x)
    if outcome.x is not None and window.cost(outcome.x) < least:
        least, x = window.cost(outcome.x), outcome.x
    required = required_labels(window)
    nearest = nearest_quotas(window, x, least, required, time_limit)
    if nearest.x is not None and _rank(window, nearest.x, required) < _rank(window, x, required):
        x = nearest.x
    bound = outcome.bound if window.whole else window.floor()
    if window.cost(x) <= bound:
        return Quotas(x, window.cost(x), FLOOR if bound == window.floor() else OPTIMUM)
    return Quotas(x, bound, outcome.ended if window.whole else UNPROVED)


def required_labels(window: Window) -> Ints:
    """Labels whose share is an image or more on each side: at one fifth, those with 5 images."""
    small = min(window.fraction, 1 - window.fraction)
    return np.flatnonzero(small.numerator * window.images >= small.denominator)


def _rank(window: Window, x: Ints, required: Ints) -> tuple[int, int]:
    tested = window.tested(x)[required]
    missing = (tested == 0) | (tested == window.images[required])
    return window.cost(x), int(missing.sum())
