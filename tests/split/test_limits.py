"""Every limit of the split, on both sides: window, size of a programme, nodes, steps; and what the proof says there."""

import multiprocessing
import random
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.split.any_data import Entry, any_entries, deviation, fractions, generated, seeds, split
from tests.split.milp import least_deviation
from twofold.split import Selection, division, optimum, quotas, window
from twofold.split.highs import Answer, Solver

FIFTH = Fraction(1, 5)
FLOOR, OPTIMUM, TOO_LARGE = quotas.FLOOR, quotas.OPTIMUM, quotas.TOO_LARGE


@contextmanager
def limits(**values: int) -> Iterator[None]:
    """Limits of modules, such as `division_ALWAYS_OPEN=4`, in the block."""
    modules = {"division": division, "optimum": optimum, "quotas": quotas}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            module, _, limit = name.partition("_")
            patch.setattr(modules[module], limit, value)
        yield


def two_labels(first: int, second: int) -> list[Entry]:
    """Every entry has one of two labels."""
    names = ["ant"] * first + ["bee"] * second
    drawn = random.Random(first).sample(range(1 << 62), len(names))
    return [Entry(source, frozenset([name])) for source, name in zip(drawn, names, strict=True)]


def weather(count: int, seed: int) -> list[Entry]:
    """One of four exclusive labels and some of nine others: rounding seldom agrees with the number of entries."""
    draw = np.random.default_rng(seed)
    return [
        Entry(
            int(draw.integers(1 << 62)),
            frozenset(
                [f"weather {draw.choice(4, p=[0.6, 0.2, 0.15, 0.05])}"]
                + [f"ground {label}" for label in draw.choice(9, draw.poisson(1.0) % 9, False)]
            ),
        )
        for _ in range(count)
    ]


HARD = weather(400, seed=12)
"""No split of it reaches the integrality floor."""


def hard_groups() -> list[Entry]:
    return generated(2_000, 60, seed=6, group_size=20)


def split_hard_groups(work_limit: int) -> tuple[bytes, str]:
    selection = split(hard_groups(), grouped=True, work_limit=work_limit)
    return selection.test.tobytes(), selection.certificate.proof


@pytest.mark.parametrize(
    ("first", "second"),
    [(10_000, 10_000), (10_001, 10_000), (10_002, 10_001), (10_003, 10_002), (30_002, 30_001)],
)
def test_two_labels_are_at_a_proven_optimum_on_both_sides_of_the_window(
    first: int, second: int
) -> None:
    certificate = split(two_labels(first, second)).certificate
    assert certificate.optimal
    assert certificate.proof in (FLOOR, OPTIMUM)


def _check_optimum(
    entries: list[Entry], selection: Selection, fraction: Fraction, *, grouped: bool
) -> None:
    least = least_deviation(entries, fraction, selection.certificate.reached, grouped=grouped)
    assert float(selection.certificate.deviation) == pytest.approx(least, abs=1e-3)
    assert deviation(entries, selection.test.tolist(), fraction) == selection.certificate.deviation
    assert selection.certificate.optimal


@settings(max_examples=60, deadline=None)
@given(
    any_entries(),
    st.sampled_from([FIFTH, Fraction(1, 3), Fraction(7, 10)]),
    seeds,
    st.booleans(),
    st.integers(1, 12),
)
def test_whatever_the_window_leaves_open_the_optimum_is_reached_and_proven(
    entries: list[Entry], fraction: Fraction, seed: int, grouped: bool, always_open: int
) -> None:
    with limits(division_ALWAYS_OPEN=always_open, division_DEVIATIONS=0):
        selection = split(entries, fraction=fraction, seed=seed, grouped=grouped)
    _check_optimum(entries, selection, fraction, grouped=grouped)


@given(any_entries(), fractions, seeds, st.randoms(use_true_random=False))
def test_behind_a_narrow_window_the_order_of_entries_does_not_matter(
    entries: list[Entry], fraction: Fraction, seed: int, shuffler: random.Random
) -> None:
    shuffled = list(entries)
    shuffler.shuffle(shuffled)
    with limits(division_ALWAYS_OPEN=2, division_DEVIATIONS=0):
        selections = [split(order, fraction=fraction, seed=seed) for order in (entries, shuffled)]
    tested = [
        {entry.source for entry, test in zip(order, selection.test, strict=True) if test}
        for order, selection in zip((entries, shuffled), selections, strict=True)
    ]
    assert tested[0] == tested[1]


@given(any_entries(), st.lists(st.sampled_from([0, 1, 2]), min_size=40, max_size=40))
def test_behind_a_narrow_window_a_previous_split_costs_no_balance(
    entries: list[Entry], sides: list[int]
) -> None:
    previous = np.array(sides[: len(entries)], dtype=np.uint8)
    with limits(division_ALWAYS_OPEN=2, division_DEVIATIONS=0):
        selection = split(entries, previous=previous)
    _check_optimum(entries, selection, FIFTH, grouped=False)


def test_a_better_solution_than_the_start_is_taken() -> None:
    """HiGHS 1.16 reports the objective of the better one here, and gives back the columns of the start."""
    sets = [("ant", "bee", "Zebra"), ("ant", "bee", "Zebra"), ("ant",), ("ant", "bee")]
    entries = [
        Entry(source, frozenset(names)) for source, names in zip((0, 1, 3, 16), sets, strict=True)
    ]
    with limits(division_ALWAYS_OPEN=2, division_DEVIATIONS=0):
        selection = split(entries, previous=np.zeros(4, dtype=np.uint8))
    _check_optimum(entries, selection, FIFTH, grouped=False)


def test_a_programme_is_solved_up_to_its_size_and_not_beyond() -> None:
    """The least size at which it is solved is found by halving; below that nothing but the floor is claimed."""

    def attempt(values: int) -> Selection:
        with limits(
            division_ALWAYS_OPEN=50, division_WHOLE_PROGRAMME=values, quotas_WHOLE_PROGRAMME=values
        ):
            return split(HARD)

    low, high = 0, 10_000
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if attempt(middle).certificate.optimal else (middle, high)
    below, above = attempt(low).certificate, attempt(high).certificate
    signatures = {entry.labels for entry in HARD}
    assert high == sum(len(labels) for labels in signatures)
    assert (above.proof, above.optimal) == (OPTIMUM, True)
    assert below.proof == TOO_LARGE
    assert below.lower_bound == split(HARD, work_limit=0).certificate.lower_bound
    assert below.lower_bound < above.deviation <= below.deviation


def test_a_window_is_widened_where_the_programme_is_too_large(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = []

    def open_and_note(*arguments: object, **options: int) -> object:
        opened.append(options["deviations"])
        return window.open_window(*arguments, **options)  # type: ignore[arg-type]

    entries = weather(3_000, seed=9)
    monkeypatch.setattr(division, "open_window", open_and_note)
    with limits(division_ALWAYS_OPEN=50, division_DEVIATIONS=1, division_WHOLE_PROGRAMME=0):
        widened = split(entries).certificate
        with limits(division_MOST_OPEN=0):
            narrow = split(entries).certificate
    assert opened[:2] == [1, 2]
    assert opened.count(1) == 2
    assert widened.deviation <= narrow.deviation


def test_nodes_are_counted() -> None:
    with limits(optimum_MAX_NODES=0, division_ALWAYS_OPEN=50):
        certificate = split(generated(600, 60, seed=6, group_size=20), grouped=True).certificate
    assert (certificate.proof, certificate.optimal) == ("node limit", False)


def test_steps_are_counted() -> None:
    _, proof = split_hard_groups(20)
    assert proof == "work limit"


def test_an_answer_that_does_not_hold_in_integers_proves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Solver, "minimise", lambda *_, **__: Answer(None, -np.inf, "optimal"))
    certificate = split(HARD).certificate
    assert (certificate.proof, certificate.optimal) == (quotas.INEXACT, False)


def _keep_busy() -> None:
    while True:
        pass


@pytest.fixture
def load() -> Iterator[None]:
    """Four processes that compute."""
    context = multiprocessing.get_context("spawn")
    busy = [context.Process(target=_keep_busy, daemon=True) for _ in range(4)]
    for process in busy:
        process.start()
    yield
    for process in busy:
        process.kill()
        process.join()


def test_a_machine_under_load_makes_the_same_split(request: pytest.FixtureRequest) -> None:
    idle = split_hard_groups(40)
    request.getfixturevalue("load")
    assert split_hard_groups(40) == idle
    assert idle[1] == "work limit"
