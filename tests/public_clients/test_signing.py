"""Signing for a deployed Twofold: API Gateway requires the service name `execute-api`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.emulator.server import Emulator

ROOT = Path(__file__).parents[2]
PROGRAM = """
import boto3
client = boto3.client("rekognition")
seen = []
client.meta.events.register("before-send.*", lambda request, **_: seen.append(request.headers["Authorization"]))
print(client.describe_projects()["ResponseMetadata"]["HTTPStatusCode"], seen[0].decode().split("/")[3])
"""


@pytest.mark.parametrize(
    ("data_path", "service"),
    [
        pytest.param("", "rekognition", id="without extension"),
        pytest.param(str(ROOT / "clients" / "aws-models"), "execute-api", id="with extension"),
    ],
)
def test_boto3_signs_for_execute_api_only_with_the_model_extension(
    emulator: Emulator, data_path: str, service: str
) -> None:
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": emulator.endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DATA_PATH": data_path,
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["200", service]


def test_the_line_in_the_readme_makes_boto3_call_each_operation_at_its_path(
    emulator: Emulator,
) -> None:
    text = (ROOT / "clients" / "README.md").read_text()
    line = text.split("```python\n")[1].split("```")[0]
    client = emulator.create_client("rekognition")
    paths: list[str] = []
    client.meta.events.register("before-send.*", lambda request, **_: paths.append(request.url))
    exec(line, {"client": client})  # noqa: S102 code from the documentation
    assert client.describe_projects()["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert paths == [f"{emulator.endpoint}/DescribeProjects"]
