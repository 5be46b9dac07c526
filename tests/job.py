"""The main job as a user's own program does it: an ordinary boto3 client over HTTP."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from botocore.config import Config

from local.stack import Stack
from twofold.api.service import DELETION_SHOWN_MILLISECONDS

SETTLED = ("COMPLETE", "FAILED")
IMAGES = "example-images"


def line(name: object, *labels: str) -> str:
    """A manifest line with image-level labels."""
    entry: dict[str, Any] = {"source-ref": f"s3://{IMAGES}/{name}.jpg"}
    for number, label in enumerate(labels):
        entry[f"label{number}"] = 1
        entry[f"label{number}-metadata"] = {
            "confidence": 1,
            "class-name": label,
            "human-annotated": "yes",
            "creation-date": "2024-01-02T03:04:05.678000",
            "type": "groundtruth/image-classification",
        }
    return json.dumps(entry, separators=(",", ":"), ensure_ascii=False)


def two_labels(count: int) -> list[str]:
    return [line(number, "cat" if number % 3 else "dog") for number in range(count)]


@contextmanager
def while_deletion_shows() -> Iterator[None]:
    """For what holds only while a deleted dataset is shown. A machine too slow for those seconds has seen nothing."""
    begun = time.monotonic()
    try:
        yield
    except Exception:
        if time.monotonic() - begun < DELETION_SHOWN_MILLISECONDS / 1000 - 1:
            raise


@dataclass(slots=True)
class Job:
    """One project of a test's own, in a stack that others use too. `models` extend what its client knows."""

    stack: Stack
    project: str
    models: Path | None = None

    @classmethod
    def begin(cls, stack: Stack) -> "Job":
        name = f"project-{uuid4().hex[:12]}"
        return cls(stack, rekognition(stack).create_project(ProjectName=name)["ProjectArn"])

    @property
    def client(self) -> Any:
        return rekognition(self.stack, self.models)

    def source(self, lines: list[str] | bytes) -> dict[str, Any]:
        """Uploads a manifest; the DatasetSource that names it."""
        body = lines if isinstance(lines, bytes) else "".join(f"{one}\n" for one in lines).encode()
        bucket, key = "sources", f"{uuid4().hex}.manifest"
        s3 = self.stack.client("s3")
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key=key, Body=body)
        return {"GroundTruthManifest": {"S3Object": {"Bucket": bucket, "Name": key}}}

    def create(self, kind: str, lines: list[str] | bytes | None = None) -> str:
        """The ARN of a dataset that may not have settled yet."""
        return self.create_from(kind, None if lines is None else self.source(lines))

    def create_from(self, kind: str, source: dict[str, Any] | None) -> str:
        """The same of a DatasetSource."""
        given = {"DatasetSource": source} if source else {}
        answer = self.client.create_dataset(ProjectArn=self.project, DatasetType=kind, **given)
        arn: str = answer["DatasetArn"]
        return arn

    def pair(self, lines: list[str] | bytes) -> tuple[str, str]:
        """(train, test): a training dataset of the lines, complete, and an empty test dataset."""
        train, test = self.create("TRAIN", lines), self.create("TEST")
        described = self.settled(train)
        assert described["Status"] == "CREATE_COMPLETE", described
        return train, test

    def distribute(self, train: str, test: str) -> None:
        self.client.distribute_dataset_entries(Datasets=[{"Arn": train}, {"Arn": test}])

    def describe(self, arn: str) -> dict[str, Any]:
        answer = self.client.describe_dataset(DatasetArn=arn)
        described: dict[str, Any] = answer["DatasetDescription"]
        return described

    def settled(self, arn: str, seconds: float = 60) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            described = self.describe(arn)
            if described["Status"].endswith(SETTLED):
                return described
            time.sleep(0.02)
        raise AssertionError(f"{arn} has not settled: {described}")

    def entries(self, arn: str) -> list[str]:
        """All entries, as listed."""
        pages = self.client.get_paginator("list_dataset_entries").paginate(DatasetArn=arn)
        return [entry for page in pages for entry in page["DatasetEntries"]]

    def stored(self, arn: str) -> list[str]:
        """All entries, without what listing adds."""
        return [
            entry.removesuffix(',"cl-metadata":{"is_labeled":true}}') + "}"
            if entry.endswith(',"cl-metadata":{"is_labeled":true}}')
            else entry
            for entry in self.entries(arn)
        ]


def rekognition(stack: Stack, models: Path | None = None) -> Any:
    """Without the SDK's own retries, so that a test sees the first answer."""
    config = Config(retries={"total_max_attempts": 1})
    return stack.client("rekognition", config=config, models=models)


def labels_of(entry: str) -> set[str]:
    read = json.loads(entry)
    return {read[key]["class-name"] for key in read if key.startswith("label") and "-" in key}


def label_counts(entries: list[str]) -> Counter[str]:
    return Counter(label for entry in entries for label in labels_of(entry))
