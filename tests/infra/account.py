"""An AWS account for the deployment commands: the running local emulator, with a stack in CloudFormation."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.deployed import make_client
from local.emulator.server import Emulator
from tests.infra.synthesized_template import SynthesizedTemplate

STACK = "Twofold-dev"


def build_environment(emulator: Emulator, stages: Path) -> dict[str, str]:
    """Return the environment of a shell for the local emulator, with the stage files of the folder `stages`."""
    return {
        "AWS_ENDPOINT_URL": emulator.endpoint,
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "TWOFOLD_STAGES": str(stages),
    }


def enter_shell(monkeypatch: pytest.MonkeyPatch, emulator: Emulator, stages: Path) -> None:
    """Set the environment of this process to that of the shell."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    for name, value in build_environment(emulator, stages).items():
        monkeypatch.setenv(name, value)


def deploy(
    template: SynthesizedTemplate,
    *,
    with_record: bool = True,
    extra_resources: Mapping[str, Any] | None = None,
    **parameters: Any,
) -> None:
    """Create a stack with the template's table and bucket and `extra_resources`; `with_record` adds the options."""
    resources = dict(extra_resources or {})
    for resource_type in ("AWS::DynamoDB::Table", "AWS::S3::Bucket"):
        resources |= template.select_resources(resource_type)
    body: dict[str, Any] = {"Resources": resources}
    if with_record:
        body["Metadata"] = template.body["Metadata"]
    make_client("cloudformation").create_stack(
        StackName=STACK, TemplateBody=json.dumps(body), **parameters
    )
