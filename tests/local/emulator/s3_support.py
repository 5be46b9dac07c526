"""Helpers of the S3 tests: raw requests, and the status and code of boto3 errors."""

import re
from collections.abc import Callable
from typing import Any

import urllib3
from botocore.exceptions import ClientError

from local.emulator.server import Emulator

SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/s3/aws4_request"}
_CODE = re.compile(rb"<Code>(\w+)</Code>")


def send_request(
    emulator: Emulator, method: str, path: str, **options: Any
) -> urllib3.BaseHTTPResponse:
    """Send a request with the given headers only."""
    return urllib3.request(method, f"{emulator.endpoint}{path}", **options)


def send(emulator: Emulator, method: str, path: str, **options: Any) -> urllib3.BaseHTTPResponse:
    """Send a request to S3 that any client may send. `headers` are added to the signature."""
    headers = {**SIGNED, **options.pop("headers", {})}
    return send_request(emulator, method, path, headers=headers, **options)


def read_error(response: urllib3.BaseHTTPResponse) -> tuple[int, str]:
    """Return the status and S3's error code; the code is empty for a response without an error."""
    match = _CODE.search(response.data)
    return response.status, match[1].decode() if match else ""


def catch_error(operation: Callable[..., Any], **request: Any) -> tuple[int, str]:
    """Return the status and the error code of a boto3 call, or (200, "")."""
    try:
        operation(**request)
    except ClientError as error:
        response = error.response
        return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]
    return 200, ""


def read_object(s3: Any, bucket: str, key: str, **options: Any) -> bytes:
    body: bytes = s3.get_object(Bucket=bucket, Key=key, **options)["Body"].read()
    return body
