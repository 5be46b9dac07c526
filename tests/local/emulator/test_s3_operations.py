"""Requests with a subresource are never taken for the plain operation on the bucket or object."""

from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from local.emulator.s3_operations import list_subresources, read_operations
from local.emulator.server import Emulator
from tests.local.emulator.s3_support import SIGNED, read_object, send_request

CALLS = list(product(("bucket", "key"), ("GET", "HEAD", "PUT", "POST", "DELETE")))


@pytest.fixture(scope="module")
def bucket(emulator: Emulator, s3: Any) -> str:
    name = f"operations-{uuid4().hex[:8]}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.mark.parametrize(("scope", "method"), CALLS)
def test_no_subresource_reaches_the_plain_operation(
    emulator: Emulator, s3: Any, scope: str, method: str
) -> None:
    for subresource in sorted(list_subresources()):
        bucket = f"plain-{uuid4().hex[:8]}"
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="kept", Body=b"kept")
        path = f"/{bucket}/kept" if scope == "key" else f"/{bucket}"
        response = send_request(emulator, method, f"{path}?{subresource}&id=1", headers=SIGNED)
        assert (scope, method, subresource) in read_operations() or response.status in (400, 405)
        assert b"<ListBucketResult" not in response.data
        assert response.data != b"kept"
        assert read_object(s3, bucket, "kept") == b"kept"
        # An empty bucket would be deleted.
        s3.delete_object(Bucket=bucket, Key="kept")
        send_request(emulator, method, f"/{bucket}?{subresource}&id=1", headers=SIGNED)
        s3.head_bucket(Bucket=bucket)


def test_no_subresource_creates_a_bucket_or_an_object(
    emulator: Emulator, s3: Any, bucket: str
) -> None:
    for subresource in sorted(list_subresources()):
        new = f"new-{uuid4().hex[:8]}"
        send_request(emulator, "PUT", f"/{new}?{subresource}&id=1", headers=SIGNED)
        send_request(emulator, "PUT", f"/{bucket}/new?{subresource}", headers=SIGNED, body=b"new")
        with pytest.raises(ClientError, match="404"):
            s3.head_bucket(Bucket=new)
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("delete_bucket_metrics_configuration", {"Id": "1"}),
        ("get_bucket_request_payment", {}),
        ("get_object_retention", {"Key": "k"}),
        ("list_bucket_analytics_configurations", {}),
    ],
)
def test_an_operation_that_the_emulator_lacks_is_named(
    s3: Any, bucket: str, operation: str, parameters: dict[str, str]
) -> None:
    with pytest.raises(ClientError, match=r"NotImplemented.*The local emulator has no [A-Z]\w+\."):
        getattr(s3, operation)(Bucket=bucket, **parameters)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("PUT", "/k?uploads", 405, "MethodNotAllowed"),
        ("DELETE", "/k?acl", 405, "MethodNotAllowed"),
        ("GET", "/k?torrent", 405, "MethodNotAllowed"),
        ("GET", "/k?uploads", 400, "InvalidRequest"),
        ("DELETE", "?versioning", 405, "MethodNotAllowed"),
        ("GET", "?acl&tagging", 400, "InvalidArgument"),
    ],
)
def test_a_method_without_operation_is_refused(
    emulator: Emulator, bucket: str, method: str, path: str, status: int, code: str
) -> None:
    response = send_request(emulator, method, f"/{bucket}{path}", headers=SIGNED)
    assert response.status == status
    assert f"<Code>{code}</Code>".encode() in response.data
