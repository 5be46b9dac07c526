"""The main job and the lifecycle of a project with boto3, configured by environment variables only."""

import time
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore import xform_name

from tests.public_clients.client_job import ClientJob
from tests.public_clients.lifecycle import get_items, join_pages, run_lifecycle


@pytest.fixture
def session(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return boto3.Session()


def test_boto3_does_the_main_job(session: Any, client_job: ClientJob) -> None:
    s3, rekognition = session.client("s3"), session.client("rekognition")
    s3.create_bucket(Bucket=client_job.bucket)
    s3.upload_file(str(client_job.manifest), client_job.bucket, "any.manifest")
    project = rekognition.create_project(ProjectName=client_job.project)["ProjectArn"]
    s3_object = {"Bucket": client_job.bucket, "Name": "any.manifest"}
    train = rekognition.create_dataset(
        ProjectArn=project,
        DatasetType="TRAIN",
        DatasetSource={"GroundTruthManifest": {"S3Object": s3_object}},
    )["DatasetArn"]
    test = rekognition.create_dataset(ProjectArn=project, DatasetType="TEST")["DatasetArn"]
    assert _wait_for_status(rekognition, train) == "CREATE_COMPLETE"
    rekognition.distribute_dataset_entries(Datasets=[{"Arn": train}, {"Arn": test}])
    assert _wait_for_status(rekognition, train) == "UPDATE_COMPLETE"
    assert _wait_for_status(rekognition, test) == "UPDATE_COMPLETE"
    client_job.assert_split(_list_entries(rekognition, train), _list_entries(rekognition, test))


def test_boto3_runs_the_lifecycle_of_a_project(
    session: Any, lifecycle_source: dict[str, Any]
) -> None:
    run_lifecycle(Boto3(session.client("rekognition")), lifecycle_source)


@dataclass(frozen=True, slots=True)
class Boto3:
    client: Any

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(self.client, xform_name(operation))(**request)
        return answer

    def list_items(self, operation: str, page_size: int, **request: Any) -> list[Any]:
        paginator = self.client.get_paginator(xform_name(operation))
        pages = paginator.paginate(**request, PaginationConfig={"PageSize": page_size})
        return join_pages([get_items(page) for page in pages], page_size)

    def is_refused(self, error: str, operation: str, **request: Any) -> bool:
        try:
            self.call(operation, **request)
        except getattr(self.client.exceptions, error):
            return True
        return False


def _wait_for_status(rekognition: Any, arn: str) -> str:
    for _ in range(1_200):
        description = rekognition.describe_dataset(DatasetArn=arn)["DatasetDescription"]
        if not description["Status"].endswith("IN_PROGRESS"):
            break
        time.sleep(0.05)
    status: str = description["Status"]
    return status


def _list_entries(rekognition: Any, arn: str) -> list[str]:
    pages = rekognition.get_paginator("list_dataset_entries").paginate(DatasetArn=arn)
    return [entry for page in pages for entry in page["DatasetEntries"]]
