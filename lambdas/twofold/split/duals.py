"""Bulk balance: a dual price for each label shifts the keys of the units with the label.

The test set takes the units with the lowest `key - sum of dual prices`. A label with too few test images gets a higher price,
a label with too many a lower price, until each label is within half an image of the share. The shift moves only units near
the threshold, and as few units as a linear programme would move: the prices solve the dual programme, by a damped subgradient
method. The mean of the last half of the rounds makes the prices change little when the dataset grows. Common pairs of labels
have prices too, with a larger slack and a smaller pace. All sums are integers and the few float steps are single IEEE
operations, so every machine computes the same prices.
"""

import numpy as np

from twofold.label_sets import Ints
from twofold.split.window import KEY_BITS, Window

ROUNDS = 80
LABEL_SLACK = 0.5
PAIR_SLACK = 1.0
PAIR_PACE = 0.3
_INDEX_BITS = 25
_MAX_SHIFT = 1 << KEY_BITS


def allocate_by_dual_prices(window: Window, label_count: int) -> Ints:
    """An allocation near the share of every label. Labels from `label_count` on are pairs."""
    signature = _list_signatures(window)
    is_pair = np.arange(len(window.images)) >= label_count
    slack = np.where(is_pair, PAIR_SLACK, LABEL_SLACK)
    # The step of a label, in keys for each image of excess, is the inverse of its number of images: keys are uniform, so a
    # shift by this step moves about one image of the label over the threshold.
    pace = np.where(is_pair, PAIR_PACE, 1.0) * _compute_damping(window, label_count)
    pace *= 2.0**KEY_BITS / np.maximum(window.images, 1)
    prices = np.zeros(len(window.images), dtype=np.int64)
    price_sums = np.zeros_like(prices)
    for round_number in range(ROUNDS):
        x = _allocate_lowest(window, signature, prices)
        test_images = window.count_test_images(x)
        deviation = window.compute_deviation(test_images) / window.fraction.denominator
        # Deviations within the slack count as balanced.
        excess = np.sign(deviation) * np.maximum(np.abs(deviation) - slack, 0)
        if not excess.any():
            return x
        prices -= np.rint(excess * pace).astype(np.int64)
        if round_number >= ROUNDS // 2:
            price_sums += prices
    return _allocate_lowest(window, signature, price_sums // (ROUNDS - ROUNDS // 2))


def allocate_by_key(window: Window) -> Ints:
    """The allocation of the units with the lowest keys, without regard to labels."""
    prices = np.zeros(len(window.images), dtype=np.int64)
    return _allocate_lowest(window, _list_signatures(window), prices)


def _list_signatures(window: Window) -> Ints:
    """The signature of each unit."""
    return np.repeat(np.arange(len(window.size), dtype=np.int64), window.capacity)


def _compute_damping(window: Window, label_count: int) -> float:
    """One over the mean number of labels of a unit, where a unit counts once for each of its labels.

    A round changes the prices of all labels, and a unit moves by the sum of its labels' prices. Without the damping a label
    would overshoot by about the number of labels of its units.
    """
    is_label = window.matrix.labels < label_count
    lengths = np.add.reduceat(is_label * window.matrix.counts, window.matrix.offsets[:-1])
    weights = lengths * window.capacity
    return float(weights.sum() / (weights * lengths).sum())


def _allocate_lowest(window: Window, signature: Ints, prices: Ints) -> Ints:
    """The allocation of the lowest shifted keys that fit into the needed entries."""
    # A shift for each signature: the sum of the prices of its labels.
    shift = np.clip(window.matrix.sum_by_row(prices), -_MAX_SHIFT, _MAX_SHIFT)
    # The unit's index in the low bits breaks ties and makes a plain sort return the order.
    order = (window.short_key - shift[signature]) << np.int64(_INDEX_BITS)
    order += np.arange(len(signature), dtype=np.int64)
    order.sort()
    lowest = signature[order & np.int64((1 << _INDEX_BITS) - 1)]
    # With groups, the last unit that would exceed the needed entries is left out.
    fits = np.searchsorted(np.cumsum(window.size[lowest]), window.needed, side="right")
    return np.bincount(lowest[:fits], minlength=len(window.size))
