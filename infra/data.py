"""The bucket and the table of a deleted stack: description and deletion."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from infra.deployed import make_client

_NOT_FOUND_CODES = frozenset({"NoSuchBucket", "ResourceNotFoundException", "NoSuchUpload"})


class DataError(Exception):
    """S3 did not delete some objects; the message has the number and the first reason."""


@dataclass(frozen=True, slots=True)
class RetainedData:
    """Names of the retained resources; None for a resource that was never created."""

    bucket: str | None
    table: str | None

    def describe(self) -> str:
        """Return a phrase such as `bucket a and table b`."""
        resources = (("bucket", self.bucket), ("table", self.table))
        return " and ".join(f"{noun} {name}" for noun, name in resources if name) or "no data"

    def describe_retention(self) -> str:
        """Return the message to the operator after a deletion of the stack without its data."""
        if not self.bucket and not self.table:
            return "The stack had neither a bucket nor a table, so no data was retained."
        return (
            f"Retained the data: {self.describe()}. A new deployment creates new ones.\n"
            "To delete them by hand, see docs/operations.md; to delete them with the stack: make destroy DATA=delete"
        )


def delete_data(data: RetainedData) -> None:
    """Delete the bucket with all objects, then the table with its point-in-time backups; skip missing resources.

    Raises DataError and botocore's errors.
    """
    if data.bucket:
        _delete_if_exists(_delete_bucket, data.bucket)
    if data.table:
        _delete_if_exists(_delete_table, data.table)


def _delete_if_exists(delete: Any, name: str) -> None:
    try:
        delete(name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _NOT_FOUND_CODES:
            raise


def _delete_bucket(bucket: str) -> None:
    """Delete all object versions, delete markers and unfinished uploads, then the bucket."""
    s3 = make_client("s3")
    while _delete_page(s3, bucket):
        pass
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", ()):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    s3.delete_bucket(Bucket=bucket)


def _delete_page(s3: Any, bucket: str) -> bool:
    """Delete the first page of at most 1,000 versions, the limit of one request; return False if the bucket is empty."""
    page = s3.list_object_versions(Bucket=bucket)
    versions = (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
    keys = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]
    if not keys:
        return False
    response = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
    errors = response.get("Errors", ())
    if errors:
        first = errors[0]
        raise DataError(
            f"S3 did not delete {len(errors)} objects of {bucket}; first error: {first['Key']}, "
            f"{first['Code']} {first.get('Message', '')}"
        )
    return True


def _delete_table(table: str) -> None:
    dynamodb = make_client("dynamodb")
    dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
    dynamodb.get_waiter("table_exists").wait(TableName=table)
    dynamodb.delete_table(TableName=table)
