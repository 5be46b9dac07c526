"""With the guard `owner`, manifests come from the caller's own source folder, in any bucket."""

import boto3
import pytest

from tests.api.principals import ACCOUNT, get_error_code, make_role_identity, make_user_identity
from tests.support.in_process_api import SOURCES, InProcessApi, serve_api
from tests.support.job import make_two_label_lines
from twofold.stores.keys import is_source


def create_from_source(api: InProcessApi, key: str, bucket: str = "") -> tuple[str, str]:
    """Create a dataset from a new manifest and return (error, message); both are empty for a complete dataset."""
    bucket = bucket or api.name
    boto3.client("s3").put_object(
        Bucket=bucket, Key=key, Body="\n".join(make_two_label_lines(5)).encode()
    )
    project = _create_project(api)
    source = {"GroundTruthManifest": {"S3Object": {"Bucket": bucket, "Name": key}}}
    response = api.call(
        "CreateDataset", ProjectArn=project, DatasetType="TRAIN", DatasetSource=source
    )
    error = get_error_code("CreateDataset", response)
    if error:
        return error, str(response[1]["Message"])
    arn = response[1]["DatasetArn"]
    described = api.call_successfully("DescribeDataset", DatasetArn=arn)["DatasetDescription"]
    assert described["DatasetStats"]["TotalEntries"] == 5
    return "", ""


def _create_project(api: InProcessApi) -> str:
    number = len(api.call_successfully("DescribeProjects")["ProjectDescriptions"])
    arn: str = api.call_successfully("CreateProject", ProjectName=f"p{number}")["ProjectArn"]
    return arn


@pytest.mark.parametrize("bucket", ["", SOURCES])
def test_a_role_and_each_of_its_sessions_have_source_folders(
    api: InProcessApi, bucket: str
) -> None:
    alice = api.for_caller(*make_role_identity("alice", "morning"))
    assert create_from_source(alice, "sources/AROAALICE/m", bucket) == ("", "")
    assert create_from_source(alice, "sources/AROAALICE:morning/a/b/m", bucket) == ("", "")


@pytest.mark.parametrize("bucket", ["", SOURCES])
@pytest.mark.parametrize(
    "key",
    [
        "sources/m",
        "sources/AROABOB/m",
        "sources/AROAALICE:evening/m",
        "sources/AROAALICE",
        "sources/AROAALICEX/m",
        "sources/AROAALICE/../AROABOB/m",
        "sources/AROAALICE/./m",
        "sources//AROAALICE/m",
        "AROAALICE/m",
        "sources/alice/m",
    ],
)
def test_manifests_in_other_folders_are_rejected(api: InProcessApi, bucket: str, key: str) -> None:
    """The message names the folders, because callers may not know their ids."""
    alice = api.for_caller(*make_role_identity("alice", "morning"))
    error, message = create_from_source(alice, key, bucket)
    assert error == "InvalidS3ObjectException"
    if is_source(key):
        folder = f"s3://{bucket or api.name}/sources/AROAALICE"
        assert f"only from {folder}:morning/ and {folder}/." in message


def test_a_user_has_one_source_folder(api: InProcessApi) -> None:
    alice = api.for_caller(*make_user_identity("alice"))
    assert create_from_source(alice, "sources/AIDAALICE/m") == ("", "")
    assert create_from_source(alice, "sources/AROAALICE/m")[0] == "InvalidS3ObjectException"


def test_federated_users_of_an_account_share_no_folder_with_each_other_or_the_root(
    api: InProcessApi,
) -> None:
    """The id of a federated user begins with the account number, the id of the root user."""
    federated = api.for_caller(f"arn:aws:sts::{ACCOUNT}:federated-user/alice", f"{ACCOUNT}:alice")
    assert create_from_source(federated, f"sources/{ACCOUNT}:alice/m") == ("", "")
    assert create_from_source(federated, f"sources/{ACCOUNT}/m")[0] == "InvalidS3ObjectException"


def test_administrators_read_every_folder(api: InProcessApi) -> None:
    administrator = api.for_caller(*make_role_identity("keeper"))
    for key in ("sources/m", "sources/AROAALICE/m"):
        assert create_from_source(administrator, key) == ("", "")
    assert create_from_source(administrator, "anywhere", SOURCES) == ("", "")


def test_without_the_guard_every_caller_reads_every_folder(aws: None) -> None:
    with serve_api() as api:
        alice = api.for_caller(*make_role_identity("alice"))
        assert create_from_source(alice, "sources/AROABOB/m") == ("", "")
        assert create_from_source(alice, "anywhere", SOURCES) == ("", "")
        assert create_from_source(alice, "sources/../sources/m")[0] == "InvalidS3ObjectException"
