"""Bulk balance: a price for each label, by which the keys of its units are tilted.

The tested units are those with the lowest `key - sum of prices`. A label with too few tested
entries gets a higher price, one with too many a lower one, until each is within half an entry of
its share. The tilt moves units near the threshold only, and moves as few of them as a linear
programme would: this is its dual, solved by a damped subgradient whose last half is averaged, which
makes the prices change little when the dataset grows. Common pairs of labels are priced too, more
gently. All sums are integers and the few float steps are single IEEE operations, so that every
machine finds the same prices.
"""

import numpy as np

from twofold.split.rows import Ints
from twofold.split.window import KEY_BITS, Window

ROUNDS = 80
PAIR_SLACK = 1.0
PAIR_PACE = 0.3
_INDEX_BITS = 25
_MAX_TILT = 1 << KEY_BITS


def priced_quotas(window: Window, label_count: int) -> Ints:
    """How many units of each kind to test; beyond `label_count` the window's labels are pairs."""
    kind = _kinds(window)
    is_pair = np.arange(len(window.images)) >= label_count
    slack = np.where(is_pair, PAIR_SLACK, 0.5)
    pace = np.where(is_pair, PAIR_PACE, 1.0) * _damping(window, label_count)
    pace *= 2.0**KEY_BITS / np.maximum(window.images, 1)
    prices = np.zeros(len(window.images), dtype=np.int64)
    total = np.zeros_like(prices)
    for turn in range(ROUNDS):
        x = _lowest(window, kind, prices)
        off = window.deviation(window.tested(x)) / window.fraction.denominator
        excess = np.sign(off) * np.maximum(np.abs(off) - slack, 0)
        if not excess.any():
            return x
        prices -= np.rint(excess * pace).astype(np.int64)
        if turn >= ROUNDS // 2:
            total += prices
    return _lowest(window, kind, total // (ROUNDS - ROUNDS // 2))


def lowest_quotas(window: Window) -> Ints:
    """How many units of each kind have the lowest keys, whatever their labels."""
    return _lowest(window, _kinds(window), np.zeros(len(window.images), dtype=np.int64))


def _kinds(window: Window) -> Ints:
    return np.repeat(np.arange(len(window.size), dtype=np.int64), window.capacity)


def _damping(window: Window, label_count: int) -> float:
    """One over the mean number of labels beside a label: the bound of the dual's curvature."""
    is_label = window.rows.labels < label_count
    lengths = np.add.reduceat(is_label * window.rows.counts, window.rows.offsets[:-1])
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
