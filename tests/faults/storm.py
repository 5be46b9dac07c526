"""Many clients in one project at once, over HTTP, against a running stack. `make storm [CLIENTS=200] [SECONDS=60]`.

They create, update, distribute, list and delete as they like. What they are refused must be documented, what they were told is
done must be there, and nobody may see a 5xx.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from random import Random
from threading import Lock
from typing import Any
from uuid import uuid4

from botocore.config import Config
from botocore.exceptions import ClientError

from local.stack import Stack, running
from tests.job import line

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


@dataclass
class Storm:
    """`refused` counts the refusals by name; `broken` is what should not have happened. `kept` are tags that were set."""

    stack: Stack
    project: str
    seconds: float
    answers: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    def client(self, number: int) -> None:
        random, end = Random(number), time.monotonic() + self.seconds
        service = self.stack.client(
            "rekognition", config=Config(retries={"total_max_attempts": 1}, read_timeout=180)
        )
        while time.monotonic() < end:
            name, act = random.choice(_ACTS)
            self._try(name, partial(act, self, service, random))

    def _try(self, name: str, act: Callable[[], Any]) -> None:
        try:
            act()
            outcome = "done"
        except ClientError as error:
            outcome = error.response["Error"]["Code"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status >= 500 or outcome not in DOCUMENTED:
                self.broken.append(f"{name}: {status} {outcome}: {error}")
        with self._lock:
            (self.answers if outcome == "done" else self.refused)[f"{name}: {outcome}"] += 1

    def arn(self, service: Any, kind: str) -> str:
        """Of the dataset of a type; raises ResourceNotFoundException's like where there is none."""
        (found,) = service.describe_projects(ProjectNames=[self.project.split("/")[1]])[
            "ProjectDescriptions"
        ]
        arns = [one["DatasetArn"] for one in found["Datasets"] if one["DatasetType"] == kind]
        return arns[0] if arns else f"{self.project.rpartition('/')[0]}/dataset/{kind.lower()}/1"

    def keep(self, key: str) -> None:
        with self._lock:
            self.kept.add(key)


def _create(storm: Storm, service: Any, random: Random) -> None:
    kind = random.choice(("TRAIN", "TEST"))
    service.create_dataset(ProjectArn=storm.project, DatasetType=kind)


def _update(storm: Storm, service: Any, random: Random) -> None:
    changes = "\n".join(line(uuid4().hex, random.choice(("cat", "dog"))) for _ in range(5))
    # An empty test dataset is what a distribution needs.
    arn = storm.arn(service, random.choice(("TRAIN",) * 9 + ("TEST",)))
    service.update_dataset_entries(DatasetArn=arn, Changes={"GroundTruth": changes.encode()})


def _distribute(storm: Storm, service: Any, random: Random) -> None:
    arns = [{"Arn": storm.arn(service, kind)} for kind in ("TRAIN", "TEST")]
    service.distribute_dataset_entries(Datasets=arns)


def _list(storm: Storm, service: Any, random: Random) -> None:
    arn = storm.arn(service, random.choice(("TRAIN", "TEST")))
    service.list_dataset_entries(DatasetArn=arn)
    service.list_dataset_labels(DatasetArn=arn)


def _delete(storm: Storm, service: Any, random: Random) -> None:
    service.delete_dataset(DatasetArn=storm.arn(service, random.choice(("TRAIN", "TEST"))))


def _tag(storm: Storm, service: Any, random: Random) -> None:
    """Tags of the project outlive its datasets: an update of them that is lost is seen at the end."""
    if len(storm.kept) < 150 and random.random() < 0.2:
        key = uuid4().hex[:12]
        service.tag_resource(ResourceArn=storm.project, Tags={key: "kept"})
        storm.keep(key)


_ACTS = (
    ("create", _create),
    ("create", _create),
    ("update", _update),
    ("update", _update),
    ("update", _update),
    ("distribute", _distribute),
    ("distribute", _distribute),
    ("distribute", _distribute),
    ("list", _list),
    ("list", _list),
    ("tag", _tag),
    ("delete", _delete),
)


def storm(stack: Stack, clients: int, seconds: float) -> Storm:
    """Runs it, waits until all datasets have settled, and looks whether what was done is there."""
    service = stack.client("rekognition")
    project = service.create_project(ProjectName=f"storm-{uuid4().hex[:12]}")["ProjectArn"]
    found = Storm(stack, project, seconds)
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(found.client, range(clients)))
    _require_rest(found, service)
    return found


def _require_rest(found: Storm, service: Any) -> None:
    name, end = found.project.split("/")[1], time.monotonic() + 90
    while True:
        (described,) = service.describe_projects(ProjectNames=[name])["ProjectDescriptions"]
        statuses = [one["Status"] for one in described["Datasets"]]
        if all(status.endswith(SETTLED) for status in statuses):
            break
        if time.monotonic() > end:
            found.broken.append(f"not settled: {statuses}")
            break
        time.sleep(0.1)
    tags = service.list_tags_for_resource(ResourceArn=found.project)["Tags"]
    found.broken += [f"lost: the tag {key}" for key in found.kept - set(tags)]
    entries: list[str] = []
    for one in described["Datasets"]:
        pages = service.get_paginator("list_dataset_entries").paginate(DatasetArn=one["DatasetArn"])
        entries += [entry.split('"')[3] for page in pages for entry in page["DatasetEntries"]]
    found.broken += [f"twice: {ref}" for ref, count in Counter(entries).items() if count > 1]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.storm", description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    with running() as stack:
        found = storm(stack, given.clients, given.seconds)
    sys.stdout.write(f"{given.clients} clients for {given.seconds:g} seconds\n")
    for counted in (found.answers, found.refused):
        sys.stdout.write("".join(f"{count:6} {name}\n" for name, count in sorted(counted.items())))
    sys.stdout.write("\n".join([f"{len(found.broken)} violations", *found.broken[:20], ""]))
    return 1 if found.broken else 0


if __name__ == "__main__":
    sys.exit(main())
