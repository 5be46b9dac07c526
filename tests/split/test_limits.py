"""The limits of the split, below and above: window, size of a programme, nodes, steps; and the proof in each case."""

import multiprocessing
import random
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.split.entries import (
    Entry,
    compute_deviation,
    draw_entries,
    fractions,
    generate_entries,
    seeds,
    split_entries,
)
from tests.split.milp import solve_least_deviation
from twofold.split import Selection, allocation, mip, proof, solver, window
from twofold.split.highs import HighsSolver, MipSolution

FIFTH = Fraction(1, 5)
FLOOR, OPTIMUM, TOO_LARGE = allocation.FLOOR, allocation.OPTIMUM, allocation.TOO_LARGE
DUAL_BOUND = allocation.DUAL_BOUND


@contextmanager
def set_limits(**values: int) -> Iterator[None]:
    """Set constants of modules within the block: `solver_ALWAYS_OPEN=4` sets `solver.ALWAYS_OPEN`."""
    modules = {"solver": solver, "mip": mip, "allocation": allocation, "proof": proof}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            module, _, limit = name.partition("_")
            patch.setattr(modules[module], limit, value)
        yield


def make_two_label_entries(first: int, second: int) -> list[Entry]:
    """Entries with one of two labels each."""
    names = ["ant"] * first + ["bee"] * second
    drawn = random.Random(first).sample(range(1 << 62), len(names))
    return [Entry(source, frozenset([name])) for source, name in zip(drawn, names, strict=True)]


def generate_weather_entries(count: int, seed: int) -> list[Entry]:
    """Entries with one of four exclusive labels and some of nine further labels.

    The rounded shares of the exclusive labels seldom add up to the number of test entries.
    """
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


HARD = generate_weather_entries(400, seed=12)
"""Entries without a split at the integrality floor."""


def generate_hard_groups() -> list[Entry]:
    return generate_entries(2_000, 60, seed=6, group_size=20)


def split_hard_groups(work_limit: int) -> tuple[bytes, str]:
    selection = split_entries(generate_hard_groups(), grouped=True, work_limit=work_limit)
    return selection.test_mask.tobytes(), selection.certificate.proof


@pytest.mark.parametrize(
    ("first", "second"),
    [(10_000, 10_000), (10_001, 10_000), (10_002, 10_001), (10_003, 10_002), (30_002, 30_001)],
)
def test_two_labels_are_at_a_proven_optimum_on_both_sides_of_the_window(
    first: int, second: int
) -> None:
    certificate = split_entries(make_two_label_entries(first, second)).certificate
    assert certificate.optimal
    assert certificate.proof in (FLOOR, DUAL_BOUND)


def _check_optimum(
    entries: list[Entry], selection: Selection, fraction: Fraction, *, grouped: bool
) -> None:
    least = solve_least_deviation(entries, fraction, selection.certificate.reached, grouped=grouped)
    assert float(selection.certificate.deviation) == pytest.approx(least, abs=1e-3)
    assert (
        compute_deviation(entries, selection.test_mask.tolist(), fraction)
        == selection.certificate.deviation
    )
    assert selection.certificate.optimal


@settings(max_examples=60, deadline=None)
@given(
    draw_entries(),
    st.sampled_from([FIFTH, Fraction(1, 3), Fraction(7, 10)]),
    seeds,
    st.booleans(),
    st.integers(1, 12),
)
def test_the_optimum_is_reached_and_proven_with_any_window(
    entries: list[Entry], fraction: Fraction, seed: int, grouped: bool, always_open: int
) -> None:
    with set_limits(solver_ALWAYS_OPEN=always_open, solver_SIGMAS=0):
        selection = split_entries(entries, fraction=fraction, seed=seed, grouped=grouped)
    _check_optimum(entries, selection, fraction, grouped=grouped)


@given(draw_entries(), fractions, seeds, st.randoms(use_true_random=False))
def test_with_a_narrow_window_the_order_of_entries_does_not_matter(
    entries: list[Entry], fraction: Fraction, seed: int, shuffler: random.Random
) -> None:
    shuffled = list(entries)
    shuffler.shuffle(shuffled)
    with set_limits(solver_ALWAYS_OPEN=2, solver_SIGMAS=0):
        selections = [
            split_entries(order, fraction=fraction, seed=seed) for order in (entries, shuffled)
        ]
    test_sets = [
        {entry.source for entry, test in zip(order, selection.test_mask, strict=True) if test}
        for order, selection in zip((entries, shuffled), selections, strict=True)
    ]
    assert test_sets[0] == test_sets[1]


@given(draw_entries(), st.lists(st.sampled_from([0, 1, 2]), min_size=40, max_size=40))
def test_with_a_narrow_window_a_previous_split_costs_no_balance(
    entries: list[Entry], sides: list[int]
) -> None:
    previous = np.array(sides[: len(entries)], dtype=np.uint8)
    with set_limits(solver_ALWAYS_OPEN=2, solver_SIGMAS=0):
        selection = split_entries(entries, previous=previous)
    _check_optimum(entries, selection, FIFTH, grouped=False)


def test_a_better_solution_than_the_start_is_taken() -> None:
    """HiGHS 1.16 reports the objective of the better solution here, and returns the columns of the start."""
    sets = [("ant", "bee", "Zebra"), ("ant", "bee", "Zebra"), ("ant",), ("ant", "bee")]
    entries = [
        Entry(source, frozenset(names)) for source, names in zip((0, 1, 3, 16), sets, strict=True)
    ]
    with set_limits(solver_ALWAYS_OPEN=2, solver_SIGMAS=0):
        selection = split_entries(entries, previous=np.zeros(4, dtype=np.uint8))
    _check_optimum(entries, selection, FIFTH, grouped=False)


def test_a_programme_is_solved_up_to_the_limit_on_its_size() -> None:
    """Bisection finds the least size at which the programme is solved; below it the bound is the floor."""

    def split_with_limit(values: int) -> Selection:
        with set_limits(
            solver_ALWAYS_OPEN=50,
            solver_MAX_VALUES=values,
            allocation_MAX_VALUES=values,
            proof_MAX_VALUES=0,
        ):
            return split_entries(HARD)

    low, high = 0, 10_000
    while high - low > 1:
        limit = (low + high) // 2
        low, high = (low, limit) if split_with_limit(limit).certificate.optimal else (limit, high)
    below, above = split_with_limit(low).certificate, split_with_limit(high).certificate
    signatures = {entry.labels for entry in HARD}
    assert high == sum(len(labels) for labels in signatures)
    assert (above.proof, above.optimal) == (OPTIMUM, True)
    assert below.proof == TOO_LARGE
    assert below.lower_bound == below.dual_bound.value
    assert below.lower_bound < above.deviation <= below.deviation


def test_a_relaxation_is_solved_up_to_the_limit_on_its_size() -> None:
    values = sum(len(labels) for labels in {entry.labels for entry in HARD})
    certificate = split_entries(HARD).certificate
    for limit, proved in ((values - 1, OPTIMUM), (values, DUAL_BOUND)):
        with set_limits(proof_MAX_VALUES=limit):
            limited = split_entries(HARD).certificate
        assert (limited.proof, limited.optimal) == (proved, True)
        assert limited.deviation == certificate.deviation


def test_a_window_is_widened_where_the_programme_is_too_large(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = []

    def record_and_open(*arguments: object, **options: int) -> object:
        opened.append(options["sigmas"])
        return window.open_window(*arguments, **options)  # type: ignore[arg-type]

    entries = generate_weather_entries(3_000, seed=9)
    monkeypatch.setattr(solver, "open_window", record_and_open)
    with set_limits(solver_ALWAYS_OPEN=50, solver_SIGMAS=1, solver_MAX_VALUES=0):
        widened = split_entries(entries).certificate
        with set_limits(solver_MAX_OPEN=0):
            narrow = split_entries(entries).certificate
    assert opened[:2] == [1, 2]
    assert opened.count(1) == 2
    assert widened.deviation <= narrow.deviation


def test_nodes_are_counted() -> None:
    with set_limits(mip_MAX_NODES=0, solver_ALWAYS_OPEN=50):
        certificate = split_entries(
            generate_entries(600, 60, seed=6, group_size=20), grouped=True
        ).certificate
    assert (certificate.proof, certificate.optimal) == ("node limit", False)


def test_steps_are_counted() -> None:
    _, proof = split_hard_groups(20)
    assert proof == "work limit"


def test_a_solution_that_does_not_hold_in_integers_proves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        HighsSolver, "minimize", lambda *_, **__: MipSolution(None, -np.inf, "optimal")
    )
    with set_limits(proof_MAX_VALUES=0):
        certificate = split_entries(HARD).certificate
    assert (certificate.proof, certificate.optimal) == (allocation.INEXACT, False)


def _keep_busy() -> None:
    while True:
        pass


@pytest.fixture
def load() -> Iterator[None]:
    """Run four busy processes during the test."""
    context = multiprocessing.get_context("spawn")
    busy = [context.Process(target=_keep_busy, daemon=True) for _ in range(4)]
    for process in busy:
        process.start()
    yield
    for process in busy:
        process.kill()
        process.join()


def test_a_machine_under_load_computes_the_same_split(request: pytest.FixtureRequest) -> None:
    idle = split_hard_groups(40)
    request.getfixturevalue("load")
    assert split_hard_groups(40) == idle
    assert idle[1] == "work limit"
