"""Which entries are tested: the entrance of the split."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from twofold.split.certificate import ALGORITHM_VERSION, Certificate, Selection
from twofold.split.quotas import FLOOR, best_quotas
from twofold.split.rows import Ints, LabelSets, canonical_rows, label_words
from twofold.split.units import Units, entries_as_units
from twofold.split.window import open_window

ONE_FIFTH = Fraction(1, 5)
MAX_DENOMINATOR = 1_000_000


def select_test_entries(
    *,
    source: NDArray[np.uint64],
    label_set: NDArray[np.uint32],
    label_sets: LabelSets,
    fraction: Fraction = ONE_FIFTH,
    seed: int = 0,
    groups: NDArray[np.uint64] | None = None,
    time_limit: float = 20.0,
) -> Selection:
    """Choose floor(fraction * N + 1/2) of N entries so that every label keeps its share.

    `source` holds the hash of each entry's `source-ref`, `label_set` the index of its set in
    `label_sets`. The choice depends on the seed and on the entries' sources and label names alone:
    not on their order nor on any numbering.
    Raises ValueError for a fraction, a seed or arrays that make no sense.
    """
    _check(source, label_set, label_sets, fraction)
    rows, order = canonical_rows(label_sets)
    times = np.bincount(label_set, minlength=len(rows))
    images = rows.totals(times, len(order) + 1)
    wanted = int(fraction * len(source) + Fraction(1, 2))
    units = entries_as_units(source, label_set, rows, seed)
    words = label_words(label_sets.names, order)
    test, bound, proof = _tested(units, images, words, fraction, wanted, time_limit)
    tested = rows.totals(np.bincount(label_set[test], minlength=len(rows)), len(images))
    certificate = Certificate(
        entries=len(source),
        wanted=wanted,
        reached=int(test.sum()),
        fraction=fraction,
        seed=seed,
        algorithm_version=ALGORITHM_VERSION,
        deviation=_deviation(images, tested, fraction),
        lower_bound=Fraction(bound, fraction.denominator),
        proof=proof,
        swapped=_swapped(units, test),
    )
    names = tuple(label_sets.names[label] for label in order)
    return Selection(test, certificate, names, images, tested)


def _check(
    source: NDArray[np.uint64],
    label_set: NDArray[np.uint32],
    label_sets: LabelSets,
    fraction: Fraction,
) -> None:
    if not 0 <= fraction <= 1 or fraction.denominator > MAX_DENOMINATOR:
        raise ValueError(
            f"The test fraction must be between 0 and 1 with a denominator of at most "
            f"{MAX_DENOMINATOR}, not {fraction}."
        )
    if len(source) != len(label_set):
        raise ValueError(f"There are {len(source)} sources and {len(label_set)} label sets.")
    if len(label_set) and int(label_set.max()) >= len(label_sets.offsets) - 1:
        raise ValueError(
            f"Label set {int(label_set.max())} is not one of the {len(label_sets.offsets) - 1}."
        )


def _tested(
    units: Units,
    images: Ints,
    words: NDArray[np.uint64],
    fraction: Fraction,
    wanted: int,
    time_limit: float,
) -> tuple[NDArray[np.bool_], int, str]:
    """The test side, a lower bound of its scaled deviation and the proof of the bound."""
    if wanted == 0 or wanted == int(units.size.sum()):
        test = np.full(len(units), wanted > 0)
        tested = images if wanted else images * 0
        return test, int(_deviation(images, tested, fraction) * fraction.denominator), FLOOR
    window, test = open_window(units, images, words, fraction, wanted)
    quotas = best_quotas(window, words, time_limit)
    test[window.chosen(quotas.x)] = True
    return test, quotas.bound, quotas.proof


def _deviation(images: Ints, tested: Ints, fraction: Fraction) -> Fraction:
    scaled = fraction.denominator * tested - fraction.numerator * images
    return Fraction(int(np.abs(scaled).sum()), fraction.denominator)


def _swapped(units: Units, test: NDArray[np.bool_]) -> int:
    """Test entries with keys above the lowest keys that would have made a test set as large."""
    reached = int(test.sum())
    if reached == 0:
        return 0
    last = np.sort(units.key)[reached - 1]
    return int((test & (units.key > last)).sum())
