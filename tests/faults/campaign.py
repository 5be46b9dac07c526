"""Trials of a single fault at a call site, and random schedules of many faults. Both raise an error for a violation."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from random import Random

from tests.faults.faults import Call, Fault
from tests.faults.scenario import MOVING_ACTIONS, Action, Scenario, select_distinct
from tests.faults.simulated_service import SimulatedService
from tests.faults.simulator import MINUTE, FunctionFault
from twofold.settings import Function

PERSISTENT = 40
"""Consecutive failing calls of a persistent fault: more than all retries together."""

MOST_SKEW = 5 * MINUTE
"""Largest error of a function's clock, in both directions."""

_MUTATING = (
    Action.DISTRIBUTE,
    Action.DISTRIBUTE_GROUPS,
    Action.DRY_RUN,
    Action.KEEP_TEST,
    Action.UPDATE,
    Action.DELETE,
)


@dataclass(frozen=True, slots=True)
class Trial:
    """A fault in the first `times` calls at a call site."""

    action: Action
    site: tuple[str, str, str]
    fault: Fault
    times: int


def list_trials(service: SimulatedService) -> Iterator[Trial]:
    """Yield every possible fault at every call site of every action, once and persistently.

    Call sites come from runs without faults. Variants of a distribution contribute only additional call sites.
    """
    for action, call in select_distinct(
        Action, partial(list_call_sites, service), lambda call: call.site
    ):
        for fault in call.list_faults():
            yield Trial(action, call.site, fault, 1)
            yield Trial(action, call.site, fault, PERSISTENT)


def list_call_sites(service: SimulatedService, action: Action) -> list[Call]:
    """Return the first call at each call site of a run without faults, including Settle."""
    with service.start_scenario(action) as scenario:
        scheduler = scenario.simulator.scheduler
        scheduler.start("client", partial(scenario.perform, action))
        scheduler.start("sweep", scenario.simulator.settle)
        scheduler.run()
        scenario.check_statuses()
        calls = list(scenario.simulator.fault_injector.calls)
    return list({call.site: call for call in reversed(calls)}.values())


def run_trial(service: SimulatedService, trial: Trial) -> Scenario:
    """Run a client and Settle with the fault; check the success of a retry."""
    with service.start_scenario(trial.action) as scenario:
        remaining = [trial.times]

        def choose_fault(call: Call) -> Fault | None:
            if call.site != trial.site or not remaining[0]:
                return None
            remaining[0] -= 1
            return trial.fault

        scenario.simulator.fault_injector.choose_fault = choose_fault
        scheduler = scenario.simulator.scheduler
        scheduler.start("client", partial(scenario.perform, trial.action))
        scheduler.start("sweep", scenario.simulator.settle)
        scheduler.run()
        assert scenario.simulator.fault_injector.faults, "The fault did not occur."
        scenario.settle()
        scenario.retry(trial.action)
    return scenario


@dataclass(frozen=True, slots=True)
class Probabilities:
    """Probabilities of events in a schedule; `skew` is the largest clock error in milliseconds."""

    fault: float
    function_fault: float
    abort: float
    sweep: float
    separate_read: float
    skew: int
    expire: float


@dataclass(slots=True)
class Counters:
    """Counts of one or several schedules."""

    schedules: int = 0
    calls: int = 0
    faults: int = 0
    checks: int = 0
    sweeps: int = 0
    torn_reads: int = 0
    skewed: int = 0

    def add(self, other: "Counters") -> None:
        self.schedules += other.schedules
        self.calls += other.calls
        self.faults += other.faults
        self.checks += other.checks
        self.sweeps += other.sweeps
        self.torn_reads += other.torn_reads
        self.skewed += other.skewed


def run_schedule(
    service: SimulatedService,
    seed: int,
    watch: Callable[[Scenario], object] = lambda scenario: None,
) -> Counters:
    """Run up to three clients on the same datasets with random faults, aborted executions and runs of Settle.

    `watch` is called with the scenario before it begins.
    """
    random = Random(seed)
    action = random.choice(list(Action))
    with service.start_scenario(action, seed) as scenario:
        watch(scenario)
        actions = [action, *random.choices(_MUTATING, k=random.choice((0, 0, 1, 2)))]
        scenario.replaces_entries = not {*MOVING_ACTIONS, Action.REVERT} & set(actions)
        probabilities = Probabilities(
            fault=random.choice((0.0, 0.01, 0.05, 0.2)),
            function_fault=random.choice((0.0, 0.1, 0.3)),
            abort=random.choice((0.0, 0.0, 0.02)),
            sweep=random.choice((0.0, 0.05)),
            separate_read=random.choice((0.0, 0.5, 1.0)),
            skew=random.choice((0, 0, MOST_SKEW)),
            expire=random.choice((0.0, 0.05)),
        )
        _install_faults(scenario, random, probabilities)
        for number, client_action in enumerate(actions):
            if action is not Action.CREATE or number == 0:
                scenario.simulator.scheduler.start(
                    f"client {number}", partial(_perform_with_retries, scenario, client_action)
                )
        scenario.simulator.scheduler.start("reader", partial(_read_repeatedly, scenario))
        scenario.simulator.scheduler.run(lambda: _interfere(scenario, random, probabilities))
        fault_injector = scenario.simulator.fault_injector
        counters = Counters(
            1, len(fault_injector.calls), len(fault_injector.faults), scenario.invariants.checks
        )
        counters.torn_reads, counters.skewed = fault_injector.torn_reads, bool(probabilities.skew)
        counters.sweeps = scenario.settle()
        with fault_injector.pause():
            scenario.client_history.read_everything()
        if not probabilities.skew:
            # The end of a deletion depends on the clock of the function that describes the dataset.
            scenario.client_history.check_linearizable()
        if len(actions) == 1:
            scenario.retry(action)
    return counters


def _read_repeatedly(scenario: Scenario) -> None:
    """Read everything several times, as a client, during changes by other clients."""
    for _ in range(3):
        scenario.client_history.read_everything()
        scenario.simulator.advance_clock(MINUTE // 60)


def _perform_with_retries(scenario: Scenario, action: Action) -> None:
    """Perform an action and retry after server errors, as SDKs do."""
    for _ in range(3):
        response = scenario.perform(action)
        if response is not None and response.get("__type") not in (
            "InternalServerError",
            "ThrottlingException",
            "ProvisionedThroughputExceededException",
        ):
            return
        scenario.simulator.advance_clock(MINUTE // 60)


def _install_faults(scenario: Scenario, random: Random, probabilities: Probabilities) -> None:
    def choose_fault(call: Call) -> Fault | None:
        return random.choice(call.list_faults()) if random.random() < probabilities.fault else None

    def choose_function_fault(function: Function) -> FunctionFault | None:
        return (
            random.choice(list(FunctionFault))
            if random.random() < probabilities.function_fault
            else None
        )

    def choose_skew(process: str) -> int:
        """Each reading has a new error: clocks jump."""
        return random.randint(-probabilities.skew, probabilities.skew)

    scenario.simulator.fault_injector.choose_fault = choose_fault
    scenario.simulator.fault_injector.reads_separately = lambda call: (
        random.random() < probabilities.separate_read
    )
    scenario.simulator.choose_function_fault = choose_function_fault
    scenario.simulator.choose_skew = choose_skew
    scenario.clock_skew = 2 * probabilities.skew


def _interfere(scenario: Scenario, random: Random, probabilities: Probabilities) -> None:
    simulator = scenario.simulator
    if random.random() < probabilities.abort:
        for execution in list(simulator.executions.values()):
            simulator.abort_execution(execution, random.choice(("ABORTED", "TIMED_OUT")))
    if random.random() < probabilities.expire:
        scenario.invariants.storage.expire_items(simulator.now // 1000)
    if random.random() < probabilities.sweep:
        simulator.advance_clock(random.choice((0, 0, MINUTE, 2 * MINUTE)))
        simulator.scheduler.start("sweep", simulator.settle)
