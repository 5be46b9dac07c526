"""`make destroy` deletes the stack and retains or deletes the data, with a message for each case."""

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
from infra.data import DataError, RetainedData, delete_data
from infra.deployed import DeployedResource, DeployedStack, find_stack, make_client
from local.emulator.server import Emulator
from tests.faults.moto_storage import MotoStorage
from tests.infra.account import STACK, deploy, enter_shell
from tests.infra.synthesized_template import SynthesizedTemplate

EXTRA_TOPICS = 176
PAGE = 100


@pytest.fixture
def stages(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "dev.toml").touch()
    enter_shell(monkeypatch, emulator, tmp_path)
    return tmp_path


@pytest.fixture
def data(template: SynthesizedTemplate, stages: Path) -> Iterator[RetainedData]:
    """Bucket and table of a deployed stack, with an object and an unfinished upload."""
    deploy(template)
    yield _use_stack()
    clean_up()


def _use_stack() -> RetainedData:
    deployed_stack = find_stack(STACK)
    assert deployed_stack
    assert deployed_stack.bucket
    assert deployed_stack.table
    s3, bucket = make_client("s3"), deployed_stack.bucket
    s3.put_object(Bucket=bucket, Key="contents/first", Body=b"x")
    s3.create_multipart_upload(Bucket=bucket, Key="contents/unfinished")
    return RetainedData(bucket=bucket, table=deployed_stack.table)


def clean_up() -> None:
    """Delete the stack and its retained data, also after a failed test."""
    deployed_stack = find_stack(STACK)
    with suppress(ClientError):  # moto cannot delete a stack without its bucket
        make_client("cloudformation").delete_stack(StackName=STACK)
    buckets = [bucket["Name"] for bucket in make_client("s3").list_buckets()["Buckets"]]
    for name in buckets:
        if name.startswith(STACK.lower()):
            delete_data(RetainedData(bucket=name, table=None))
    for table in make_client("dynamodb").list_tables()["TableNames"]:
        if table.startswith(STACK) or (deployed_stack and table == deployed_stack.table):
            delete_data(RetainedData(bucket=None, table=table))


def _replace_cdk_cli(monkeypatch: pytest.MonkeyPatch, code: int) -> list[list[str]]:
    """Replace the CDK CLI, which needs an account, by a function with exit code `code`; return the list of its commands."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        commands.append(command)
        if not code:
            make_client("cloudformation").delete_stack(StackName=STACK)
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def _check_remaining(data: RetainedData) -> tuple[bool, bool]:
    """Return whether the bucket and the table exist."""
    buckets = [bucket["Name"] for bucket in make_client("s3").list_buckets()["Buckets"]]
    tables = make_client("dynamodb").list_tables()["TableNames"]
    return data.bucket in buckets, data.table in tables


def test_the_data_outlives_the_stack_and_is_named(
    data: RetainedData, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = _replace_cdk_cli(monkeypatch, 0)
    assert destroy.main(["stage=dev"]) == 0
    assert commands[0][-3:] == ["destroy", "--context", "stage=dev"]
    assert find_stack(STACK) is None
    assert _check_remaining(data) == (True, True)
    printed = capsys.readouterr().out
    assert f"Retained the data: bucket {data.bucket} and table {data.table}." in printed
    assert "make destroy DATA=delete" in printed


@pytest.mark.parametrize("statuses", [(), ("Enabled",), ("Enabled", "Suspended")])
def test_with_the_flag_it_deletes_the_data_after_the_stack(
    data: RetainedData,
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
    _replace_cdk_cli(monkeypatch, 0)
    assert destroy.main(["--delete-data", "stage=dev"]) == 0
    assert _check_remaining(data) == (False, False)
    assert f"Deleted bucket {data.bucket} and table {data.table}." in capsys.readouterr().out


def test_more_versions_than_a_page_has_are_all_deleted(
    data: RetainedData, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3 = make_client("s3")
    s3.put_bucket_versioning(Bucket=data.bucket, VersioningConfiguration={"Status": "Enabled"})
    assert data.bucket
    storage = MotoStorage(data.bucket)
    for number in range(1100):
        storage.put_object(f"contents/{number % 7}", b"y")
    delete_data(data)
    assert _check_remaining(data) == (False, False)


def test_missing_resources_are_skipped(data: RetainedData) -> None:
    missing = RetainedData(bucket=f"{data.bucket}-gone", table=None)
    delete_data(missing)
    delete_data(data)
    delete_data(data)
    assert _check_remaining(data) == (False, False)


def test_an_object_that_s3_does_not_delete_is_reported(
    data: RetainedData, monkeypatch: pytest.MonkeyPatch, emulator: Emulator
) -> None:
    """DeleteObjects responds with 200 if S3 deletes only some objects, for example because of Object Lock."""
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
    with pytest.raises(
        DataError, match=r"S3 did not delete 1 objects of locked; first error: kept, "
    ):
        delete_data(RetainedData(bucket="locked", table=None))


def test_a_stack_that_was_not_deleted_keeps_its_data(
    data: RetainedData, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _replace_cdk_cli(monkeypatch, 1)
    assert destroy.main(["--delete-data", "stage=dev"]) == 1
    assert _check_remaining(data) == (True, True)
    assert f"The stack {STACK} still exists (CREATE_COMPLETE)" in capsys.readouterr().err


def test_resources_that_could_not_be_deleted_are_named_with_the_reason() -> None:
    policy = DeployedResource("AWS::IAM::ManagedPolicy", "arn:p", "DELETE_FAILED", "attached")
    table = DeployedResource("AWS::DynamoDB::Table", "t", "DELETE_SKIPPED", "")
    stack = DeployedStack(
        STACK, "DELETE_FAILED", termination_protection=False, resources=(policy, table)
    )
    message = destroy._describe_remains(STACK, stack)
    assert "still exists (DELETE_FAILED), with 2 resources" in message
    assert message.splitlines()[1:] == ["  arn:p (AWS::IAM::ManagedPolicy): attached"]


def test_a_stage_that_does_not_exist_is_named(stages: Path) -> None:
    (stages / "other.toml").touch()
    with pytest.raises(SystemExit, match=r"No stack Twofold-other"):
        destroy.main(["stage=other"])


def _paginate_like_cloudformation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make moto respond like AWS: pages of 100 resources, and only the first 100 from DescribeStackResources."""
    list_all: Any = CloudFormationResponse.list_stack_resources
    describe_all: Any = CloudFormationResponse.describe_stack_resources

    def list_page(self: Any) -> Any:
        response = list_all(self)
        first = int(self._get_param("NextToken") or 0)
        summaries = response.result["StackResourceSummaries"]
        response.result["StackResourceSummaries"] = summaries[first : first + PAGE]
        if first + PAGE < len(summaries):
            response.result["NextToken"] = str(first + PAGE)
        return response

    def describe_first(self: Any) -> Any:
        response = describe_all(self)
        response.result["StackResources"] = response.result["StackResources"][:PAGE]
        return response

    monkeypatch.setattr(CloudFormationResponse, "list_stack_resources", list_page)
    monkeypatch.setattr(CloudFormationResponse, "describe_stack_resources", describe_first)


def test_a_stack_with_more_resources_than_a_page_is_destroyed_with_its_data(
    template: SynthesizedTemplate, stages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(template.body["Resources"]) > PAGE
    _paginate_like_cloudformation(monkeypatch)
    topics = {f"Topic{number}": {"Type": "AWS::SNS::Topic"} for number in range(EXTRA_TOPICS)}
    deploy(template, extra_resources=topics)
    stack = find_stack(STACK)
    assert stack
    assert stack.bucket
    assert stack.table
    assert len(stack.resources) == EXTRA_TOPICS + 2
    _replace_cdk_cli(monkeypatch, 0)
    assert destroy.main(["--delete-data", "stage=dev"]) == 0
    assert _check_remaining(RetainedData(bucket=stack.bucket, table=stack.table)) == (False, False)


def test_a_protected_stack_is_refused_before_anything_is_deleted(
    template: SynthesizedTemplate, stages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(template, EnableTerminationProtection=True)
    commands = _replace_cdk_cli(monkeypatch, 0)
    with pytest.raises(SystemExit) as refused:
        destroy.main(["--delete-data", "stage=dev"])
    assert "Twofold-dev has termination protection; nothing was deleted" in str(refused.value)
    assert f"--stack-name {STACK} --no-enable-termination-protection" in str(refused.value)
    assert commands == []
    clean_up()


@pytest.mark.parametrize("arguments", [["stage=dev"], ["--delete-data", "stage=dev"]])
def test_a_stack_without_data_is_destroyed(
    stages: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
) -> None:
    """Such as a stack whose creation failed before the bucket and the table."""
    body = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    make_client("cloudformation").create_stack(StackName=STACK, TemplateBody=body)
    _replace_cdk_cli(monkeypatch, 0)
    assert destroy.main(arguments) == 0
    assert "no data" in capsys.readouterr().out


def test_data_that_could_not_be_deleted_is_named(
    data: RetainedData, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: RetainedData) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DeleteTable")

    _replace_cdk_cli(monkeypatch, 0)
    monkeypatch.setattr(destroy, "delete_data", refuse)
    with pytest.raises(SystemExit) as failed:
        destroy.main(["--delete-data", "stage=dev"])
    assert "The stack was deleted, but not its data: " in str(failed.value)
    assert f"bucket {data.bucket} and table {data.table} may still exist" in str(failed.value)
