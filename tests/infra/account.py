"""An AWS account behind an endpoint: the running embedded AWS, with a stack in CloudFormation."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.deployed import make_client
from local.stack import Stack
from tests.infra.synthesized import Synthesized

STACK = "Twofold-dev"


def environment(stack: Stack, stages: Path) -> dict[str, str]:
    """For a shell whose AWS is the running stack, and whose files of stages are in a folder."""
    return {
        "AWS_ENDPOINT_URL": stack.endpoint,
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "TWOFOLD_STAGES": str(stages),
    }


def enter(monkeypatch: pytest.MonkeyPatch, stack: Stack, stages: Path) -> None:
    """This process is such a shell."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    for name, value in environment(stack, stages).items():
        monkeypatch.setenv(name, value)


def deploy(
    template: Synthesized,
    *,
    recorded: bool = True,
    more: Mapping[str, Any] | None = None,
    **parameters: Any,
) -> None:
    """The table, the bucket and the record of the options, as far as moto's CloudFormation reads them, and `more` resources."""
    kinds = ("AWS::DynamoDB::Table", "AWS::S3::Bucket")
    stored = {name: one for kind in kinds for name, one in template.of_type(kind).items()}
    body: dict[str, Any] = {"Resources": {**(more or {}), **stored}}
    if recorded:
        body["Metadata"] = template.body["Metadata"]
    make_client("cloudformation").create_stack(
        StackName=STACK, TemplateBody=json.dumps(body), **parameters
    )
