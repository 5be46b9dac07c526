"""The main job of a test: projects and datasets through boto3 clients over HTTP, by the calls of `twofold_service.driver`."""

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

from local.emulator.server import Emulator
from twofold.api.context import DELETION_VISIBLE_MILLISECONDS
from twofold_service import driver

END_STATUSES = ("COMPLETE", "FAILED")
_PAUSE_SECONDS = 0.02
IMAGES = "example-images"


def make_line(name: object, *labels: str) -> str:
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


def make_two_label_lines(count: int) -> list[str]:
    return [make_line(number, "cat" if number % 3 else "dog") for number in range(count)]


@contextmanager
def expect_while_deletion_visible() -> Iterator[None]:
    """Runs assertions on a deleted but visible dataset. Ignores failures after the seconds of visibility, on slow machines."""
    begun = time.monotonic()
    try:
        yield
    except Exception:
        if time.monotonic() - begun < DELETION_VISIBLE_MILLISECONDS / 1000 - 1:
            raise


@dataclass(slots=True)
class Job:
    """A project of one test in an emulator that tests share. `models` is a folder of additions to botocore's models."""

    emulator: Emulator
    project: str
    models: Path | None = None

    @classmethod
    def start(cls, emulator: Emulator) -> "Job":
        name = f"project-{uuid4().hex[:12]}"
        return cls(
            emulator,
            create_rekognition_client(emulator).create_project(ProjectName=name)["ProjectArn"],
        )

    @property
    def client(self) -> Any:
        return create_rekognition_client(self.emulator, self.models)

    def upload_source(self, lines: list[str] | bytes) -> dict[str, Any]:
        """Uploads a manifest and returns its DatasetSource."""
        body = (
            lines if isinstance(lines, bytes) else "".join(f"{line}\n" for line in lines).encode()
        )
        bucket, key = "sources", f"{uuid4().hex}.manifest"
        s3 = self.emulator.create_client("s3")
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key=key, Body=body)
        return driver.build_manifest_source(bucket, key)

    def create_dataset(self, kind: str, lines: list[str] | bytes | None = None) -> str:
        """Starts to create a dataset of the lines and returns its ARN."""
        return self.create_dataset_from(kind, None if lines is None else self.upload_source(lines))

    def create_dataset_from(self, kind: str, source: dict[str, Any] | None) -> str:
        """Starts to create a dataset from a DatasetSource and returns its ARN."""
        return driver.create_dataset(self.client, self.project, kind, source)

    def create_pair(self, lines: list[str] | bytes) -> tuple[str, str]:
        """Returns the ARNs of a complete training dataset of the lines and an empty test dataset."""
        train, test = self.create_dataset("TRAIN", lines), self.create_dataset("TEST")
        description = self.wait_for_dataset(train)
        assert description["Status"] == "CREATE_COMPLETE", description
        return train, test

    def start_distribution(self, train: str, test: str) -> None:
        driver.start_distribution(self.client, train, test)

    def describe(self, arn: str) -> dict[str, Any]:
        return driver.describe_dataset(self.client, arn)

    def wait_for_dataset(self, arn: str, seconds: float = 60) -> dict[str, Any]:
        """Returns the last description. Raises DatasetTimeoutError."""
        polling = driver.Polling(_PAUSE_SECONDS, _PAUSE_SECONDS, seconds)
        return driver.wait_for_dataset(self.client, arn, polling=polling)

    def list_entries(self, arn: str) -> list[str]:
        """Returns all entries as ListDatasetEntries returns them."""
        pages = self.client.get_paginator("list_dataset_entries").paginate(DatasetArn=arn)
        return [entry for page in pages for entry in page["DatasetEntries"]]

    def list_stored_lines(self, arn: str) -> list[str]:
        """Returns all entries without the `cl-metadata` that ListDatasetEntries adds."""
        return [
            entry.removesuffix(',"cl-metadata":{"is_labeled":true}}') + "}"
            if entry.endswith(',"cl-metadata":{"is_labeled":true}}')
            else entry
            for entry in self.list_entries(arn)
        ]


def create_rekognition_client(emulator: Emulator, models: Path | None = None) -> Any:
    """Returns a client without retries, so that a test sees the first response."""
    config = Config(retries={"total_max_attempts": 1})
    return emulator.create_client("rekognition", config=config, models=models)


def read_labels(entry: str) -> set[str]:
    """Returns the labels of an entry that `make_line` has made."""
    document = json.loads(entry)
    return {
        metadata["class-name"]
        for key, metadata in document.items()
        if key.startswith("label") and "-" in key
    }


def count_labels(entries: list[str]) -> Counter[str]:
    return Counter(label for entry in entries for label in read_labels(entry))
