"""Random schedules of clients, workers, faults, aborted executions and runs of Settle. `make faults` runs thousands."""

from tests.faults.campaign import Counters, run_schedule
from tests.faults.simulated_service import SimulatedService

SEEDS = range(20)


def test_no_schedule_violates_an_invariant(service: SimulatedService) -> None:
    counters = Counters()
    for seed in SEEDS:
        counters.add(run_schedule(service, seed))
    assert counters.faults > len(SEEDS)
    assert counters.checks > 5 * len(SEEDS)
    assert counters.torn_reads > len(SEEDS)
    assert 0 < counters.skewed < len(SEEDS)


def test_a_seed_leads_to_the_same_schedule(service: SimulatedService) -> None:
    assert run_schedule(service, 11) == run_schedule(service, 11)
