"""A simulated deployment with small ranges and shards, and the datasets at the beginning of a scenario."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from moto import mock_aws

from tests.faults.client_history import ClientHistory
from tests.faults.invariants import InvariantChecker
from tests.faults.moto_storage import MotoStorage, Snapshot
from tests.faults.scenario import MANIFEST, Action, Scenario
from tests.faults.simulator import Simulator, start_simulator
from tests.support.aws_fixtures import CACHED_CLIENTS
from tests.support.small_sizes import shrink_sizes
from twofold.records import DatasetType
from twofold.stores.table import Table, calls

_EARLIER_ACTIONS = {
    Action.REVERT: (Action.DISTRIBUTE,),
    Action.KEEP_TEST: (Action.DISTRIBUTE, Action.UPDATE),
}


@dataclass(frozen=True)
class SimulatedService:
    """A simulated deployment. Training datasets of scenarios are copies of `source`, made with a single call."""

    simulator: Simulator
    source: str
    snapshot: Snapshot

    @contextmanager
    def start_scenario(self, action: Action, seed: int = 0) -> Iterator[Scenario]:
        simulator = self.simulator
        simulator.reset(seed)
        MotoStorage(simulator.api.name).restore(self.snapshot)
        with simulator.fault_injector.pause():
            scenario = self._create_scenario(action)
            scenario.invariants.check()
            for earlier in _EARLIER_ACTIONS.get(action, ()):
                scenario.replaces_entries = False
                scenario.perform(earlier)
                simulator.scheduler.run()
            if action in _EARLIER_ACTIONS:
                scenario.invariants.restart()
        simulator.fault_injector.calls.clear()
        default_hook = simulator.fault_injector.on_call
        simulator.fault_injector.on_call = scenario.invariants.check_after_call
        try:
            yield scenario
        finally:
            simulator.fault_injector.on_call = default_hook

    def _create_scenario(self, action: Action) -> Scenario:
        simulator = self.simulator
        name = f"p{simulator.now}"
        response = simulator.call("CreateProject", ProjectName=name)
        assert response
        client_history = ClientHistory(simulator, name, MANIFEST.decode().splitlines())
        scenario = Scenario(
            simulator, response["ProjectArn"], InvariantChecker(simulator, name), client_history
        )
        copy = {"DatasetSource": {"DatasetArn": self.source}}
        for kind, source in ((DatasetType.TRAIN, copy), (DatasetType.TEST, {})):
            if action is not Action.CREATE or kind is DatasetType.TEST:
                arguments = {"ProjectArn": scenario.project, "DatasetType": kind.value, **source}
                arn = scenario.arns[kind] = scenario.call_successfully(
                    "CreateDataset", **arguments
                )["DatasetArn"]
                client_history.add_existing_dataset(kind, arn, filled=bool(source))
        return scenario


@contextmanager
def start_service() -> Iterator[SimulatedService]:
    """Start a deployment with small ranges and shards. The data of an emulator in the same process is kept."""
    mock = mock_aws()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        mock.start(reset=False)
        shrink_sizes(patch)
        with start_simulator() as simulator:
            source = create_source_dataset(simulator, "sources", MANIFEST)
            # A process creates or reads the key once. Without this, the first list of a schedule would have additional calls.
            calls.get_pagination_key(Table(simulator.api.name))
            yield SimulatedService(
                simulator, source, MotoStorage(simulator.api.name).take_snapshot()
            )
        mock.stop(remove_data=False)
    for cache in CACHED_CLIENTS:
        cache.cache_clear()


def create_source_dataset(simulator: Simulator, name: str, manifest: bytes) -> str:
    """Create a project with a training dataset; return the ARN of the dataset."""
    response = simulator.call("CreateProject", ProjectName=name)
    assert response
    arguments = {"DatasetType": "TRAIN", "DatasetSource": simulator.api.upload_source(manifest)}
    created = simulator.call("CreateDataset", ProjectArn=response["ProjectArn"], **arguments)
    assert created
    simulator.scheduler.run()
    return str(created["DatasetArn"])
