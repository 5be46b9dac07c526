"""Projects and datasets as the service describes them."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from twofold_command.errors import CommandError
from twofold_command.progress import Progress
from twofold_service.session import Service

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Dataset:
    """`kind` is `train` or `test`."""

    kind: str
    arn: str
    description: dict[str, Any]

    @classmethod
    def of(cls, service: Service, kind: str, arn: str) -> Self:
        answer = service.rekognition.describe_dataset(DatasetArn=arn)
        return cls(kind.lower(), arn, answer["DatasetDescription"])

    @property
    def status(self) -> str:
        status: str = self.description["Status"]
        return status

    @property
    def message(self) -> str:
        message: str = self.description["StatusMessage"]
        return message

    @property
    def entries(self) -> int:
        entries: int = self.description["DatasetStats"]["TotalEntries"]
        return entries

    @property
    def updated(self) -> Any:
        return self.description["LastUpdatedTimestamp"]

    def told(self) -> dict[str, Any]:
        """For --json."""
        stats = self.description["DatasetStats"]
        return {
            "arn": self.arn,
            "status": self.status,
            "message": self.message,
            "entries": stats["TotalEntries"],
            "labeledEntries": stats["LabeledEntries"],
            "labels": stats["TotalLabels"],
            "errorEntries": stats["ErrorEntries"],
            "updated": self.updated.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Project:
    name: str
    arn: str
    datasets: tuple[Dataset, ...]

    def dataset(self, kind: str) -> Dataset | None:
        return next((dataset for dataset in self.datasets if dataset.kind == kind), None)

    def told(self) -> dict[str, Any]:
        """For --json."""
        datasets = {dataset.kind: dataset.told() for dataset in self.datasets}
        return {"name": self.name, "arn": self.arn, "datasets": datasets}


def projects(service: Service, name: str | None = None) -> Iterator[Project]:
    """All projects, or the one of this name; raises CommandError if there is none."""
    asked = {"ProjectNames": [name]} if name else {}
    found = 0
    for page in service.rekognition.get_paginator("describe_projects").paginate(**asked):
        for one in page["ProjectDescriptions"]:
            found += 1
            yield _project(service, one)
    if name and not found:
        raise CommandError(f"There is no project {name}. `twofold status` lists those that are.")


def project(service: Service, name: str) -> Project:
    return next(projects(service, name))


def settled(service: Service, dataset: Dataset, step: Progress) -> Dataset:
    """Waits; raises CommandError with the service's reason if it failed."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        now = Dataset.of(service, dataset.kind, dataset.arn)
        if not now.status.endswith("_IN_PROGRESS"):
            break
        tell(step, now)
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
    if now.status.endswith("_FAILED"):
        raise CommandError(f"The {now.kind} dataset is {now.status}: {now.message}")
    return now


def tell(step: Progress, dataset: Dataset) -> None:
    """The service counts pieces of work while it has some, and says in words what it is at otherwise."""
    counted = dataset.description.get("Progress")
    if counted:
        step.reach(counted["Done"], counted["Total"])
    else:
        step.tell(dataset.message)


def _project(service: Service, described: dict[str, Any]) -> Project:
    arn: str = described["ProjectArn"]
    datasets = tuple(
        Dataset.of(service, one["DatasetType"], one["DatasetArn"])
        for one in described.get("Datasets", ())
        if one["Status"] != "DELETE_IN_PROGRESS"
    )
    return Project(arn.split("/")[1], arn, datasets)
