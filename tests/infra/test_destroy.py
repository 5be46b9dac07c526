"""`make destroy`: the stack goes, the data stays unless it is told otherwise, and either is said."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.cloudformation.responses import CloudFormationResponse

from infra import destroy
from infra.data import Data, DataError, delete_data
from infra.deployed import DeployedResource, DeployedStack, find_stack, make_client
from local.stack import Stack
from tests.infra.account import STACK, deploy, enter
from tests.infra.synthesized import Synthesized

FILLERS = 176
PAGE = 100


@pytest.fixture
def stages(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "dev.toml").touch()
    enter(monkeypatch, stack, tmp_path)
    return tmp_path


@pytest.fixture
def data(template: Synthesized, stages: Path) -> Iterator[Data]:
    """A stage has after a while contents, an old version, a delete marker, and an upload that was never completed."""
    deploy(template)
    yield _used()
    _clean_up()


def _used() -> Data:
    found = find_stack(STACK)
    assert found
    assert found.bucket
    assert found.table
    s3, bucket = make_client("s3"), found.bucket
    s3.put_object(Bucket=bucket, Key="contents/first", Body=b"x")
    s3.create_multipart_upload(Bucket=bucket, Key="contents/unfinished")
    return Data(bucket=bucket, table=found.table)


def _clean_up() -> None:
    """Also of a test that failed; the stack has retained its data."""
    found = find_stack(STACK)
    with suppress(ClientError):  # moto deletes no stack whose bucket is gone
        make_client("cloudformation").delete_stack(StackName=STACK)
    buckets = [one["Name"] for one in make_client("s3").list_buckets()["Buckets"]]
    for name in buckets:
        if name.startswith(STACK.lower()):
            delete_data(Data(bucket=name, table=None))
    for table in make_client("dynamodb").list_tables()["TableNames"]:
        if table.startswith(STACK) or (found and table == found.table):
            delete_data(Data(bucket=None, table=table))


def _deployer(monkeypatch: pytest.MonkeyPatch, code: int) -> list[list[str]]:
    """Stands in for the CDK CLI, which needs an account; answers with the commands that it was given."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        commands.append(command)
        if not code:
            make_client("cloudformation").delete_stack(StackName=STACK)
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def _remaining(data: Data) -> tuple[bool, bool]:
    buckets = [one["Name"] for one in make_client("s3").list_buckets()["Buckets"]]
    tables = make_client("dynamodb").list_tables()["TableNames"]
    return data.bucket in buckets, data.table in tables


def test_the_data_outlives_the_stack_and_is_named(
    data: Data, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = _deployer(monkeypatch, 0)
    assert destroy.main(["stage=dev"]) == 0
    assert commands[0][-3:] == ["destroy", "--context", "stage=dev"]
    assert find_stack(STACK) is None
    assert _remaining(data) == (True, True)
    printed = capsys.readouterr().out
    assert f"The data stays: bucket {data.bucket} and table {data.table}." in printed
    assert "make destroy DATA=delete" in printed


@pytest.mark.parametrize("statuses", [(), ("Enabled",), ("Enabled", "Suspended")])
def test_told_so_it_deletes_the_data_after_the_stack(
    data: Data,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    statuses: tuple[str, ...],
) -> None:
    s3 = make_client("s3")
    for status in statuses:
        s3.put_bucket_versioning(Bucket=data.bucket, VersioningConfiguration={"Status": status})
        for key in ("contents/first", f"contents/{status}"):
            s3.put_object(Bucket=data.bucket, Key=key, Body=b"y")
        s3.delete_object(Bucket=data.bucket, Key="contents/first")
    _deployer(monkeypatch, 0)
    assert destroy.main(["--delete-data", "stage=dev"]) == 0
    assert _remaining(data) == (False, False)
    assert f"Deleted bucket {data.bucket} and table {data.table}." in capsys.readouterr().out


def test_more_versions_than_a_page_has_are_all_deleted(
    data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3 = make_client("s3")
    s3.put_bucket_versioning(Bucket=data.bucket, VersioningConfiguration={"Status": "Enabled"})
    for number in range(1100):
        s3.put_object(Bucket=data.bucket, Key=f"contents/{number % 7}", Body=b"y")
    delete_data(data)
    assert _remaining(data) == (False, False)


def test_what_is_gone_already_does_not_keep_the_rest(data: Data) -> None:
    gone = Data(bucket=f"{data.bucket}-gone", table=None)
    delete_data(gone)
    delete_data(data)
    delete_data(data)
    assert _remaining(data) == (False, False)


def test_an_object_that_s3_keeps_is_told(
    data: Data, monkeypatch: pytest.MonkeyPatch, stack: Stack
) -> None:
    """S3 answers 200 to a DeleteObjects that it refuses in part, as with Object Lock."""
    s3 = make_client("s3")
    s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    until = {"Mode": "GOVERNANCE", "RetainUntilDate": "2999-01-01T00:00:00Z"}
    s3.put_object(
        Bucket="locked",
        Key="kept",
        Body=b"",
        ObjectLockMode=until["Mode"],
        ObjectLockRetainUntilDate=until["RetainUntilDate"],
    )
    with pytest.raises(DataError, match=r"S3 kept 1 objects of locked; of kept it says: "):
        delete_data(Data(bucket="locked", table=None))


def test_a_stack_that_was_not_deleted_keeps_its_data(
    data: Data, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _deployer(monkeypatch, 1)
    assert destroy.main(["--delete-data", "stage=dev"]) == 1
    assert _remaining(data) == (True, True)
    assert f"The stack {STACK} is still there (CREATE_COMPLETE)" in capsys.readouterr().err


def test_resources_that_could_not_be_deleted_are_named_with_the_reason() -> None:
    policy = DeployedResource("AWS::IAM::ManagedPolicy", "arn:p", "DELETE_FAILED", "attached")
    table = DeployedResource("AWS::DynamoDB::Table", "t", "DELETE_SKIPPED", "")
    stack = DeployedStack(STACK, "DELETE_FAILED", protected=False, resources=(policy, table))
    told = destroy._describe_remains(STACK, stack)
    assert "is still there (DELETE_FAILED), with 2 resources" in told
    assert told.splitlines()[1:] == ["  arn:p (AWS::IAM::ManagedPolicy): attached"]


def test_a_stage_that_does_not_exist_is_named(stages: Path) -> None:
    (stages / "other.toml").touch()
    with pytest.raises(SystemExit, match=r"no stack Twofold-other"):
        destroy.main(["stage=other"])


def _page_as_cloudformation(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto answers with all resources at once; AWS with 100, of which DescribeStackResources has no more."""
    list_all: Any = CloudFormationResponse.list_stack_resources
    describe_all: Any = CloudFormationResponse.describe_stack_resources

    def list_page(self: Any) -> Any:
        answer = list_all(self)
        first = int(self._get_param("NextToken") or 0)
        summaries = answer.result["StackResourceSummaries"]
        answer.result["StackResourceSummaries"] = summaries[first : first + PAGE]
        if first + PAGE < len(summaries):
            answer.result["NextToken"] = str(first + PAGE)
        return answer

    def describe_first(self: Any) -> Any:
        answer = describe_all(self)
        answer.result["StackResources"] = answer.result["StackResources"][:PAGE]
        return answer

    monkeypatch.setattr(CloudFormationResponse, "list_stack_resources", list_page)
    monkeypatch.setattr(CloudFormationResponse, "describe_stack_resources", describe_first)


def test_a_stack_with_more_resources_than_a_page_is_destroyed_with_its_data(
    template: Synthesized, stages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(template.body["Resources"]) > PAGE
    _page_as_cloudformation(monkeypatch)
    topics = {f"Topic{number}": {"Type": "AWS::SNS::Topic"} for number in range(FILLERS)}
    deploy(template, more=topics)
    found = find_stack(STACK)
    assert found
    assert found.bucket
    assert found.table
    assert len(found.resources) == FILLERS + 2
    _deployer(monkeypatch, 0)
    assert destroy.main(["--delete-data", "stage=dev"]) == 0
    assert _remaining(Data(bucket=found.bucket, table=found.table)) == (False, False)


def test_a_protected_stack_is_refused_before_anything_is_deleted(
    template: Synthesized, stages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(template, EnableTerminationProtection=True)
    commands = _deployer(monkeypatch, 0)
    with pytest.raises(SystemExit) as refused:
        destroy.main(["--delete-data", "stage=dev"])
    assert "Twofold-dev has termination protection; nothing was deleted" in str(refused.value)
    assert f"--stack-name {STACK} --no-enable-termination-protection" in str(refused.value)
    assert commands == []
    _clean_up()


@pytest.mark.parametrize("arguments", [["stage=dev"], ["--delete-data", "stage=dev"]])
def test_a_stack_that_came_to_no_data_is_destroyed_all_the_same(
    stages: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
) -> None:
    """Its creation failed before the bucket and the table."""
    body = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    make_client("cloudformation").create_stack(StackName=STACK, TemplateBody=body)
    _deployer(monkeypatch, 0)
    assert destroy.main(arguments) == 0
    assert "no data" in capsys.readouterr().out


def test_data_that_cannot_be_deleted_is_named_when_the_stack_is_gone(
    data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Data) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DeleteTable")

    _deployer(monkeypatch, 0)
    monkeypatch.setattr(destroy, "delete_data", refuse)
    with pytest.raises(SystemExit) as failed:
        destroy.main(["--delete-data", "stage=dev"])
    assert "The stack is gone. Its data could not be deleted" in str(failed.value)
    assert f"bucket {data.bucket} and table {data.table} may still be there" in str(failed.value)
