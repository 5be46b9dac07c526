"""The dual bound: both implementations agree, and brute force never finds a split below it."""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.split.entries import (
    Entry,
    compute_deviation,
    draw_entries,
    generate_entries,
    seeds,
    split_entries,
)
from tests.split.test_limits import generate_weather_entries
from twofold.split import Selection, highs
from twofold.split.coverage import CoverageError
from twofold.split.deviation_lattice import DeviationLattice, find_label_parity
from twofold.split.label_matrix import LabelMatrix
from twofold_verify import dual_bound
from twofold_verify.dual_bound import (
    Multipliers,
    Relaxation,
    compute_value,
    find_loose_multipliers,
    is_reduced,
    round_up,
)
from twofold_verify.swaps import Signature

FRACTIONS = st.sampled_from(
    [
        Fraction(1, 5),
        Fraction(1, 4),
        Fraction(1, 3),
        Fraction(2, 7),
        Fraction(1, 2),
        Fraction(3, 10),
    ]
) | st.fractions("1/100", "99/100", max_denominator=2_000)


def make_relaxation(
    entries: list[Entry], fraction: Fraction, test_entries: int, *, grouped: bool, minimum: int = 0
) -> Relaxation:
    images = Counter(name for entry in entries for name in entry.labels or ("",))
    limits = {
        name: (minimum, count - minimum)
        for name, count in images.items()
        if name and count >= 2 * minimum
    }
    units = count_signatures(entries, grouped=grouped)
    return Relaxation(units, images, fraction, test_entries, limits if minimum else {})


def is_within_limits(test: set[Entry], relaxation: Relaxation) -> bool:
    counts = Counter(name for entry in test for name in entry.labels)
    return all(
        least <= counts[name] <= largest for name, (least, largest) in relaxation.limits.items()
    )


def count_signatures(entries: list[Entry], *, grouped: bool) -> Counter[Signature]:
    counts: dict[int, Counter[str]] = {}
    sizes: Counter[int] = Counter()
    for entry in entries:
        unit = entry.group if grouped else entry.source
        counts.setdefault(unit, Counter()).update(entry.labels or ("",))
        sizes[unit] += 1
    return Counter((sizes[unit], tuple(sorted(counts[unit].items()))) for unit in counts)


def generate_splits(
    entries: list[Entry], test_entries: int, *, grouped: bool
) -> Iterator[set[Entry]]:
    """Yield all test sets of `test_entries` entries."""
    units: dict[int, list[Entry]] = {}
    for entry in entries:
        units.setdefault(entry.group if grouped else entry.source, []).append(entry)
    for count in range(len(units) + 1):
        for chosen in combinations(units.values(), count):
            test = {entry for unit in chosen for entry in unit}
            if len(test) == test_entries:
                yield test


def read_multipliers(selection: Selection) -> Multipliers:
    bound = selection.certificate.dual_bound
    labels = dict(zip((*selection.names, ""), bound.labels.tolist(), strict=True))
    used = {label: multiplier for label, multiplier in labels.items() if multiplier}
    return Multipliers(bound.denominator, bound.entries, used)


small_entries = draw_entries(max_size=9, max_groups=6)
numbers = st.integers(-12, 12)


@given(small_entries, FRACTIONS, st.booleans(), st.integers(0, 2), st.data())
def test_no_multipliers_prove_more_than_the_optimum(
    entries: list[Entry], fraction: Fraction, grouped: bool, minimum: int, data: st.DataObject
) -> None:
    test_entries = data.draw(st.integers(0, len(entries)))
    relaxation = make_relaxation(entries, fraction, test_entries, grouped=grouped, minimum=minimum)
    labels = {name: data.draw(numbers) for name in relaxation.images}
    multipliers = Multipliers(data.draw(st.integers(1, 9)), data.draw(numbers), labels)
    value = compute_value(relaxation, multipliers)
    bound = round_up(relaxation, value)
    assert value <= bound
    for test in generate_splits(entries, test_entries, grouped=grouped):
        deviation = compute_deviation(entries, test, fraction)
        assert round_up(relaxation, deviation) == deviation
        if is_within_limits(test, relaxation):
            assert bound <= deviation


@given(small_entries, FRACTIONS, seeds, st.booleans(), st.integers(0, 2))
def test_the_bound_of_a_split_is_confirmed_and_below_every_split(
    entries: list[Entry], fraction: Fraction, seed: int, grouped: bool, minimum: int
) -> None:
    options = {"fraction": fraction, "seed": seed, "min_per_label": minimum}
    try:
        selection = split_entries(entries, grouped=grouped, **options)
    except CoverageError:
        assume(False)
    certificate = selection.certificate
    relaxation = make_relaxation(
        entries, fraction, certificate.reached, grouped=grouped, minimum=minimum
    )
    multipliers = read_multipliers(selection)
    assert is_reduced(multipliers)
    assert certificate.dual_bound.value == compute_value(relaxation, multipliers)
    assert list(find_loose_multipliers(relaxation, multipliers)) == []
    assert certificate.dual_bound.bound <= certificate.lower_bound <= certificate.deviation
    if 0 < certificate.reached < len(entries):
        assert certificate.dual_bound.bound == round_up(relaxation, certificate.dual_bound.value)
    for test in generate_splits(entries, certificate.reached, grouped=grouped):
        if is_within_limits(test, relaxation):
            assert certificate.lower_bound <= compute_deviation(entries, test, fraction)


@given(
    st.lists(st.tuples(st.integers(1, 3), st.lists(st.integers(0, 2), min_size=3, max_size=3))),
    FRACTIONS,
    st.integers(0, 9),
    st.fractions(0, 20, max_denominator=50),
)
def test_both_implementations_round_up_equally(
    units: list[tuple[int, list[int]]],
    fraction: Fraction,
    test_entries: int,
    value: Fraction,
) -> None:
    # A unit has at least one label.
    rows = [(size, [count + (i == 0) for i, count in enumerate(row)]) for size, row in units]
    sparse = [[(label, n) for label, n in enumerate(row) if n] for _, row in rows]
    matrix = LabelMatrix(
        np.cumsum([0, *map(len, sparse)]),
        np.array([label for row in sparse for label, _ in row], dtype=np.int32),
        np.array([n for row in sparse for _, n in row], dtype=np.int64),
    )
    images = np.array([sum(row[i] for _, row in rows) for i in range(3)], dtype=np.int64)
    size = np.array([size for size, _ in rows], dtype=np.int64)
    signatures = Counter(
        (int(n), tuple((str(label), count) for label, count in row))
        for n, row in zip(size, sparse, strict=True)
    )
    counts = {str(label): count for label, count in enumerate(images.tolist()) if count}
    relaxation = Relaxation(signatures, counts, fraction, test_entries)
    parity = find_label_parity(matrix, size, test_entries)
    lattice = DeviationLattice.build(images[images > 0], fraction, parity)
    scaled = -(-value * fraction.denominator // 1)
    expected = round_up(relaxation, value) * fraction.denominator
    assert lattice.round_up(scaled) == expected


@pytest.mark.parametrize("seed", range(0, 20, 2))
def test_multipliers_prove_the_optimum_of_splits_of_images(seed: int) -> None:
    """Ten labels and about 400 images: without groups the linear relaxation reaches the optimum, rounded up."""
    certificate = split_entries(generate_weather_entries(400, seed)).certificate
    assert certificate.proof in ("integrality floor", "dual bound")
    assert certificate.dual_bound.bound == certificate.deviation


def test_groups_have_a_bound_above_the_floor() -> None:
    entries = generate_entries(600, 60, seed=6, group_size=20)
    selection = split_entries(entries, grouped=True)
    bound = selection.certificate.dual_bound
    relaxation = make_relaxation(
        entries, Fraction(1, 5), selection.certificate.reached, grouped=True
    )
    zero = Multipliers(1, 0, {})
    assert bound.value > compute_value(relaxation, zero)
    assert list(find_loose_multipliers(relaxation, read_multipliers(selection))) == []
    assert list(find_loose_multipliers(relaxation, Multipliers(1, 1, {"label-0": 1}))) != []


def test_without_a_solution_of_the_relaxation_the_floor_is_the_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(highs, "LP_WORK", 0)
    certificate = split_entries(generate_weather_entries(400, 12)).certificate
    assert certificate.proof == "MILP optimum"
    assert certificate.dual_bound.entries == 0
    assert certificate.dual_bound.bound == certificate.dual_bound.value < certificate.deviation


def test_large_denominators_round_up_by_parity() -> None:
    entries = [Entry(i, frozenset(["ant" if i % 3 else "bee"])) for i in range(31)]
    fraction = Fraction(310_001, 999_983)
    selection = split_entries(entries, fraction=fraction)
    assert fraction.denominator > dual_bound.MAX_DENOMINATOR
    assert selection.certificate.optimal
    relaxation = make_relaxation(entries, fraction, selection.certificate.reached, grouped=False)
    assert compute_value(relaxation, read_multipliers(selection)) == (
        selection.certificate.dual_bound.value
    )
