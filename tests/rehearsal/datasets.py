"""A project with a pair of datasets on a deployed stage, driven as a client drives it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.job import SETTLED, two_labels
from tests.rehearsal.account import Deployment

# A function's first call on a machine under load takes many seconds: the emulator unpacks the bundle for each.
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
        """A training dataset of `entries` images and an empty test dataset, both complete."""
        return cls.create_from(stage, two_labels(entries))

    @classmethod
    def create_from(cls, stage: Deployment, lines: Sequence[str]) -> "DatasetPair":
        name = f"rehearsal-{uuid4().hex[:12]}"
        client = stage.rekognition()
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
        """The description of a dataset that no operation works on any more."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not (description := self.describe(arn))["Status"].endswith(SETTLED):
            assert time.monotonic() < end, description
            time.sleep(0.2)
        return description

    def distribute(self, **parameters: Any) -> None:
        """Start a distribution and see it complete."""
        self.client.distribute_dataset_entries(Datasets=self.datasets, **parameters)
        for arn in (self.train, self.test):
            description = self.wait(arn)
            assert description["Status"] == "UPDATE_COMPLETE", description

    def list_entries(self, arn: str) -> list[str]:
        pages = self.client.get_paginator("list_dataset_entries").paginate(DatasetArn=arn)
        return [entry for page in pages for entry in page["DatasetEntries"]]

    def count_entries(self) -> tuple[int, int]:
        """(train, test), as described."""
        train, test = (
            self.describe(arn)["DatasetStats"]["TotalEntries"] for arn in (self.train, self.test)
        )
        return train, test
