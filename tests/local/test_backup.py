"""Backup and restore, rehearsed: the table's items and the bucket's objects, in a new stage, are the same datasets."""

from typing import Any

from local.schema import TABLE_SCHEMA
from local.stack import BUCKET, TABLE, Stack
from tests.job import Job, two_labels
from tests.second_stage import RESTORED, stage_with


def _export(stack: Stack, table: str) -> list[Any]:
    """What DynamoDB's export holds: every item."""
    pages = stack.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    return [item for page in pages for item in page["Items"]]


def _sync(stack: Stack, source: str, target: str) -> None:
    s3 = stack.client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=source):
        for one in page.get("Contents", []):
            s3.copy_object(Bucket=target, Key=one["Key"], CopySource=f"{source}/{one['Key']}")


def _restore(stack: Stack, items: list[Any], backup: str) -> None:
    """Into the table and the bucket of a stage that has just been deployed."""
    stack.client("dynamodb").create_table(TableName=RESTORED, **TABLE_SCHEMA)
    stack.client("s3").create_bucket(Bucket=RESTORED)
    _sync(stack, backup, RESTORED)
    for first in range(0, len(items), 25):
        puts = [{"PutRequest": {"Item": item}} for item in items[first : first + 25]]
        stack.client("dynamodb").batch_write_item(RequestItems={RESTORED: puts})


def _seen(job: Job, *arns: str) -> list[Any]:
    return [(job.describe(arn), job.entries(arn)) for arn in arns]


def test_a_restored_stage_has_the_same_datasets_and_goes_on_with_them(stack: Stack) -> None:
    done, ready = Job.begin(stack), Job.begin(stack)
    pair, waiting = done.pair(two_labels(40)), ready.pair(two_labels(30))
    done.distribute(*pair)
    done.settled(pair[1])
    before = _seen(done, *pair)

    items = _export(stack, TABLE)
    stack.client("s3").create_bucket(Bucket="backup")
    _sync(stack, BUCKET, "backup")
    for arn in pair:
        done.client.delete_dataset(DatasetArn=arn)
    _restore(stack, items, "backup")

    with stage_with(stack, RESTORED, RESTORED):
        assert _seen(done, *pair) == before
        ready.distribute(*waiting)
        assert ready.settled(waiting[1])["DatasetStats"]["TotalEntries"] == 6
    assert ready.describe(waiting[1])["DatasetStats"]["TotalEntries"] == 0, (
        "the old stage is as it was"
    )
