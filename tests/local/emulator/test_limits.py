"""Requests that the gateway rejects without an invocation: too large, or too many."""

import json
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from local.emulator.gateway import MAX_BODY_BYTES, MAX_EVENT_BYTES, Throttle
from local.emulator.server import Emulator
from twofold.settings import Function


def _send(emulator: Emulator, body: bytes) -> tuple[int, dict[str, Any]]:
    request: Any = AWSRequest("POST", f"{emulator.endpoint}/DescribeProjects", data=body)
    request.headers["Content-Type"] = "application/json"
    SigV4Auth(Credentials("any", "any"), "execute-api", "us-east-1").add_auth(request)
    answer: Any = URLLib3Session().send(request.prepare())
    return answer.status_code, json.loads(answer.content)


@pytest.mark.parametrize("size", [MAX_EVENT_BYTES + 1, MAX_BODY_BYTES + 1])
def test_a_request_above_the_size_limit_does_not_reach_the_function(
    emulator: Emulator, size: int
) -> None:
    asked = emulator.functions.invocations[Function.API]
    status, body = _send(emulator, b" " * size)
    assert (status, body["__type"]) == (413, "LimitExceededException")
    assert "larger than what API Gateway (10 MB) and Lambda (6 MB) take" in body["Message"]
    assert emulator.functions.invocations[Function.API] == asked


def test_a_burst_above_the_rate_of_the_stage_is_throttled_before_the_function(
    emulator: Emulator,
) -> None:
    client = boto3.client(
        "rekognition",
        endpoint_url=emulator.endpoint,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}),
    )
    asked = emulator.functions.invocations[Function.API]
    emulator.gateway.throttle = Throttle(rate=0.001, burst=2)
    try:
        for _ in range(2):
            client.describe_projects()
        with pytest.raises(ClientError, match="ThrottlingException") as refused:
            client.describe_projects()
    finally:
        emulator.gateway.throttle = None
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert emulator.functions.invocations[Function.API] == asked + 2
