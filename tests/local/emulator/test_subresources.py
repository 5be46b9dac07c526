"""Subresources: an operation that the emulator does not have must not be mistaken for another operation."""

from typing import Any

import pytest

from local.emulator.server import Emulator
from local.emulator.subresources import list_operations
from tests.local.emulator.s3_support import catch_error, read_error, read_object, send

LEVELS = {"bucket": "", "key": "/key"}
NAMES = sorted({name for _, _, name in list_operations()})


def is_unchanged(s3: Any, bucket: str) -> bool:
    return read_object(s3, bucket, "key") == b"old"


def test_botocore_s_model_has_the_operations_with_subresources() -> None:
    operations = list_operations()
    assert ("bucket", "DELETE", "metrics") in operations
    assert ("key", "PUT", "retention") in operations
    assert ("bucket", "PUT", "versions") not in operations
    assert not {"", "list-type", "x-id"} & set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_request_with_a_subresource_is_no_request_for_the_bucket_or_object_itself(
    emulator: Emulator, s3: Any, bucket: str, name: str
) -> None:
    """Each subresource of S3, with each method: the bucket and the object remain."""
    s3.put_object(Bucket=bucket, Key="key", Body=b"old")
    empty = f"{bucket}-empty"
    for level, path in LEVELS.items():
        for method in ("DELETE", "PUT"):
            s3.create_bucket(Bucket=empty)
            target = empty if level == "bucket" else bucket
            response = send(emulator, method, f"/{target}{path}?{name}", body=b"<X/>")
            is_operation = (level, method, name) in list_operations()
            status, code = read_error(response)
            assert is_operation or (status, code) == (405, "MethodNotAllowed")
            assert catch_error(s3.head_bucket, Bucket=empty) == (200, "")
            assert is_unchanged(s3, bucket)
    new = f"{bucket}-new"
    assert read_error(send(emulator, "PUT", f"/{new}?{name}", body=b"<X/>"))[0] >= 400
    assert catch_error(s3.head_bucket, Bucket=new) == (404, "404")


@pytest.mark.parametrize("name", NAMES)
def test_a_get_with_a_subresource_lists_and_reads_no_object(
    emulator: Emulator, s3: Any, bucket: str, name: str
) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"old")
    for path in LEVELS.values():
        response = send(emulator, "GET", f"/{bucket}{path}?{name}")
        assert response.data != b"old"
        assert b"<ListBucketResult" not in response.data


def test_an_unimplemented_operation_is_named(s3: Any, bucket: str) -> None:
    for operation in (
        s3.delete_bucket_metrics_configuration,
        s3.delete_bucket_analytics_configuration,
        s3.delete_bucket_intelligent_tiering_configuration,
        s3.delete_bucket_inventory_configuration,
        s3.get_bucket_metrics_configuration,
    ):
        assert catch_error(operation, Bucket=bucket, Id="1") == (501, "NotImplemented")
    assert catch_error(s3.get_bucket_request_payment, Bucket=bucket) == (501, "NotImplemented")
    assert catch_error(s3.head_bucket, Bucket=bucket) == (200, "")
