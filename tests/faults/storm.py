"""Many clients in one project at once, over HTTP, against a running stack. `make storm [CLIENTS=200] [SECONDS=60]`.

They create, update, distribute, list and delete as they like. What they are refused must be documented, what they were told is
done must be there, and nobody may see a 5xx.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from threading import Lock
from typing import Any, Self
from uuid import uuid4

from botocore.config import Config
from botocore.exceptions import ClientError

from local.model import EXTENSION
from local.stack import Stack, running
from tests.histories.history import History
from tests.histories.linearize import UndecidedError, refute
from tests.histories.model import ProjectModel
from tests.histories.recording import Recorder, Send, outcome, over_http
from tests.histories.state import TYPES
from tests.job import Job, line

DOCUMENTED = frozenset(
    {
        "InvalidParameterException",
        "ResourceAlreadyExistsException",
        "ResourceInUseException",
        "ResourceNotFoundException",
        "ResourceNotReadyException",
        "LimitExceededException",
    }
)
SETTLED = ("COMPLETE", "FAILED")


@dataclass(frozen=True)
class Manifest:
    """The lines of a manifest, and the DatasetSource that names it."""

    lines: tuple[str, ...]
    source: Mapping[str, Any]

    @classmethod
    def uploaded(cls, job: Job) -> Self:
        lines = [line(f"of the manifest {number}", "cat") for number in range(20)]
        return cls(tuple(lines), job.source(lines))


@dataclass
class Storm:
    """`refused` counts the refusals by name; `broken` is what should not have happened. `kept` are tags that were set."""

    stack: Stack
    project: str
    seconds: float
    manifest: Manifest
    answers: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    history: History = field(default_factory=History)
    _lock: Lock = field(default_factory=Lock)

    @property
    def name(self) -> str:
        return self.project.split("/")[1]

    def client(self, number: int) -> None:
        random, end = Random(number), time.monotonic() + self.seconds
        config = Config(retries={"total_max_attempts": 1}, read_timeout=180)
        send = over_http(self.stack.client("rekognition", config=config, models=EXTENSION))
        recorder = Recorder(
            self.history, lambda *name, **members: self._sent(send, *name, **members)
        )
        while time.monotonic() < end:
            random.choice(_ACTS)(self, recorder, random)

    def _sent(self, send: Send, operation: str, **members: Any) -> Mapping[str, Any] | None:
        """The answer, counted."""
        answer = send(operation, **members)
        if answer is None:
            self.broken.append(f"{operation}: no answer")
        elif error := answer.get("Raised"):
            self._require_documented(operation, error)
        with self._lock:
            refusal = answer and answer.get("__type")
            counted = self.refused if refusal else self.answers
            counted[f"{operation}: {refusal or 'done'}"] += 1
        return answer

    def _require_documented(self, operation: str, error: ClientError) -> None:
        code = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status >= 500 or code not in DOCUMENTED:
            self.broken.append(f"{operation}: {status} {code}: {error}")

    def arn(self, recorder: Recorder, kind: str) -> str:
        """Of the dataset of a type; where there is none, one that there never was."""
        absent = f"{self.project.rpartition('/')[0]}/dataset/{kind.lower()}/1"
        return recorder.slots(self.name).get(kind, absent)

    def keep(self, key: str) -> None:
        with self._lock:
            self.kept.add(key)


def _create(storm: Storm, recorder: Recorder, random: Random) -> None:
    """A training dataset has entries most of the time and a test dataset has none, so that distributions are possible."""
    kind = random.choice(TYPES)
    usual = ("manifest", "empty")[kind == "TEST"]
    lines: tuple[str, ...] = ()
    members: dict[str, Any] = {}
    match random.choice((usual, usual, usual, "manifest", "empty", "copy")):
        case "manifest":
            lines, members = storm.manifest.lines, {"DatasetSource": storm.manifest.source}
        case "copy":
            source = storm.arn(recorder, random.choice(TYPES))
            members = {"DatasetSource": {"DatasetArn": source}}
    recorder.call(
        "CreateDataset", lines=lines, ProjectArn=storm.project, DatasetType=kind, **members
    )


def _update(storm: Storm, recorder: Recorder, random: Random) -> None:
    """New entries, and one that the manifest has, too: it is replaced where it is."""
    names = [*(uuid4().hex for _ in range(4)), f"of the manifest {random.randrange(20)}"]
    # An empty test dataset is what a distribution needs, and the promise is not that an update brings nothing that is in it.
    kind = random.choice(("TRAIN",) * 5 + ("TEST",))
    lines = [
        line(name, random.choice(("cat", "dog"))) for name in names[: 5 if kind == "TRAIN" else 4]
    ]
    changes = {"GroundTruth": "\n".join(lines).encode()}
    recorder.call("UpdateDatasetEntries", DatasetArn=storm.arn(recorder, kind), Changes=changes)


def _distribute(storm: Storm, recorder: Recorder, random: Random) -> None:
    arns = [{"Arn": storm.arn(recorder, kind)} for kind in random.sample(TYPES, 2)]
    recorder.call("DistributeDatasetEntries", Datasets=arns)


def _revert(storm: Storm, recorder: Recorder, random: Random) -> None:
    recorder.call("RevertDatasetDistribution", ProjectArn=storm.project)


def _list(storm: Storm, recorder: Recorder, random: Random) -> None:
    recorder.list_entries(storm.arn(recorder, random.choice(TYPES)), page=random.choice((7, 100)))


def _describe(storm: Storm, recorder: Recorder, random: Random) -> None:
    recorder.describe(storm.arn(recorder, random.choice(TYPES)))


def _delete(storm: Storm, recorder: Recorder, random: Random) -> None:
    recorder.call("DeleteDataset", DatasetArn=storm.arn(recorder, random.choice(TYPES)))


def _tag(storm: Storm, recorder: Recorder, random: Random) -> None:
    """Tags of the project outlive its datasets: an update of them that is lost is seen at the end."""
    if len(storm.kept) < 150 and random.random() < 0.2:
        key = uuid4().hex[:12]
        answer = recorder.send("TagResource", ResourceArn=storm.project, Tags={key: "kept"})
        if not outcome(answer):
            storm.keep(key)


_ACTS = (
    *(_create,) * 4,
    *(_update,) * 2,
    *(_distribute,) * 4,
    *(_list,) * 2,
    _describe,
    _revert,
    _tag,
    _delete,
)


def storm(stack: Stack, clients: int, seconds: float) -> Storm:
    """Runs it, waits until all datasets have settled, and looks whether the history can be explained."""
    service = stack.client("rekognition")
    project = service.create_project(ProjectName=f"storm-{uuid4().hex[:12]}")["ProjectArn"]
    found = Storm(stack, project, seconds, Manifest.uploaded(Job(stack, project)))
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(found.client, range(clients)))
    _require_rest(found, service)
    try:
        refusal = refute(found.history.calls, ProjectModel.of(found.history.calls))
    except UndecidedError as undecided:
        found.broken.append(f"too hard to decide whether the history is linearizable: {undecided}")
    else:
        found.broken += [str(refusal)] if refusal else []
    return found


def _require_rest(found: Storm, service: Any) -> None:
    """The datasets at rest are the end of the history."""
    recorder, end = Recorder(found.history, over_http(service)), time.monotonic() + 90
    while True:
        arns = recorder.slots(found.name).values()
        statuses = [described["Status"] for arn in arns if (described := recorder.describe(arn))]
        if all(status.endswith(SETTLED) for status in statuses):
            break
        if time.monotonic() > end:
            found.broken.append(f"not settled: {statuses}")
            break
        time.sleep(0.1)
    for arn in arns:
        recorder.list_entries(arn)
    tags = service.list_tags_for_resource(ResourceArn=found.project)["Tags"]
    found.broken += [f"lost: the tag {key}" for key in found.kept - set(tags)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.storm", description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    with running() as stack:
        found = storm(stack, given.clients, given.seconds)
    sys.stdout.write(f"{given.clients} clients for {given.seconds:g} seconds\n")
    sys.stdout.write(f"{len(found.history.calls)} calls looked at for one order\n")
    for counted in (found.answers, found.refused):
        sys.stdout.write("".join(f"{count:6} {name}\n" for name, count in sorted(counted.items())))
    sys.stdout.write("\n".join([f"{len(found.broken)} violations", *found.broken[:20], ""]))
    return 1 if found.broken else 0


if __name__ == "__main__":
    sys.exit(main())
