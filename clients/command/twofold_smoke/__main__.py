"""`python -m twofold_smoke --url URL` does the main job with the credentials of the shell, verifies the result and cleans up.

Exit codes: 0 the service works, 1 it does not, and the step that failed was named.
"""

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
from botocore.exceptions import BotoCoreError, ClientError

ENTRIES = 60
LABELS = 3
PATIENCE_SECONDS = 300
MODELS = Path(__file__).parents[2] / "aws-models"
_REGION = re.compile(r"\.execute-api\.([a-z0-9-]+)\.amazonaws\.com")


class SmokeError(Exception):
    """The service did not do what it promises."""


@dataclass(slots=True)
class Smoke:
    """One run: a bucket, a project and two datasets with names of their own, and what to undo at the end, last first."""

    rekognition: Any
    s3: Any
    region: str
    name: str = field(default_factory=lambda: f"twofold-smoke-{uuid4().hex[:12]}")
    undo: list[Callable[[], Any]] = field(default_factory=list)

    def upload(self, manifest: Sequence[str]) -> None:
        place = {} if self.region == "us-east-1" else {"LocationConstraint": self.region}
        options = {"CreateBucketConfiguration": place} if place else {}
        self.s3.create_bucket(Bucket=self.name, **options)
        self.undo.append(lambda: self.s3.delete_bucket(Bucket=self.name))
        self.s3.put_object(Bucket=self.name, Key="manifest", Body="\n".join(manifest).encode())
        self.undo.append(lambda: self.s3.delete_object(Bucket=self.name, Key="manifest"))

    def create(self) -> tuple[str, str]:
        """(train, test): both datasets, complete."""
        project = self.rekognition.create_project(ProjectName=self.name)["ProjectArn"]
        self.undo.append(lambda: self.rekognition.delete_project(ProjectArn=project))
        s3_object = {"Bucket": self.name, "Name": "manifest"}
        train = self._dataset(project, "TRAIN", GroundTruthManifest={"S3Object": s3_object})
        test = self._dataset(project, "TEST")
        self._settled(train, "CREATE_COMPLETE")
        return train, test

    def distribute(self, train: str, test: str) -> None:
        self.rekognition.distribute_dataset_entries(Datasets=[{"Arn": train}, {"Arn": test}])
        for arn in (train, test):
            self._settled(arn, "UPDATE_COMPLETE")

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
        while self.undo:
            self.undo.pop()()

    def _dataset(self, project: str, kind: str, **source: Any) -> str:
        options = {"DatasetSource": source} if source else {}
        answer = self.rekognition.create_dataset(ProjectArn=project, DatasetType=kind, **options)
        arn: str = answer["DatasetArn"]
        self.undo.append(lambda: self.rekognition.delete_dataset(DatasetArn=arn))
        return arn

    def _settled(self, arn: str, expected: str) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            described = self.rekognition.describe_dataset(DatasetArn=arn)["DatasetDescription"]
            if not described["Status"].endswith("_IN_PROGRESS"):
                break
            time.sleep(0.5)
        if described["Status"] != expected:
            raise SmokeError(f"{arn} is {described['Status']}: {described['StatusMessage']}")

    def _sources(self, arn: str) -> list[str]:
        pages = self.rekognition.get_paginator("list_dataset_entries").paginate(DatasetArn=arn)
        return [json.loads(e)["source-ref"] for page in pages for e in page["DatasetEntries"]]


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


@contextmanager
def _step(name: str) -> Iterator[None]:
    """Says how long it took, or that it failed and why."""
    began = time.monotonic()
    try:
        yield
    except (SmokeError, ClientError, BotoCoreError) as error:
        _say(f"{name}: failed after {time.monotonic() - began:.1f} s: {error}")
        raise
    _say(f"{name}: {time.monotonic() - began:.1f} s")


def run(smoke: Smoke) -> None:
    manifest = lines()
    try:
        with _step("upload"):
            smoke.upload(manifest)
        with _step("create the datasets"):
            train, test = smoke.create()
        with _step("distribute"):
            smoke.distribute(train, test)
        with _step("verify"):
            smoke.verify(manifest, train, test)
    finally:
        with _step("clean up"):
            smoke.clean()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make smoke", usage="make smoke URL=endpoint")
    parser.add_argument("--url", required=True, help="the output Endpoint, or that of make serve")
    url: str = parser.parse_args(arguments).url
    os.environ.setdefault("AWS_DATA_PATH", str(MODELS))
    found = _REGION.search(url)
    session: Any = boto3.Session(region_name=found[1] if found else None)
    smoke = Smoke(
        session.client("rekognition", endpoint_url=url), session.client("s3"), session.region_name
    )
    try:
        run(smoke)
    except (SmokeError, ClientError, BotoCoreError):
        return 1
    _say(f"{url} works: {ENTRIES} entries, {ENTRIES // 5} of them tested.")
    return 0


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
