"""Clients, workers, faults, aborted executions and sweeps in an order drawn from a seed. `make faults` draws thousands."""

from tests.faults.campaign import Figures, schedule
from tests.faults.scene import Stage

SEEDS = range(40)


def test_no_schedule_breaks_a_promise(the_stage: Stage) -> None:
    figures = Figures()
    for seed in SEEDS:
        figures.add(schedule(the_stage, seed))
    assert figures.faults > len(SEEDS)
    assert figures.looks > 5 * len(SEEDS)
    assert figures.torn_reads > len(SEEDS)
    assert 0 < figures.skewed < len(SEEDS)


def test_a_schedule_is_the_same_every_time(the_stage: Stage) -> None:
    assert schedule(the_stage, 11) == schedule(the_stage, 11)
