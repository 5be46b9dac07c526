"""The main job as boto3 does it, told by the environment alone where the service is."""

import time
from typing import Any

import boto3
import pytest

from tests.clients.outcome import Given


@pytest.fixture
def session(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return boto3.Session()


def test_boto3_does_the_main_job(session: Any, given: Given) -> None:
    s3, rekognition = session.client("s3"), session.client("rekognition")
    s3.create_bucket(Bucket=given.bucket)
    s3.upload_file(str(given.manifest), given.bucket, "any.manifest")
    project = rekognition.create_project(ProjectName=given.project)["ProjectArn"]
    s3_object = {"Bucket": given.bucket, "Name": "any.manifest"}
    train = rekognition.create_dataset(
        ProjectArn=project,
        DatasetType="TRAIN",
        DatasetSource={"GroundTruthManifest": {"S3Object": s3_object}},
    )["DatasetArn"]
    test = rekognition.create_dataset(ProjectArn=project, DatasetType="TEST")["DatasetArn"]
    assert _settled(rekognition, train) == "CREATE_COMPLETE"
    rekognition.distribute_dataset_entries(Datasets=[{"Arn": train}, {"Arn": test}])
    assert _settled(rekognition, train) == "UPDATE_COMPLETE"
    assert _settled(rekognition, test) == "UPDATE_COMPLETE"
    given.assert_split(_listed(rekognition, train), _listed(rekognition, test))


def _settled(rekognition: Any, arn: str) -> str:
    for _ in range(600):
        described = rekognition.describe_dataset(DatasetArn=arn)["DatasetDescription"]
        if not described["Status"].endswith("IN_PROGRESS"):
            break
        time.sleep(0.05)
    status: str = described["Status"]
    return status


def _listed(rekognition: Any, arn: str) -> list[str]:
    pages = rekognition.get_paginator("list_dataset_entries").paginate(DatasetArn=arn)
    return [entry for page in pages for entry in page["DatasetEntries"]]
