"""A single fault in a call to AWS loses no entry, leaves no operation active, and a retry succeeds. `make faults` tries all
faults."""

import pytest

from tests.faults.campaign import Trial, list_call_sites, list_trials, run_trial
from tests.faults.faults import Fault
from tests.faults.scenario import Action
from tests.faults.simulated_service import SimulatedService
from twofold.records import DatasetStatus, DatasetType

SHARES = 4
"""The trials are run by several tests, since the time limit holds for each test, also on a machine under load."""


@pytest.fixture(scope="module")
def trials(service: SimulatedService) -> list[Trial]:
    """Select one of the possible faults at each call site, another fault at each site."""
    trials_by_site: dict[tuple[object, ...], list[Trial]] = {}
    for trial in list_trials(service):
        trials_by_site.setdefault((trial.action, trial.site), []).append(trial)
    assert len(trials_by_site) > 80
    return [
        faults[number * 7 % len(faults)] for number, faults in enumerate(trials_by_site.values())
    ]


@pytest.mark.parametrize("share", range(SHARES))
def test_each_call_site_survives_a_fault(
    service: SimulatedService, trials: list[Trial], share: int
) -> None:
    for trial in trials[share::SHARES]:
        run_trial(service, trial)


@pytest.mark.parametrize("fault", [Fault.SLOW_DOWN, Fault.CUT, Fault.UNANSWERED, Fault.TWICE])
def test_a_temporary_fault_fails_no_operation(service: SimulatedService, fault: Fault) -> None:
    """A fault that ends before the next attempt fails no operation, for any object read by a worker."""
    for call in list_call_sites(service, Action.DISTRIBUTE):
        if call.operation == "GetObject" and call.process != "execution":
            scenario = run_trial(service, Trial(Action.DISTRIBUTE, call.site, fault, 1))
            assert scenario.read_statuses()[DatasetType.TRAIN] is DatasetStatus.UPDATE_COMPLETE
