"""Bulk balance: a price for each label, by which the keys of its units are tilted.

The tested units are those with the lowest `key - sum of prices`. A label with too few tested
entries gets a higher price, one with too many a lower one, until each is at the integer nearest to
its share. The tilt moves units near the threshold only, and moves as few of them as a linear
programme would: this is its dual, solved by a damped subgradient. All sums are integers, and the
few float steps are single IEEE operations, so that every machine finds the same prices.
"""

import numpy as np

from twofold.split.rows import Ints
from twofold.split.window import KEY_BITS, Window

ROUNDS = 80
_INDEX_BITS = 25
_MAX_TILT = 1 << KEY_BITS


def priced_quotas(window: Window) -> Ints:
    """How many units of each kind to test: the best of a bounded number of rounds."""
    kind = np.repeat(np.arange(len(window.size), dtype=np.int64), window.capacity)
    prices = np.zeros(len(window.images), dtype=np.int64)
    unit = window.fraction.denominator
    floors = window.floors()
    step = _damping(window) * 2.0**KEY_BITS / np.maximum(window.images, 1)
    best, best_cost = None, 0
    for _ in range(ROUNDS):
        x = _lowest(window, kind, prices)
        deviation = window.deviation(window.tested(x))
        cost = int(np.abs(deviation).sum())
        if best is None or cost < best_cost:
            best, best_cost = x, cost
        off = np.where(np.abs(deviation) <= floors, 0, deviation)
        if not off.any():
            break
        prices -= np.rint(off / unit * step).astype(np.int64)
    assert best is not None  # noqa: S101
    return best


def _damping(window: Window) -> float:
    """One over the mean row length that a label meets: the bound of the dual's curvature."""
    lengths = window.rows.lengths() * 1.0
    weights = lengths * window.capacity
    return float(weights.sum() / (weights * lengths).sum())


def _lowest(window: Window, kind: Ints, prices: Ints) -> Ints:
    tilt = np.clip(window.rows.sums(prices), -_MAX_TILT, _MAX_TILT)
    order = (window.position - tilt[kind]) << np.int64(_INDEX_BITS)
    order += np.arange(len(kind), dtype=np.int64)
    order.sort()
    taken = kind[order & np.int64((1 << _INDEX_BITS) - 1)]
    fits = np.searchsorted(np.cumsum(window.size[taken]), window.need, side="right")
    return np.bincount(taken[:fits], minlength=len(window.size))
