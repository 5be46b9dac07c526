"""Histories of concurrent clients are linearizable, and not linearizable with a weaker condition."""

import pytest

from tests.faults.client_history import ClientHistory
from tests.faults.interleaving import interrupt_claim
from tests.faults.scenario import Action
from tests.faults.simulated_service import SimulatedService
from tests.faults.test_protocol import claim_changed_dataset, patch_write
from twofold.stores.table import operations


def run_history(service: SimulatedService, action: Action) -> ClientHistory:
    with interrupt_claim(service, action) as scenario, scenario.simulator.fault_injector.pause():
        scenario.client_history.read_everything()
    return scenario.client_history


@pytest.mark.parametrize("action", [Action.UPDATE, Action.DISTRIBUTE])
def test_a_claim_of_a_dataset_that_another_client_has_changed(
    service: SimulatedService, monkeypatch: pytest.MonkeyPatch, action: Action
) -> None:
    run_history(service, action).check_linearizable()
    patch_write(monkeypatch, operations, "_build_claim", claim_changed_dataset)
    with pytest.raises(AssertionError, match="not linearizable"):
        run_history(service, action).check_linearizable()
