"""In the service's own bucket, CreateDataset reads the source folder only."""

import pytest

from local.emulator.server import BUCKET
from tests.api.api_calls import expect_error, get_contents_folder
from tests.support.job import Job, make_two_label_lines


def _create_dataset(job: Job, key: str) -> str:
    source = {"GroundTruthManifest": {"S3Object": {"Bucket": BUCKET, "Name": key}}}
    made = job.client.create_dataset(
        ProjectArn=job.project, DatasetType="TEST", DatasetSource=source
    )
    arn: str = made["DatasetArn"]
    return arn


def test_a_manifest_in_the_source_folder_is_ingested(job: Job) -> None:
    body = "\n".join(make_two_label_lines(10)).encode()
    job.emulator.create_client("s3").put_object(Bucket=BUCKET, Key="sources/mine", Body=body)
    assert job.wait_for_dataset(_create_dataset(job, "sources/mine"))["Status"] == "CREATE_COMPLETE"


@pytest.mark.parametrize("way", ["{}/entries.manifest", "./{}/entries.manifest", "/{}", "{}"])
def test_contents_of_a_dataset_cannot_be_a_source(job: Job, way: str) -> None:
    train = job.create_dataset("TRAIN", make_two_label_lines(10))
    job.wait_for_dataset(train)
    key = way.format(get_contents_folder(job, train))
    code, message = expect_error("CreateDataset", lambda: _create_dataset(job, key))
    assert code == "InvalidS3ObjectException"
    assert "only the folder sources/" in message


@pytest.mark.parametrize(
    "key", ["sources", "sources-of-others/x", "scratch/x", "sources/../reports/x"]
)
def test_a_key_outside_of_the_source_folder_is_rejected(job: Job, key: str) -> None:
    """In S3, `..` is an ordinary name, and a folder is a prefix with a final slash."""
    code, _ = expect_error("CreateDataset", lambda: _create_dataset(job, key))
    assert code == "InvalidS3ObjectException"
