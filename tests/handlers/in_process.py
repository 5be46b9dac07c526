"""The whole service in this process, for tests with thousands of calls: the API's handler is called with proxy events, and a
workflow that it starts runs to its end, state by state of its ASL file, before the call returns."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

import infra
from local.schema import TABLE_SCHEMA
from twofold.handlers import api
from twofold.records import Operation
from twofold.settings import STATE_MACHINES, Quotas, Variable
from twofold.stores.executions import Executions

ACCOUNT = "123456789012"
SOURCES = "sources-in-process"


@dataclass(frozen=True)
class Context:
    invoked_function_arn: str = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:twofold-test-api"
    function_name: str = "twofold-test-api"
    memory_limit_in_mb: int = 512
    aws_request_id: str = "request"


@dataclass(frozen=True)
class Api:
    """A service with a table and a bucket of its own."""

    name: str

    def send(self, operation: str, body: str) -> tuple[int, dict[str, Any]]:
        """(status, body) of a call."""
        event = {
            "resource": "/",
            "httpMethod": "POST",
            "headers": {
                "X-Amz-Target": f"RekognitionService.{operation}",
                "Content-Type": "application/x-amz-json-1.1",
            },
            "requestContext": {"requestId": str(uuid4()), "identity": {"userArn": "me"}},
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
def serving(quotas: Quotas = Quotas.TWOFOLD) -> Iterator[Api]:
    """Within moto's mock_aws."""
    name = f"twofold-{uuid4().hex}"
    boto3.client("s3").create_bucket(Bucket=name)
    boto3.client("s3").create_bucket(Bucket=SOURCES)
    boto3.client("dynamodb").create_table(TableName=name, **TABLE_SCHEMA)
    with pytest.MonkeyPatch.context() as patch:
        values = {Variable.TABLE: name, Variable.BUCKET: name, Variable.QUOTAS: quotas.value}
        for variable, value in {**values, **dict.fromkeys(STATE_MACHINES.values(), "arn")}.items():
            patch.setenv(variable, value)
        patch.setattr(Executions, "start", _start)
        yield Api(name)


def _start(executions: Executions, operation: Operation) -> None:
    file = Path(infra.__file__).with_name(f"{operation.kind.workflow}.asl.json")
    machine = json.loads(file.read_bytes())
    data: dict[str, Any] = {"Operation": json.loads(operation.event())}
    name = machine["StartAt"]
    while name:
        name = _step(machine["States"][name], data)


def _step(state: dict[str, Any], data: dict[str, Any]) -> str:
    """Runs one state; answers with the name of the next, empty at the end."""
    if state["Type"] in ("Succeed", "Fail"):
        return ""
    try:
        result = (_map if state["Type"] == "Map" else _task)(state, data)
    except Exception as error:
        (catch,) = state["Catch"]
        cause = json.dumps({"errorMessage": str(error), "errorType": type(error).__name__})
        data["Failure"] = {"Error": type(error).__name__, "Cause": cause}
        return str(catch["Next"])
    if state["ResultPath"]:
        data[state["ResultPath"].removeprefix("$.")] = result
    return str(state["Next"])


def _task(state: dict[str, Any], data: dict[str, Any]) -> Any:
    event = {key.removesuffix(".$"): _at(path, data) for key, path in state["Parameters"].items()}
    return _invoke(state["Resource"], event)


def _map(state: dict[str, Any], data: dict[str, Any]) -> None:
    place = state["ItemReader"]["Parameters"]
    address = {key.removesuffix(".$"): _at(path, data) for key, path in place.items()}
    items = json.loads(boto3.client("s3").get_object(**address)["Body"].read())
    (task,) = state["ItemProcessor"]["States"].values()
    for item in items:
        event = {
            key.removesuffix(".$"): item if path.startswith("$$") else _at(path, data)
            for key, path in state["ItemSelector"].items()
        }
        _invoke(task["Resource"], event)


def _at(path: str, data: Any) -> Any:
    for name in path.removeprefix("$.").split("."):
        data = data[name]
    return data


def _invoke(resource: str, event: Any) -> Any:
    function = resource.removeprefix("${").removesuffix("FunctionArn}").lower()
    handler = import_module(f"twofold.handlers.{function}").handler
    context = Context(function_name=f"twofold-test-{function}")
    return json.loads(json.dumps(handler(json.loads(json.dumps(event)), context)))
