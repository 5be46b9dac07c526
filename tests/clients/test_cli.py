"""The main job as the AWS CLI does it, installed beside these tests and unchanged."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.outcome import Given

AWS = Path(sys.executable).with_name("aws")

Aws = Callable[..., Any]


@pytest.fixture
def aws(environment: dict[str, str]) -> Aws:
    def aws(*arguments: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-P", str(AWS), *arguments, "--output", "json"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if arguments[0] == "rekognition" and done.stdout else None

    return aws


def test_the_aws_cli_does_the_main_job(aws: Aws, given: Given) -> None:
    address = f"s3://{given.bucket}/any.manifest"
    aws("s3", "mb", f"s3://{given.bucket}")
    aws("s3", "cp", str(given.manifest), address)
    project = aws("rekognition", "create-project", "--project-name", given.project)["ProjectArn"]
    pair = [
        aws("rekognition", "create-dataset", "--project-arn", project, *options)["DatasetArn"]
        for options in (
            ("--dataset-type", "TRAIN", "--dataset-source", _source(given)),
            ("--dataset-type", "TEST"),
        )
    ]
    assert _settled(aws, pair[0]) == "CREATE_COMPLETE"
    datasets = [f"Arn={arn}" for arn in pair]
    aws("rekognition", "distribute-dataset-entries", "--datasets", *datasets)
    assert _settled(aws, pair[0]) == "UPDATE_COMPLETE"
    train, test = (
        aws("rekognition", "list-dataset-entries", "--dataset-arn", arn)["DatasetEntries"]
        for arn in pair
    )
    given.assert_split(train, test)


def _source(given: Given) -> str:
    s3_object = {"Bucket": given.bucket, "Name": "any.manifest"}
    return json.dumps({"GroundTruthManifest": {"S3Object": s3_object}})


def _settled(aws: Aws, arn: str) -> str:
    for _ in range(60):
        described = aws("rekognition", "describe-dataset", "--dataset-arn", arn)
        status: str = described["DatasetDescription"]["Status"]
        if not status.endswith("IN_PROGRESS"):
            break
        time.sleep(0.1)
    return status
