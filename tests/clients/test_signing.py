"""How clients sign for a deployed Twofold, whose API Gateway wants `execute-api`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.stack import Stack

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
        pytest.param("", "rekognition", id="as it comes"),
        pytest.param(
            str(ROOT / "clients" / "aws-models"), "execute-api", id="with the client file"
        ),
    ],
)
def test_boto3_signs_for_execute_api_with_the_client_file_alone(
    stack: Stack, data_path: str, service: str
) -> None:
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": stack.endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DATA_PATH": data_path,
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["200", service]


def test_boto3_calls_each_operation_at_its_own_path_with_the_line_of_the_readme(
    stack: Stack,
) -> None:
    text = (ROOT / "clients" / "README.md").read_text()
    line = text.split("```python\n")[1].split("```")[0]
    client = stack.client("rekognition")
    paths: list[str] = []
    client.meta.events.register("before-send.*", lambda request, **_: paths.append(request.url))
    exec(line, {"client": client})  # noqa: S102 it is the documentation's
    assert client.describe_projects()["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert paths == [f"{stack.endpoint}/DescribeProjects"]
