"""With the guard `owner` a manifest is read from its caller's own folder of sources, in whatever bucket."""

import boto3
import pytest

from tests.handlers.in_process import SOURCES, Api, serving
from tests.handlers.principals import ACCOUNT, code, role, user
from tests.job import two_labels
from twofold.stores.keys import is_source


def take_in(api: Api, key: str, bucket: str = "") -> tuple[str, str]:
    """(error, message) of CreateDataset from a manifest that exists; without an error the dataset is complete."""
    bucket = bucket or api.name
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body="\n".join(two_labels(5)).encode())
    project = _project(api)
    source = {"GroundTruthManifest": {"S3Object": {"Bucket": bucket, "Name": key}}}
    answer = api.call(
        "CreateDataset", ProjectArn=project, DatasetType="TRAIN", DatasetSource=source
    )
    error = code("CreateDataset", answer)
    if error:
        return error, str(answer[1]["Message"])
    arn = answer[1]["DatasetArn"]
    described = api.done("DescribeDataset", DatasetArn=arn)["DatasetDescription"]
    assert described["DatasetStats"]["TotalEntries"] == 5
    return "", ""


def _project(api: Api) -> str:
    number = len(api.done("DescribeProjects")["ProjectDescriptions"])
    arn: str = api.done("CreateProject", ProjectName=f"p{number}")["ProjectArn"]
    return arn


@pytest.mark.parametrize("bucket", ["", SOURCES])
def test_a_role_has_a_folder_and_each_of_its_sessions_another(api: Api, bucket: str) -> None:
    alice = api.called_by(*role("alice", "morning"))
    assert take_in(alice, "sources/AROAALICE/m", bucket) == ("", "")
    assert take_in(alice, "sources/AROAALICE:morning/a/b/m", bucket) == ("", "")


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
def test_nothing_else_is_read(api: Api, bucket: str, key: str) -> None:
    """The message names the folders, since a caller may not know the id."""
    alice = api.called_by(*role("alice", "morning"))
    error, message = take_in(alice, key, bucket)
    assert error == "InvalidS3ObjectException"
    if is_source(key):
        place = f"s3://{bucket or api.name}/sources/AROAALICE"
        assert f"{place}:morning/ and {place}/ alone" in message


def test_a_user_has_one_folder(api: Api) -> None:
    alice = api.called_by(*user("alice"))
    assert take_in(alice, "sources/AIDAALICE/m") == ("", "")
    assert take_in(alice, "sources/AROAALICE/m")[0] == "InvalidS3ObjectException"


def test_federated_users_of_an_account_share_no_folder_with_each_other_or_the_root(
    api: Api,
) -> None:
    """Their id begins with the account's number, which is the root's own."""
    federated = api.called_by(f"arn:aws:sts::{ACCOUNT}:federated-user/alice", f"{ACCOUNT}:alice")
    assert take_in(federated, f"sources/{ACCOUNT}:alice/m") == ("", "")
    assert take_in(federated, f"sources/{ACCOUNT}/m")[0] == "InvalidS3ObjectException"


def test_administrators_read_every_folder(api: Api) -> None:
    administrator = api.called_by(*role("keeper"))
    for key in ("sources/m", "sources/AROAALICE/m"):
        assert take_in(administrator, key) == ("", "")
    assert take_in(administrator, "anywhere", SOURCES) == ("", "")


def test_without_the_guard_every_folder_is_every_caller_s(aws: None) -> None:
    with serving() as api:
        alice = api.called_by(*role("alice"))
        assert take_in(alice, "sources/AROABOB/m") == ("", "")
        assert take_in(alice, "anywhere", SOURCES) == ("", "")
        assert take_in(alice, "sources/../sources/m")[0] == "InvalidS3ObjectException"
