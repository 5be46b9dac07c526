"""The main job with names of its own: a project, two datasets, a manifest; and how each is removed, wherever it stopped."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from twofold_command.errors import CommandError
from twofold_service.session import Service, explained

ENTRIES = 60
LABELS = 3
PATIENCE_SECONDS = 300
_PAUSE_SECONDS = 0.5
_NOT_MADE = (ClientError, EndpointConnectionError, NoCredentialsError)
"""Refused or never sent; after anything else it may have been made."""

Answer = TypeVar("Answer")


class SmokeError(Exception):
    """The service did not do what it promises."""


@dataclass(slots=True)
class Smoke:
    """One run. What is to be removed at the end is noted before it is made, since a run can be stopped at any moment."""

    service: Service
    name: str = field(default_factory=lambda: f"twofold-smoke-{uuid4().hex[:12]}")
    begun: list[tuple[str, Callable[[], Any]]] = field(default_factory=list)
    _manifest: dict[str, Any] = field(default_factory=dict)

    def upload(self, bucket: str, manifest: Sequence[str]) -> None:
        """To the folder that a deployed stack reads of its own bucket; any other bucket will do if it may read that."""
        key = f"sources/{self.name}"
        body = "\n".join(manifest).encode()
        self._make(
            f"object s3://{bucket}/{key}",
            lambda: self.service.s3.put_object(Bucket=bucket, Key=key, Body=body),
            lambda: self.service.s3.delete_object(Bucket=bucket, Key=key),
        )
        self._manifest = {"S3Object": {"Bucket": bucket, "Name": key}}

    def create(self) -> tuple[str, str]:
        """(train, test): from the manifest if there is one, else both empty."""
        answer = self._make(
            f"project {self.name}",
            lambda: self.service.rekognition.create_project(ProjectName=self.name),
            self._remove_project,
        )
        project = answer["ProjectArn"]
        source = {"GroundTruthManifest": self._manifest} if self._manifest else {}
        train = self._dataset(project, "TRAIN", **source)
        test = self._dataset(project, "TEST")
        self._require(train, "CREATE_COMPLETE")
        return train, test

    def send(self, train: str, manifest: Sequence[str]) -> None:
        changes = {"GroundTruth": "\n".join(manifest).encode()}
        self.service.rekognition.update_dataset_entries(DatasetArn=train, Changes=changes)
        self._require(train, "UPDATE_COMPLETE")

    def distribute(self, train: str, test: str) -> None:
        pair = [{"Arn": train}, {"Arn": test}]
        self.service.rekognition.distribute_dataset_entries(Datasets=pair)
        for arn in (train, test):
            self._require(arn, "UPDATE_COMPLETE")

    def verify(self, manifest: Sequence[str], train: str, test: str) -> None:
        """Every line is in one of the datasets, once and in its order, and a fifth of each label is tested."""
        trained, tested = self._sources(train), self._sources(test)
        sent = [json.loads(line)["source-ref"] for line in manifest]
        if sorted(trained + tested) != sorted(sent):
            raise SmokeError("The two datasets together are not what was sent.")
        for side in (trained, tested):
            if side != [source for source in sent if source in set(side)]:
                raise SmokeError("A dataset does not keep the order of the manifest.")
        share = [sum(sent.index(s) % LABELS == label for s in tested) for label in range(LABELS)]
        if share != [ENTRIES // LABELS // 5] * LABELS:
            raise SmokeError(f"The test dataset has {share} images of the labels.")

    def clean(self) -> None:
        """Removes all that was begun, the last first; raises SmokeError with what could not be removed."""
        left = []
        while self.begun:
            what, remove = self.begun[-1]
            try:
                with explained():
                    remove()
            except (SmokeError, CommandError) as error:
                left.append(f"{what} ({error})")
            self.begun.pop()
        if left:
            raise SmokeError(f"Left behind, to be deleted by hand: {'; '.join(left)}")

    def left(self) -> list[str]:
        return [what for what, _ in self.begun]

    def _make(self, what: str, make: Callable[[], Answer], remove: Callable[[], Any]) -> Answer:
        self.begun.append((what, remove))
        try:
            return make()
        except _NOT_MADE:
            self.begun.pop()
            raise

    def _dataset(self, project: str, kind: str, **source: Any) -> str:
        options = {"DatasetSource": source} if source else {}
        answer = self.service.rekognition.create_dataset(
            ProjectArn=project, DatasetType=kind, **options
        )
        return str(answer["DatasetArn"])

    def _require(self, arn: str, status: str) -> None:
        described = self._settled(arn)
        if described["Status"] != status:
            raise SmokeError(f"{arn} is {described['Status']}: {described['StatusMessage']}")

    def _settled(self, arn: str) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = self.service.rekognition.describe_dataset(DatasetArn=arn)
            described: dict[str, Any] = answer["DatasetDescription"]
            if not described["Status"].endswith("_IN_PROGRESS"):
                return described
            if time.monotonic() > end:
                raise SmokeError(f"{arn} is still {described['Status']}.")
            time.sleep(_PAUSE_SECONDS)

    def _sources(self, arn: str) -> list[str]:
        lister = self.service.rekognition.get_paginator("list_dataset_entries")
        pages = lister.paginate(DatasetArn=arn)
        return [json.loads(e)["source-ref"] for page in pages for e in page["DatasetEntries"]]

    def _remove_project(self) -> None:
        """With the datasets that it has: a busy one can only be deleted when it has settled."""
        rekognition = self.service.rekognition
        for found in rekognition.describe_projects(ProjectNames=[self.name])["ProjectDescriptions"]:
            for dataset in found.get("Datasets", ()):
                self._settled(dataset["DatasetArn"])
                rekognition.delete_dataset(DatasetArn=dataset["DatasetArn"])
            rekognition.delete_project(ProjectArn=found["ProjectArn"])


def lines() -> list[str]:
    """A manifest with as many images of each label."""
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
