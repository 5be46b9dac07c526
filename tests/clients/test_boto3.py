"""The main job and the whole life of a project as boto3 does them, told by the environment alone where the service is."""

import time
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore import xform_name

from tests.clients.life import items, joined, walk
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


def test_boto3_walks_the_whole_life_of_a_project(session: Any, life: dict[str, Any]) -> None:
    walk(Boto3(session.client("rekognition")), life)


@dataclass(frozen=True, slots=True)
class Boto3:
    client: Any

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(self.client, xform_name(operation))(**request)
        return answer

    def listed(self, operation: str, size: int, **request: Any) -> list[Any]:
        paginator = self.client.get_paginator(xform_name(operation))
        pages = paginator.paginate(**request, PaginationConfig={"PageSize": size})
        return joined([items(page) for page in pages], size)

    def refused(self, error: str, operation: str, **request: Any) -> bool:
        try:
            self.call(operation, **request)
        except getattr(self.client.exceptions, error):
            return True
        return False


def _settled(rekognition: Any, arn: str) -> str:
    for _ in range(1_200):
        described = rekognition.describe_dataset(DatasetArn=arn)["DatasetDescription"]
        if not described["Status"].endswith("IN_PROGRESS"):
            break
        time.sleep(0.05)
    status: str = described["Status"]
    return status


def _listed(rekognition: Any, arn: str) -> list[str]:
    pages = rekognition.get_paginator("list_dataset_entries").paginate(DatasetArn=arn)
    return [entry for page in pages for entry in page["DatasetEntries"]]
