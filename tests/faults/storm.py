"""`python -m tests storm [--clients 200] [--seconds 60]`: concurrent clients of one project, over HTTP.

Clients create, update, distribute, list and delete at random. Every error must be documented and none may be a 5xx, and
completed changes must not be lost.
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

from local.emulator.server import Emulator, start_emulator
from local.model import EXTENSION
from tests.histories.history import History
from tests.histories.linearize import UndecidedError, find_refusal
from tests.histories.model import ProjectModel
from tests.histories.recording import Recorder, Send, get_outcome, make_http_sender
from tests.histories.state import TYPES
from tests.support.job import Job, make_line

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
    """The lines of a manifest, and the DatasetSource."""

    lines: tuple[str, ...]
    source: Mapping[str, Any]

    @classmethod
    def upload(cls, job: Job) -> Self:
        lines = [make_line(f"of the manifest {number}", "cat") for number in range(20)]
        return cls(tuple(lines), job.upload_source(lines))


@dataclass
class Storm:
    """Counts of successful calls (`answers`) and errors (`refused`) by operation; tags, and violations."""

    emulator: Emulator
    project: str
    seconds: float
    manifest: Manifest
    answers: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)
    history: History = field(default_factory=History)
    _lock: Lock = field(default_factory=Lock)

    @property
    def name(self) -> str:
        return self.project.split("/")[1]

    def run_client(self, number: int) -> None:
        random, end = Random(number), time.monotonic() + self.seconds
        config = Config(retries={"total_max_attempts": 1}, read_timeout=180)
        send = make_http_sender(
            self.emulator.create_client("rekognition", config=config, models=EXTENSION)
        )
        recorder = Recorder(
            self.history, lambda *name, **members: self._send(send, *name, **members)
        )
        while time.monotonic() < end:
            random.choice(_ACTS)(self, recorder, random)

    def _send(self, send: Send, operation: str, **members: Any) -> Mapping[str, Any] | None:
        """Send a call and count the response."""
        answer = send(operation, **members)
        if answer is None:
            self.violations.append(f"{operation}: no response")
        elif error := answer.get("Raised"):
            self._require_documented(operation, error)
        with self._lock:
            refusal = answer and answer.get("__type")
            counter = self.refused if refusal else self.answers
            counter[f"{operation}: {refusal or 'done'}"] += 1
        return answer

    def _require_documented(self, operation: str, error: ClientError) -> None:
        code = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status >= 500 or code not in DOCUMENTED:
            self.violations.append(f"{operation}: {status} {code}: {error}")

    def find_arn(self, recorder: Recorder, dataset_type: str) -> str:
        """Return the ARN of the dataset of a type, or of a nonexistent dataset."""
        absent = f"{self.project.rpartition('/')[0]}/dataset/{dataset_type.lower()}/1"
        return recorder.record_slots(self.name).get(dataset_type, absent)

    def record_tag(self, key: str) -> None:
        with self._lock:
            self.tags.add(key)


def _create(storm: Storm, recorder: Recorder, random: Random) -> None:
    """Create a dataset: usually a training dataset with entries or an empty test dataset, for possible distributions."""
    dataset_type = random.choice(TYPES)
    usual = ("manifest", "empty")[dataset_type == "TEST"]
    lines: tuple[str, ...] = ()
    members: dict[str, Any] = {}
    match random.choice((usual, usual, usual, "manifest", "empty", "copy")):
        case "manifest":
            lines, members = storm.manifest.lines, {"DatasetSource": storm.manifest.source}
        case "copy":
            source = storm.find_arn(recorder, random.choice(TYPES))
            members = {"DatasetSource": {"DatasetArn": source}}
    recorder.record_call(
        "CreateDataset", lines=lines, ProjectArn=storm.project, DatasetType=dataset_type, **members
    )


def _update(storm: Storm, recorder: Recorder, random: Random) -> None:
    """Add new entries, and replace an entry of the manifest."""
    names = [*(uuid4().hex for _ in range(4)), f"of the manifest {random.randrange(20)}"]
    # Few updates of the test dataset: a distribution needs an empty one. They replace no entry of the training dataset.
    dataset_type = random.choice(("TRAIN",) * 5 + ("TEST",))
    lines = [
        make_line(name, random.choice(("cat", "dog")))
        for name in names[: 5 if dataset_type == "TRAIN" else 4]
    ]
    changes = {"GroundTruth": "\n".join(lines).encode()}
    recorder.record_call(
        "UpdateDatasetEntries", DatasetArn=storm.find_arn(recorder, dataset_type), Changes=changes
    )


def _distribute(storm: Storm, recorder: Recorder, random: Random) -> None:
    arns = [
        {"Arn": storm.find_arn(recorder, dataset_type)} for dataset_type in random.sample(TYPES, 2)
    ]
    recorder.record_call("DistributeDatasetEntries", Datasets=arns)


def _revert(storm: Storm, recorder: Recorder, random: Random) -> None:
    recorder.record_call("RevertDatasetDistribution", ProjectArn=storm.project)


def _list(storm: Storm, recorder: Recorder, random: Random) -> None:
    recorder.record_list(
        storm.find_arn(recorder, random.choice(TYPES)), page=random.choice((7, 100))
    )


def _describe(storm: Storm, recorder: Recorder, random: Random) -> None:
    recorder.record_description(storm.find_arn(recorder, random.choice(TYPES)))


def _delete(storm: Storm, recorder: Recorder, random: Random) -> None:
    recorder.record_call("DeleteDataset", DatasetArn=storm.find_arn(recorder, random.choice(TYPES)))


def _tag(storm: Storm, recorder: Recorder, random: Random) -> None:
    """Tag the project. Tags outlive datasets, so lost updates are detected at the end."""
    if len(storm.tags) < 150 and random.random() < 0.2:
        key = uuid4().hex[:12]
        answer = recorder.send("TagResource", ResourceArn=storm.project, Tags={key: "kept"})
        if not get_outcome(answer):
            storm.record_tag(key)


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


def run_storm(emulator: Emulator, clients: int, seconds: float) -> Storm:
    """Run the clients, wait until all datasets have settled, and check the history for linearizability."""
    service = emulator.create_client("rekognition")
    project = service.create_project(ProjectName=f"storm-{uuid4().hex[:12]}")["ProjectArn"]
    storm = Storm(emulator, project, seconds, Manifest.upload(Job(emulator, project)))
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(storm.run_client, range(clients)))
    _check_final_state(storm, service)
    try:
        refusal = find_refusal(storm.history.calls, ProjectModel.from_calls(storm.history.calls))
    except UndecidedError as error:
        storm.violations.append(
            f"The history is too complex to decide whether it is linearizable: {error}"
        )
    else:
        storm.violations += [str(refusal)] if refusal else []
    return storm


def _check_final_state(storm: Storm, service: Any) -> None:
    """Wait until all datasets have settled; add the final state to the history."""
    recorder, end = Recorder(storm.history, make_http_sender(service)), time.monotonic() + 90
    while True:
        arns = recorder.record_slots(storm.name).values()
        statuses = [
            described["Status"] for arn in arns if (described := recorder.record_description(arn))
        ]
        if all(status.endswith(SETTLED) for status in statuses):
            break
        if time.monotonic() > end:
            storm.violations.append(f"Datasets have not settled: {statuses}.")
            break
        time.sleep(0.1)
    for arn in arns:
        recorder.record_list(arn)
    tags = service.list_tags_for_resource(ResourceArn=storm.project)["Tags"]
    storm.violations += [f"The tag {key} is lost." for key in storm.tags - set(tags)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests storm", description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    with start_emulator() as emulator:
        storm = run_storm(emulator, arguments.clients, arguments.seconds)
    sys.stdout.write(f"Ran {arguments.clients} clients for {arguments.seconds:g} seconds.\n")
    sys.stdout.write(f"Checked a history of {len(storm.history.calls)} calls.\n")
    for counter in (storm.answers, storm.refused):
        sys.stdout.write("".join(f"{count:6} {name}\n" for name, count in sorted(counter.items())))
    sys.stdout.write(
        "\n".join([f"Violations: {len(storm.violations)}.", *storm.violations[:20], ""])
    )
    return 1 if storm.violations else 0


if __name__ == "__main__":
    sys.exit(main())
