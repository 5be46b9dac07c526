"""The bucket and the table that a stack leaves behind, and their deletion."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from infra.deployed import make_client

_GONE = frozenset({"NoSuchBucket", "ResourceNotFoundException", "NoSuchUpload"})


class DataError(Exception):
    """S3 refused to delete some of the objects; the message has the number and the first reason."""


@dataclass(frozen=True, slots=True)
class Data:
    """What a stack leaves behind; None for what its creation did not come to."""

    bucket: str | None
    table: str | None

    def name(self) -> str:
        """Such as `bucket a and table b`."""
        parts = (("bucket", self.bucket), ("table", self.table))
        return " and ".join(f"{kind} {id}" for kind, id in parts if id) or "no data"

    def told(self) -> str:
        if not self.bucket and not self.table:
            return "The stack had neither a bucket nor a table, so no data stays."
        return (
            f"The data stays: {self.name()}. A new deployment makes new ones.\n"
            "docs/operations.md says how to delete them by hand; with the stack it is: make destroy DATA=delete"
        )


def delete_data(data: Data) -> None:
    """The bucket with all that is in it, then the table with its backups by time. What is gone already is no error.

    Raises DataError and botocore's errors.
    """
    if data.bucket:
        _unless_gone(_delete_bucket, data.bucket)
    if data.table:
        _unless_gone(_delete_table, data.table)


def _unless_gone(delete: Any, name: str) -> None:
    try:
        delete(name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise


def _delete_bucket(bucket: str) -> None:
    """Every version and delete marker, which without versioning are the objects, and every unfinished upload."""
    s3 = make_client("s3")
    while _delete_page(s3, bucket):
        pass
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", ()):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    s3.delete_bucket(Bucket=bucket)


def _delete_page(s3: Any, bucket: str) -> bool:
    """Deletes the first 1,000 versions, as many as a page has and as a request may name; False if there are none."""
    page = s3.list_object_versions(Bucket=bucket)
    versions = (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
    keys = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in versions]
    if not keys:
        return False
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
    errors = answer.get("Errors", ())
    if errors:
        first = errors[0]
        raise DataError(
            f"S3 kept {len(errors)} objects of {bucket}; of {first['Key']} it says: {first['Code']} {first.get('Message', '')}"
        )
    return True


def _delete_table(table: str) -> None:
    dynamodb = make_client("dynamodb")
    dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
    dynamodb.get_waiter("table_exists").wait(TableName=table)
    dynamodb.delete_table(TableName=table)
