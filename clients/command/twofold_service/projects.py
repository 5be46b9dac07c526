"""Projects and datasets as the service describes them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from twofold_command.errors import CommandError
from twofold_command.progress import ProgressBar
from twofold_service.driver import Description, describe_dataset, wait_for_dataset
from twofold_service.session import Service


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset with its last description; `kind` is `train` or `test`."""

    kind: str
    arn: str
    description: Description

    @classmethod
    def describe(cls, service: Service, kind: str, arn: str) -> Self:
        return cls(kind.lower(), arn, describe_dataset(service.rekognition, arn))

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

    def to_document(self) -> dict[str, Any]:
        """Returns the JSON object for --json."""
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
    """A project with all datasets except deleted datasets."""

    name: str
    arn: str
    datasets: tuple[Dataset, ...]

    def get_dataset(self, kind: str) -> Dataset | None:
        return next((dataset for dataset in self.datasets if dataset.kind == kind), None)

    def to_document(self) -> dict[str, Any]:
        """Returns the JSON object for --json."""
        datasets = {dataset.kind: dataset.to_document() for dataset in self.datasets}
        return {"name": self.name, "arn": self.arn, "datasets": datasets}


def list_projects(service: Service, name: str | None = None) -> Iterator[Project]:
    """Yields all projects, or only the project `name`. Raises CommandError if that project does not exist."""
    parameters = {} if name is None else {"ProjectNames": [name]}
    count = 0
    for page in service.rekognition.get_paginator("describe_projects").paginate(**parameters):
        for description in page["ProjectDescriptions"]:
            count += 1
            yield _build_project(service, description)
    if name is not None and not count:
        raise CommandError(f"There is no project {name}. List the projects with `twofold status`.")


def get_project(service: Service, name: str) -> Project:
    return next(list_projects(service, name))


def wait_until_complete(service: Service, dataset: Dataset, bar: ProgressBar) -> Dataset:
    """Waits for the operation on the dataset. Raises CommandError with the service's message if it fails."""

    def show(description: Description) -> None:
        show_dataset_progress(bar, description)

    description = wait_for_dataset(service.rekognition, dataset.arn, show)
    dataset = Dataset(dataset.kind, dataset.arn, description)
    if dataset.status.endswith("_FAILED"):
        raise CommandError(f"The {dataset.kind} dataset is {dataset.status}: {dataset.message}")
    return dataset


def show_dataset_progress(bar: ProgressBar, description: Description) -> None:
    """Shows the number of completed tasks if the service reports tasks, and the status message otherwise."""
    progress = description.get("Progress")
    if progress:
        bar.update(progress["Done"], progress["Total"])
    else:
        bar.set_message(description["StatusMessage"])


def _build_project(service: Service, description: dict[str, Any]) -> Project:
    arn: str = description["ProjectArn"]
    datasets = tuple(
        Dataset.describe(service, dataset["DatasetType"], dataset["DatasetArn"])
        for dataset in description.get("Datasets", ())
        if dataset["Status"] != "DELETE_IN_PROGRESS"
    )
    return Project(arn.split("/")[1], arn, datasets)
