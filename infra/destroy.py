"""`python -m infra.destroy [--delete-data] [option=value ...]` removes a stage; its data stays unless told otherwise.

The CDK CLI asks before it deletes the stack. The bucket and the table outlive the stack, whatever became of it; with
`--delete-data` they are emptied and deleted after it.
"""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.account import AccountError, settle
from infra.cdk import arguments_of, command, environment, options_in
from infra.options import OptionError, options_of, stack_name

DELETE_DATA = "--delete-data"
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Data:
    """What a stack leaves behind."""

    bucket: str
    table: str

    def told(self) -> str:
        return (
            f"The data stays: bucket {self.bucket}, table {self.table}. A new deployment makes new ones.\n"
            "docs/operations.md says how to delete them by hand; with the stack it is: make destroy DATA=delete"
        )


def data_of(stack: str) -> Data | None:
    """The bucket and the table of a stack; None if there is no such stack."""
    try:
        answer = _client("cloudformation").describe_stack_resources(StackName=stack)
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    ids = {one["ResourceType"]: one["PhysicalResourceId"] for one in answer["StackResources"]}
    return Data(bucket=ids["AWS::S3::Bucket"], table=ids["AWS::DynamoDB::Table"])


def delete(data: Data) -> None:
    """Every object, unfinished uploads included, then the bucket, then the table with its backups by time."""
    s3, dynamodb = _client("s3"), _client("dynamodb")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=data.bucket):
        keys = [{"Key": one["Key"]} for one in page.get("Contents", ())]
        if keys:
            s3.delete_objects(Bucket=data.bucket, Delete={"Objects": keys, "Quiet": True})
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=data.bucket):
        for upload in page.get("Uploads", ()):
            s3.abort_multipart_upload(
                Bucket=data.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
            )
    s3.delete_bucket(Bucket=data.bucket)
    dynamodb.update_table(TableName=data.table, DeletionProtectionEnabled=False)
    dynamodb.get_waiter("table_exists").wait(TableName=data.table)
    dynamodb.delete_table(TableName=data.table)


def main(arguments: Sequence[str]) -> int:
    pairs = [argument for argument in arguments if argument != DELETE_DATA]
    try:
        name = stack_name(options_of(options_in(pairs)).stage)
        region = settle()
        return _remove(name, region, pairs, with_data=DELETE_DATA in arguments)
    except (OptionError, AccountError) as error:
        sys.exit(str(error))
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"AWS did not do it: {error}")
    except KeyboardInterrupt:
        return INTERRUPTED


def _remove(name: str, region: str, pairs: Sequence[str], *, with_data: bool) -> int:
    data = data_of(name)
    if not data:
        sys.exit(
            f"There is no stack {name} in this account in {region}. Name its stage: make destroy CONTEXT=stage=dev"
        )
    done = subprocess.run(  # noqa: S603
        command(arguments_of("destroy", pairs)), env=environment(), check=False
    )
    if done.returncode or data_of(name):
        return done.returncode or 1
    if with_data:
        delete(data)
        print(f"Deleted bucket {data.bucket} and table {data.table}.")  # noqa: T201
    else:
        print(data.told())  # noqa: T201
    return 0


def _client(service: str) -> Any:
    make: Any = boto3.client
    return make(service)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
