"""The main job and the lifecycle of a project with the unmodified AWS CLI."""

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

from tests.public_clients import cli_server
from tests.public_clients.client_job import ClientJob
from tests.public_clients.client_process import ClientProcess, start_client
from tests.public_clients.lifecycle import get_items, run_lifecycle

AWS = Path(sys.executable).with_name("aws")

Aws = Callable[..., Any]


@pytest.fixture
def aws(environment: dict[str, str]) -> Aws:
    def run_aws(*arguments: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-P", str(AWS), *arguments, "--output", "json"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if arguments[0] == "rekognition" and done.stdout else None

    return run_aws


def test_the_aws_cli_does_the_main_job(aws: Aws, client_job: ClientJob) -> None:
    address = f"s3://{client_job.bucket}/any.manifest"
    aws("s3", "mb", f"s3://{client_job.bucket}")
    aws("s3", "cp", str(client_job.manifest), address)
    project = aws("rekognition", "create-project", "--project-name", client_job.project)[
        "ProjectArn"
    ]
    pair = [
        aws("rekognition", "create-dataset", "--project-arn", project, *options)["DatasetArn"]
        for options in (
            ("--dataset-type", "TRAIN", "--dataset-source", _format_source(client_job)),
            ("--dataset-type", "TEST"),
        )
    ]
    assert _wait_for_status(aws, pair[0]) == "CREATE_COMPLETE"
    datasets = [f"Arn={arn}" for arn in pair]
    aws("rekognition", "distribute-dataset-entries", "--datasets", *datasets)
    assert _wait_for_status(aws, pair[0]) == "UPDATE_COMPLETE"
    train, test = (
        aws("rekognition", "list-dataset-entries", "--dataset-arn", arn)["DatasetEntries"]
        for arn in pair
    )
    client_job.assert_split(train, test)


def test_the_aws_cli_runs_the_lifecycle_of_a_project(
    environment: dict[str, str], lifecycle_source: dict[str, Any]
) -> None:
    command = [sys.executable, "-P", cli_server.__file__, str(AWS)]
    with start_client(command, environment) as program:
        run_lifecycle(_Cli(program), lifecycle_source)


@dataclass(frozen=True, slots=True)
class _Cli:
    program: ClientProcess

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        code, out, err = self._run(operation, *_format_options(request))
        assert code == 0, err
        return json.loads(out) if out else {}

    def list_items(self, operation: str, page_size: int, **request: Any) -> list[Any]:
        """Return the items of all pages, which the CLI joins."""
        code, out, err = self._run(
            operation, *_format_options(request), "--page-size", str(page_size)
        )
        assert code == 0, err
        return get_items(json.loads(out))

    def is_refused(self, error: str, operation: str, **request: Any) -> bool:
        code, _, err = self._run(operation, *_format_options(request))
        assert code == 0 or f"An error occurred ({error}) when calling" in err, err
        return bool(code)

    def _run(self, operation: str, *options: str) -> tuple[int, str, str]:
        command = ("rekognition", xform_name(operation, "-"), *options, "--output", "json")
        code, out, err = self.program.call(command)
        return code, out, err


def _format_options(request: dict[str, Any]) -> Iterator[str]:
    """Yield the options for a request. Version 1 of the CLI reads a blob within JSON as text.

    Version 2 does so with `--cli-binary-format raw-in-base64-out`.
    """
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


def _format_source(client_job: ClientJob) -> str:
    s3_object = {"Bucket": client_job.bucket, "Name": "any.manifest"}
    return json.dumps({"GroundTruthManifest": {"S3Object": s3_object}})


def _wait_for_status(aws: Aws, arn: str) -> str:
    for _ in range(60):
        description = aws("rekognition", "describe-dataset", "--dataset-arn", arn)
        status: str = description["DatasetDescription"]["Status"]
        if not status.endswith("IN_PROGRESS"):
            break
        time.sleep(0.1)
    return status
