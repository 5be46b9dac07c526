"""The whole service in this process, for tests with thousands of calls: the API's handler is called with proxy events, and a
workflow that it starts runs to its end, state by state of its ASL file, before the call returns."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any
from uuid import uuid4

import boto3
import pytest

from local.dynamodb import ease_transactions
from local.schema import TABLE_SCHEMA
from tests.machine import Machine, raised
from twofold.access import OPEN, Access
from twofold.handlers import api
from twofold.records import Operation
from twofold.settings import STATE_MACHINES, Function, Quotas, Variable
from twofold.stores.executions import Executions

ACCOUNT = "123456789012"
SOURCES = "sources-in-process"

Handler = Callable[[dict[str, Any], Any], Any]


@dataclass(frozen=True)
class Context:
    invoked_function_arn: str = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:twofold-test-api"
    function_name: str = "twofold-test-api"
    memory_limit_in_mb: int = 512
    aws_request_id: str = "request"


@dataclass(frozen=True)
class Api:
    """A service with a table and a bucket of its own. `identity` is what API Gateway verified of the caller."""

    name: str
    identity: Mapping[str, str] = field(default_factory=lambda: {"userArn": "me"})

    def called_by(self, user_arn: str, user_id: str) -> "Api":
        """The same service for another caller."""
        return replace(self, identity={"userArn": user_arn, "user": user_id})

    def send(self, operation: str, body: str) -> tuple[int, dict[str, Any]]:
        """(status, body) of a call."""
        event = {
            "resource": "/",
            "httpMethod": "POST",
            "headers": {
                "X-Amz-Target": f"RekognitionService.{operation}",
                "Content-Type": "application/x-amz-json-1.1",
            },
            "requestContext": {"requestId": str(uuid4()), "identity": self.identity},
            "body": body,
            "isBase64Encoded": False,
        }
        answer = api.handler(event, Context())
        return answer["statusCode"], json.loads(answer["body"])

    def call(self, operation: str, **members: Any) -> tuple[int, dict[str, Any]]:
        return self.send(operation, json.dumps(members))

    def done(self, operation: str, **members: Any) -> dict[str, Any]:
        status, body = self.call(operation, **members)
        assert status == 200, body
        return body

    def source(self, manifest: bytes) -> dict[str, Any]:
        """The DatasetSource of an uploaded manifest."""
        key = uuid4().hex
        boto3.client("s3").put_object(Bucket=SOURCES, Key=key, Body=manifest)
        return {"GroundTruthManifest": {"S3Object": {"Bucket": SOURCES, "Name": key}}}


@contextmanager
def deployed(quotas: Quotas = Quotas.TWOFOLD, access: Access = OPEN) -> Iterator[Api]:
    """A table, a bucket and the functions' environment, within moto's mock_aws."""
    ease_transactions()
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
        for environment in (values, machines, access.environment()):
            for variable, value in environment.items():
                patch.setenv(variable, value)
        yield Api(name)


@contextmanager
def serving(quotas: Quotas = Quotas.TWOFOLD, access: Access = OPEN) -> Iterator[Api]:
    """Within moto's mock_aws; workflows run at once, to their end."""
    with deployed(quotas, access) as api, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Executions, "start", _start)
        yield api


def _start(executions: Executions, operation: Operation) -> None:
    Machine(_invoke).run(operation.kind.workflow, {"Operation": json.loads(operation.event())})


def _invoke(function: Function, event: dict[str, Any]) -> Any:
    try:
        return handler_of(function)(event, context_of(function))
    except Exception as error:
        raise raised(error) from error


def handler_of(function: Function) -> Handler:
    handler: Handler = import_module(f"twofold.handlers.{function}").handler
    return handler


def context_of(function: Function) -> Context:
    return Context(function_name=f"twofold-test-{function}")
