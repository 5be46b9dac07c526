"""Interleave two clients: the second updates the datasets between the read and the claim of the first."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from tests.faults.scenario import Action, Scenario
from tests.faults.scheduler import Scheduler
from tests.faults.simulated_service import SimulatedService


@contextmanager
def interrupt_claim(
    service: SimulatedService,
    action: Action,
    watch: Callable[[Scenario], object] = lambda scenario: None,
) -> Iterator[Scenario]:
    """Yield the scenario after both clients have ended. A reader reads the datasets between the two clients.

    `watch` is called with the scenario before it begins.
    """
    with service.start_scenario(action) as scenario:
        fault_injector, scheduler = scenario.simulator.fault_injector, scenario.simulator.scheduler
        fault_injector.on_call = lambda call, done: None if done else scenario.simulator.pass_turn()
        watch(scenario)
        scheduler.start("slow client", partial(scenario.perform, action))
        while not _is_claiming(scenario):
            _give_turn(scheduler)
        slow = scheduler.processes.pop()
        scheduler.start("fast client", partial(scenario.perform, Action.UPDATE))
        scheduler.run()
        with fault_injector.pause():
            scenario.client_history.read_everything()
        scheduler.processes.append(slow)
        scheduler.run()
        yield scenario


def _is_claiming(scenario: Scenario) -> bool:
    calls = scenario.simulator.fault_injector.calls
    return bool(calls) and calls[-1].operation == "TransactWriteItems"


def _give_turn(scheduler: Scheduler) -> None:
    (process,) = scheduler.processes
    process.turn.release()
    scheduler._turn_over.acquire()
