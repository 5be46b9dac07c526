"""A project with a training and a test dataset on a deployed stage, used through a client."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.rehearsal.account import Deployment
from tests.support.job import END_STATUSES, make_two_label_lines

# The first call of a function takes many seconds on a machine under load: MiniStack unpacks the bundle per function.
PATIENCE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class DatasetPair:
    """`client` is a Rekognition client of the stage."""

    client: Any
    project: str
    train: str
    test: str

    @classmethod
    def create(cls, stage: Deployment, entries: int = 60) -> "DatasetPair":
        """Create a training dataset of `entries` images and an empty test dataset, and wait for both."""
        return cls.create_from(stage, make_two_label_lines(entries))

    @classmethod
    def create_from(cls, stage: Deployment, lines: Sequence[str]) -> "DatasetPair":
        name = f"rehearsal-{uuid4().hex[:12]}"
        client = stage.create_rekognition_client()
        source = stage.upload(lines, name)
        project = client.create_project(ProjectName=name)["ProjectArn"]
        train = client.create_dataset(
            ProjectArn=project, DatasetType="TRAIN", DatasetSource=source
        )["DatasetArn"]
        test = client.create_dataset(ProjectArn=project, DatasetType="TEST")["DatasetArn"]
        pair = cls(client, project, train, test)
        assert pair.wait(train)["Status"] == "CREATE_COMPLETE"
        return pair

    @property
    def datasets(self) -> list[dict[str, str]]:
        return [{"Arn": self.train}, {"Arn": self.test}]

    def describe(self, arn: str) -> dict[str, Any]:
        description: dict[str, Any] = self.client.describe_dataset(DatasetArn=arn)[
            "DatasetDescription"
        ]
        return description

    def wait(self, arn: str) -> dict[str, Any]:
        """Wait until no operation uses a dataset, and return the description."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not (description := self.describe(arn))["Status"].endswith(END_STATUSES):
            assert time.monotonic() < end, description
            time.sleep(0.2)
        return description

    def distribute(self, **parameters: Any) -> None:
        """Run a distribution; fails unless both datasets become UPDATE_COMPLETE."""
        self.client.distribute_dataset_entries(Datasets=self.datasets, **parameters)
        for arn in (self.train, self.test):
            description = self.wait(arn)
            assert description["Status"] == "UPDATE_COMPLETE", description

    def list_entries(self, arn: str) -> list[str]:
        pages = self.client.get_paginator("list_dataset_entries").paginate(DatasetArn=arn)
        return [entry for page in pages for entry in page["DatasetEntries"]]

    def count_entries(self) -> tuple[int, int]:
        """Return the described numbers of entries (train, test)."""
        train, test = (
            self.describe(arn)["DatasetStats"]["TotalEntries"] for arn in (self.train, self.test)
        )
        return train, test
