"""The whole service in this process, for tests with thousands of calls.

The API's handler gets proxy events. A workflow runs to the end, state by state of its ASL file, before the call returns.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any
from uuid import uuid4

import boto3
import pytest

from local.emulator.dynamodb import patch_transactions
from local.emulator.table_schema import TABLE_SCHEMA
from tests.support.asl_interpreter import StateMachine, describe_exception
from twofold.access import OPEN_ACCESS, Access
from twofold.handlers import api
from twofold.records import Operation
from twofold.settings import STATE_MACHINES, Function, QuotaProfile, Variable
from twofold.stores.executions import Executions

ACCOUNT = "123456789012"
SOURCES = "sources-in-process"

Handler = Callable[[dict[str, Any], Any], Any]


def build_api_event(
    operation: str, body: str, identity: Mapping[str, str], headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the proxy event of API Gateway for a call of an AWS SDK."""
    return {
        "resource": "/",
        "httpMethod": "POST",
        "headers": {
            "X-Amz-Target": f"RekognitionService.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
            **(headers or {}),
        },
        "requestContext": {"requestId": str(uuid4()), "identity": identity},
        "body": body,
        "isBase64Encoded": False,
    }


@dataclass(frozen=True)
class LambdaContext:
    invoked_function_arn: str = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:twofold-test-api"
    function_name: str = "twofold-test-api"
    memory_limit_in_mb: int = 512
    aws_request_id: str = "request"


@dataclass(frozen=True)
class InProcessApi:
    """An API with a separate table and bucket. `identity` is the caller's identity in API Gateway's form."""

    name: str
    identity: Mapping[str, str] = field(default_factory=lambda: {"userArn": "me"})

    def for_caller(self, user_arn: str, user_id: str) -> "InProcessApi":
        """Return the same API for another caller."""
        return replace(self, identity={"userArn": user_arn, "user": user_id})

    def send(self, operation: str, body: str) -> tuple[int, dict[str, Any]]:
        """Call an operation and return (status, body)."""
        event = build_api_event(operation, body, self.identity)
        response = api.handler(event, LambdaContext())
        return response["statusCode"], json.loads(response["body"])

    def call(self, operation: str, **members: Any) -> tuple[int, dict[str, Any]]:
        return self.send(operation, json.dumps(members))

    def call_successfully(self, operation: str, **members: Any) -> dict[str, Any]:
        status, body = self.call(operation, **members)
        assert status == 200, body
        return body

    def upload_source(self, manifest: bytes) -> dict[str, Any]:
        """Upload a manifest and return its DatasetSource."""
        key = uuid4().hex
        boto3.client("s3").put_object(Bucket=SOURCES, Key=key, Body=manifest)
        return {"GroundTruthManifest": {"S3Object": {"Bucket": SOURCES, "Name": key}}}


@contextmanager
def create_api(
    quotas: QuotaProfile = QuotaProfile.TWOFOLD, access: Access = OPEN_ACCESS
) -> Iterator[InProcessApi]:
    """Create a table, a bucket and the functions' environment in moto's mock_aws."""
    patch_transactions()
    name = f"twofold-{uuid4().hex}"
    boto3.client("s3").create_bucket(Bucket=name)
    boto3.client("s3").create_bucket(Bucket=SOURCES)
    boto3.client("dynamodb").create_table(TableName=name, **TABLE_SCHEMA)
    machines = {
        variable: f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:{workflow}"
        for workflow, variable in STATE_MACHINES.items()
    }
    with pytest.MonkeyPatch.context() as patch:
        values = {Variable.TABLE: name, Variable.BUCKET: name, Variable.QUOTAS: quotas.value}
        for environment in (values, machines, access.to_environment()):
            for variable, value in environment.items():
                patch.setenv(variable, value)
        yield InProcessApi(name)


@contextmanager
def serve_api(
    quotas: QuotaProfile = QuotaProfile.TWOFOLD, access: Access = OPEN_ACCESS
) -> Iterator[InProcessApi]:
    """As `create_api`, with workflows that run to the end during the call."""
    with create_api(quotas, access) as api, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Executions, "start", _run_workflow)
        yield api


def _run_workflow(executions: Executions, operation: Operation) -> None:
    StateMachine(_invoke).run(
        operation.kind.workflow, {"Operation": json.loads(operation.serialize())}
    )


def _invoke(function: Function, event: dict[str, Any]) -> Any:
    try:
        return get_handler(function)(event, make_context(function))
    except Exception as error:
        raise describe_exception(error) from error


def get_handler(function: Function) -> Handler:
    handler: Handler = import_module(f"twofold.handlers.{function}").handler
    return handler


def make_context(function: Function) -> LambdaContext:
    return LambdaContext(function_name=f"twofold-test-{function}")
