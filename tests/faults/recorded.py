"""What the clients of a scene see, as a history that must be linearizable."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.faults.theatre import Theatre
from tests.histories.history import History
from tests.histories.linearize import UndecidedError, refute
from tests.histories.model import ProjectModel
from tests.histories.recording import Recorder


@dataclass
class Recorded:
    """`name` is the project's. The history begins with its datasets as they are made; `lines` are those of the manifest."""

    theatre: Theatre
    name: str
    lines: list[str]
    history: History = field(default_factory=History)

    @property
    def recorder(self) -> Recorder:
        return Recorder(self.history, self.theatre.call)

    def call(self, operation: str, **members: Any) -> dict[str, Any] | None:
        source = members.get("DatasetSource", {})
        lines = self.lines if "GroundTruthManifest" in source else ()
        answer = self.recorder.call(operation, lines=lines, **members)
        return None if answer is None else dict(answer)

    def begin(self, kind: str, arn: str, *, filled: bool) -> None:
        """A dataset that is complete before the scene, with the manifest's entries or with none."""
        request: Mapping[str, Any] = {"DatasetType": kind}
        answer, lines = {"DatasetArn": arn}, self.lines if filled else ()
        end = partial(self.history.end, self.history.begin())
        end("CreateDataset", request, lines=lines, answer=answer)
        shown = {"Status": "CREATE_COMPLETE", "TotalEntries": len(lines)}
        self.history.end(self.history.begin(), "DescribeDataset", answer, answer=shown)

    def read(self) -> None:
        """As a client that looks at everything."""
        for arn in self.recorder.slots(self.name).values():
            self.recorder.describe(arn)
            self.recorder.list_entries(arn, page=10)

    def require_linearizable(self) -> None:
        """Raises AssertionError; a history that is too hard to decide passes."""
        calls = self.history.calls
        with suppress(UndecidedError):
            refusal = refute(calls, ProjectModel.of(calls), limit=20_000)
            assert refusal is None, refusal
