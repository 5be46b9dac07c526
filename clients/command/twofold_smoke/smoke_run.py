"""The steps of the smoke test, with resources of unique names, and their removal after the run or a failure."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from twofold_command.errors import CommandError
from twofold_service.driver import (
    DatasetTimeoutError,
    Description,
    Polling,
    build_manifest_source,
    create_dataset,
    start_distribution,
    wait_for_dataset,
)
from twofold_service.session import Service, convert_aws_errors

ENTRIES = 60
LABELS = 3
_POLLING = Polling(first_pause_seconds=0.5, longest_pause_seconds=0.5, timeout_seconds=300)
_NOT_CREATED = (ClientError, EndpointConnectionError, NoCredentialsError)
"""Errors after which a resource does not exist: the request was refused or never sent. After other errors it may exist."""

Response = TypeVar("Response")


class SmokeError(Exception):
    """The service returned a wrong result; the message names the fault."""


@dataclass(slots=True)
class SmokeRun:
    """One run. `cleanups` has the description and the removal of each resource, added before the resource is created: a signal
    may stop the run at any moment."""

    service: Service
    name: str = field(default_factory=lambda: f"twofold-smoke-{uuid4().hex[:12]}")
    cleanups: list[tuple[str, Callable[[], Any]]] = field(default_factory=list)
    _source: dict[str, Any] | None = None

    def upload(self, bucket: str, manifest: Sequence[str]) -> None:
        """Uploads the manifest below `sources/`, the folder that a deployed stack may read in its own bucket."""
        key = f"sources/{self.name}"
        body = "\n".join(manifest).encode()
        self._create_resource(
            f"object s3://{bucket}/{key}",
            lambda: self.service.s3.put_object(Bucket=bucket, Key=key, Body=body),
            lambda: self.service.s3.delete_object(Bucket=bucket, Key=key),
        )
        self._source = build_manifest_source(bucket, key)

    def create_datasets(self) -> tuple[str, str]:
        """Returns the ARNs of the training and the test dataset; without an uploaded manifest both are empty."""
        response = self._create_resource(
            f"project {self.name}",
            lambda: self.service.rekognition.create_project(ProjectName=self.name),
            self._remove_project,
        )
        project_arn, rekognition = response["ProjectArn"], self.service.rekognition
        train = create_dataset(rekognition, project_arn, "TRAIN", self._source)
        test = create_dataset(rekognition, project_arn, "TEST")
        self._require_status(train, "CREATE_COMPLETE")
        return train, test

    def send_entries(self, train: str, manifest: Sequence[str]) -> None:
        changes = {"GroundTruth": "\n".join(manifest).encode()}
        self.service.rekognition.update_dataset_entries(DatasetArn=train, Changes=changes)
        self._require_status(train, "UPDATE_COMPLETE")

    def distribute(self, train: str, test: str) -> None:
        start_distribution(self.service.rekognition, train, test)
        for arn in (train, test):
            self._require_status(arn, "UPDATE_COMPLETE")

    def verify(self, manifest: Sequence[str], train: str, test: str) -> None:
        """Raises SmokeError unless each line is in one dataset, in order, and a fifth of each label is in the test set."""
        train_sources, test_sources = self._list_source_refs(train), self._list_source_refs(test)
        sent_sources = [json.loads(line)["source-ref"] for line in manifest]
        if sorted(train_sources + test_sources) != sorted(sent_sources):
            raise SmokeError(
                "The two datasets do not contain the lines of the manifest, each once."
            )
        for side in (train_sources, test_sources):
            if side != [source for source in sent_sources if source in set(side)]:
                raise SmokeError("A dataset does not keep the order of the manifest.")
        test_labels = [sent_sources.index(source) % LABELS for source in test_sources]
        counts = [test_labels.count(label) for label in range(LABELS)]
        expected = ENTRIES // LABELS // 5
        if counts != [expected] * LABELS:
            raise SmokeError(
                f"The test dataset has {counts} images per label, not {expected} each."
            )

    def clean_up(self) -> None:
        """Removes all resources, the last created first. Raises SmokeError with the names of resources left behind."""
        leftovers = []
        while self.cleanups:
            description, remove = self.cleanups[-1]
            try:
                with convert_aws_errors():
                    remove()
            except (SmokeError, CommandError) as error:
                leftovers.append(f"{description} ({error})")
            self.cleanups.pop()
        if leftovers:
            raise SmokeError(f"Not removed; delete by hand: {'; '.join(leftovers)}")

    def list_leftovers(self) -> list[str]:
        return [description for description, _ in self.cleanups]

    def _create_resource(
        self, description: str, create: Callable[[], Response], remove: Callable[[], Any]
    ) -> Response:
        self.cleanups.append((description, remove))
        try:
            return create()
        except _NOT_CREATED:
            self.cleanups.pop()
            raise

    def _require_status(self, arn: str, status: str) -> None:
        description = self._wait(arn)
        if description["Status"] != status:
            raise SmokeError(f"{arn} is {description['Status']}: {description['StatusMessage']}")

    def _wait(self, arn: str) -> Description:
        try:
            return wait_for_dataset(self.service.rekognition, arn, polling=_POLLING)
        except DatasetTimeoutError as error:
            raise SmokeError(str(error)) from error

    def _list_source_refs(self, arn: str) -> list[str]:
        lister = self.service.rekognition.get_paginator("list_dataset_entries")
        pages = lister.paginate(DatasetArn=arn)
        return [json.loads(line)["source-ref"] for page in pages for line in page["DatasetEntries"]]

    def _remove_project(self) -> None:
        """Deletes the project and the datasets. Waits for each dataset first: a busy dataset cannot be deleted."""
        rekognition = self.service.rekognition
        projects = rekognition.describe_projects(ProjectNames=[self.name])["ProjectDescriptions"]
        for project in projects:
            for dataset in project.get("Datasets", ()):
                self._wait(dataset["DatasetArn"])
                rekognition.delete_dataset(DatasetArn=dataset["DatasetArn"])
            rekognition.delete_project(ProjectArn=project["ProjectArn"])


def build_manifest() -> list[str]:
    """Returns the lines of a manifest with the same number of images for each label."""
    return [
        json.dumps(
            {
                "source-ref": f"s3://smoke/{number:03d}.jpg",
                "smoke": number % LABELS,
                "smoke-metadata": {
                    "class-name": f"label {number % LABELS}",
                    "confidence": 1,
                    "human-annotated": "yes",
                    "creation-date": "2024-05-01T09:00:00.000000",
                    "type": "groundtruth/image-classification",
                },
            }
        )
        for number in range(ENTRIES)
    ]
