"""Of the service's own bucket, a caller reaches what users put there, and nothing of other datasets."""

import pytest

from local.stack import BUCKET
from tests.handlers.any_request import folder, refused
from tests.job import Job, two_labels


def _create(job: Job, key: str) -> str:
    source = {"GroundTruthManifest": {"S3Object": {"Bucket": BUCKET, "Name": key}}}
    made = job.client.create_dataset(
        ProjectArn=job.project, DatasetType="TEST", DatasetSource=source
    )
    arn: str = made["DatasetArn"]
    return arn


def test_a_manifest_in_the_folder_for_sources_is_taken_in(job: Job) -> None:
    body = "\n".join(two_labels(10)).encode()
    job.stack.client("s3").put_object(Bucket=BUCKET, Key="sources/mine", Body=body)
    assert job.settled(_create(job, "sources/mine"))["Status"] == "CREATE_COMPLETE"


@pytest.mark.parametrize("way", ["{}/entries.manifest", "./{}/entries.manifest", "/{}", "{}"])
def test_the_contents_of_a_dataset_are_no_source(job: Job, way: str) -> None:
    train = job.create("TRAIN", two_labels(10))
    job.settled(train)
    key = way.format(folder(job, train))
    code, message = refused("CreateDataset", lambda: _create(job, key))
    assert code == "InvalidS3ObjectException"
    assert "only the folder sources/" in message


@pytest.mark.parametrize(
    "key", ["sources", "sources-of-others/x", "scratch/x", "sources/../reports/x"]
)
def test_a_key_is_not_read_as_a_path(job: Job, key: str) -> None:
    """S3 knows no folders: `..` is a name like any other, and a prefix ends with its slash."""
    code, _ = refused("CreateDataset", lambda: _create(job, key))
    assert code == "InvalidS3ObjectException"
