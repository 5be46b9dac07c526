"""The calls of a scenario's clients as a history, to be checked for linearizability."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.faults.simulator import Simulator
from tests.histories.history import History
from tests.histories.linearize import UndecidedError, find_refusal
from tests.histories.model import ProjectModel
from tests.histories.recording import Recorder


@dataclass
class ClientHistory:
    """The history of the project `name`, beginning with the datasets. `lines` are the lines of the manifest."""

    simulator: Simulator
    name: str
    lines: list[str]
    history: History = field(default_factory=History)

    @property
    def recorder(self) -> Recorder:
        return Recorder(self.history, self.simulator.call)

    def call(self, operation: str, **members: Any) -> dict[str, Any] | None:
        source = members.get("DatasetSource", {})
        lines = self.lines if "GroundTruthManifest" in source else ()
        answer = self.recorder.record_call(operation, lines=lines, **members)
        return None if answer is None else dict(answer)

    def add_existing_dataset(self, kind: str, arn: str, *, filled: bool) -> None:
        """Add a dataset completed before the scenario, with the manifest's entries or empty."""
        request: Mapping[str, Any] = {"DatasetType": kind}
        answer, lines = {"DatasetArn": arn}, self.lines if filled else ()
        end = partial(self.history.end_call, self.history.begin_call())
        end("CreateDataset", request, lines=lines, answer=answer)
        description = {"Status": "CREATE_COMPLETE", "TotalEntries": len(lines)}
        self.history.end_call(
            self.history.begin_call(), "DescribeDataset", answer, answer=description
        )

    def read_everything(self) -> None:
        """Describe and list all datasets, as a client."""
        for arn in self.recorder.record_slots(self.name).values():
            self.recorder.record_description(arn)
            self.recorder.record_list(arn, page=10)

    def check_linearizable(self) -> None:
        """Raises AssertionError if the history is not linearizable. A history too complex to decide passes."""
        calls = self.history.calls
        with suppress(UndecidedError):
            refusal = find_refusal(calls, ProjectModel.from_calls(calls), limit=20_000)
            assert refusal is None, refusal
