"""The main job and the whole life of a project as the AWS CLI does them, installed beside these tests and unchanged."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name

from tests.clients import aws_cli
from tests.clients.life import items, walk
from tests.clients.outcome import Given
from tests.clients.program import Program, started

AWS = Path(sys.executable).with_name("aws")

Aws = Callable[..., Any]


@pytest.fixture
def aws(environment: dict[str, str]) -> Aws:
    def aws(*arguments: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-P", str(AWS), *arguments, "--output", "json"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if arguments[0] == "rekognition" and done.stdout else None

    return aws


def test_the_aws_cli_does_the_main_job(aws: Aws, given: Given) -> None:
    address = f"s3://{given.bucket}/any.manifest"
    aws("s3", "mb", f"s3://{given.bucket}")
    aws("s3", "cp", str(given.manifest), address)
    project = aws("rekognition", "create-project", "--project-name", given.project)["ProjectArn"]
    pair = [
        aws("rekognition", "create-dataset", "--project-arn", project, *options)["DatasetArn"]
        for options in (
            ("--dataset-type", "TRAIN", "--dataset-source", _source(given)),
            ("--dataset-type", "TEST"),
        )
    ]
    assert _settled(aws, pair[0]) == "CREATE_COMPLETE"
    datasets = [f"Arn={arn}" for arn in pair]
    aws("rekognition", "distribute-dataset-entries", "--datasets", *datasets)
    assert _settled(aws, pair[0]) == "UPDATE_COMPLETE"
    train, test = (
        aws("rekognition", "list-dataset-entries", "--dataset-arn", arn)["DatasetEntries"]
        for arn in pair
    )
    given.assert_split(train, test)


def test_the_aws_cli_walks_the_whole_life_of_a_project(
    environment: dict[str, str], life: dict[str, Any]
) -> None:
    command = [sys.executable, "-P", aws_cli.__file__, str(AWS)]
    with started(command, environment) as program:
        walk(_Cli(program), life)


@dataclass(frozen=True, slots=True)
class _Cli:
    program: Program

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        code, out, err = self._run(operation, *_options(request))
        assert code == 0, err
        return json.loads(out) if out else {}

    def listed(self, operation: str, size: int, **request: Any) -> list[Any]:
        """The CLI joins the pages itself."""
        code, out, err = self._run(operation, *_options(request), "--page-size", str(size))
        assert code == 0, err
        return items(json.loads(out))

    def refused(self, error: str, operation: str, **request: Any) -> bool:
        code, _, err = self._run(operation, *_options(request))
        assert code == 0 or f"An error occurred ({error}) when calling" in err, err
        return bool(code)

    def _run(self, operation: str, *options: str) -> tuple[int, str, str]:
        command = ("rekognition", xform_name(operation, "-"), *options, "--output", "json")
        code, out, err = self.program.ask(command)
        return code, out, err


def _options(request: dict[str, Any]) -> Iterator[str]:
    """As typed in a shell. A blob within JSON is text, as version 1 of the CLI has it; version 2 wants to be told so
    with `--cli-binary-format raw-in-base64-out`."""
    for member, value in request.items():
        name = xform_name(member, "-")
        if isinstance(value, bool):
            yield f"--{name}" if value else f"--no-{name}"
            continue
        yield f"--{name}"
        if isinstance(value, str):
            yield value
        elif isinstance(value, list) and all(isinstance(item, str) for item in value):
            yield from value
        else:
            yield json.dumps(value)


def _source(given: Given) -> str:
    s3_object = {"Bucket": given.bucket, "Name": "any.manifest"}
    return json.dumps({"GroundTruthManifest": {"S3Object": s3_object}})


def _settled(aws: Aws, arn: str) -> str:
    for _ in range(60):
        described = aws("rekognition", "describe-dataset", "--dataset-arn", arn)
        status: str = described["DatasetDescription"]["Status"]
        if not status.endswith("IN_PROGRESS"):
            break
        time.sleep(0.1)
    return status
