"""`make destroy`: the stack goes, the data stays unless it is told otherwise, and either is said."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra import destroy
from tests.infra.synthesized import Synthesized

STACK = "Twofold-dev"


@pytest.fixture
def data(template: Synthesized, monkeypatch: pytest.MonkeyPatch) -> Iterator[destroy.Data]:
    """What a stage has after a while: contents, and an upload that was never completed."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    mock = mock_aws()
    # The data of the running stack, in the same memory, is left alone.
    mock.start(reset=False)
    boto3.client("cloudformation").create_stack(StackName=STACK, TemplateBody=_stored(template))
    found = destroy.data_of(STACK)
    assert found
    s3 = boto3.client("s3")
    s3.put_object(Bucket=found.bucket, Key="contents/first", Body=b"x")
    s3.create_multipart_upload(Bucket=found.bucket, Key="contents/unfinished")
    yield found
    if destroy.data_of(STACK):
        boto3.client("cloudformation").delete_stack(StackName=STACK)
    if any(_remaining(found)):
        destroy.delete(found)
    mock.stop(remove_data=False)


def _stored(template: Synthesized) -> str:
    """The table and the bucket as they are deployed, as far as moto's CloudFormation reads them."""
    (table,) = template.of_type("AWS::DynamoDB::Table").items()
    (bucket,) = template.of_type("AWS::S3::Bucket").items()
    return json.dumps({"Resources": dict([table, bucket])})


def _deployer(monkeypatch: pytest.MonkeyPatch, code: int) -> list[list[str]]:
    """Stands in for the CDK CLI, which needs an account; answers with the commands that it was given."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        commands.append(command)
        if not code:
            boto3.client("cloudformation").delete_stack(StackName=STACK)
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def _remaining(data: destroy.Data) -> tuple[bool, bool]:
    buckets = [one["Name"] for one in boto3.client("s3").list_buckets()["Buckets"]]
    tables = boto3.client("dynamodb").list_tables()["TableNames"]
    return data.bucket in buckets, data.table in tables


def test_the_data_outlives_the_stack_and_is_named(
    data: destroy.Data, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = _deployer(monkeypatch, 0)
    assert destroy.main(["stage=dev"]) == 0
    assert commands[0][-3:] == ["destroy", "--context", "stage=dev"]
    assert destroy.data_of(STACK) is None
    assert _remaining(data) == (True, True)
    printed = capsys.readouterr().out
    assert f"The data stays: bucket {data.bucket}, table {data.table}." in printed
    assert "make destroy DATA=delete" in printed


def test_told_so_it_deletes_the_data_after_the_stack(
    data: destroy.Data, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _deployer(monkeypatch, 0)
    assert destroy.main(["--delete-data", "stage=dev"]) == 0
    assert _remaining(data) == (False, False)
    assert f"Deleted bucket {data.bucket} and table {data.table}." in capsys.readouterr().out


def test_a_stack_that_was_not_deleted_keeps_its_data(
    data: destroy.Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    _deployer(monkeypatch, 1)
    assert destroy.main(["--delete-data", "stage=dev"]) == 1
    assert _remaining(data) == (True, True)


def test_a_stage_that_does_not_exist_is_named(data: destroy.Data) -> None:
    with pytest.raises(SystemExit, match=r"no stack Twofold-other"):
        destroy.main(["stage=other"])
