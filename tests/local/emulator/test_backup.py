"""Backup and restore: copies of the table's items and the bucket's objects in a new stage are the same datasets."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.emulator.server import Emulator
from local.emulator.table_schema import TABLE_SCHEMA
from tests.support.job import Job, make_two_label_lines
from tests.support.second_stage import RESTORED, use_stage

ORIGINAL = f"{RESTORED}-original"


@pytest.fixture
def original_stage(emulator: Emulator) -> Iterator[None]:
    """A stage without the data of other tests."""
    _create_stage(emulator, ORIGINAL)
    with use_stage(emulator, ORIGINAL, ORIGINAL):
        yield


def _create_stage(emulator: Emulator, name: str) -> None:
    """Create an empty table and an empty bucket."""
    emulator.create_client("dynamodb").create_table(TableName=name, **TABLE_SCHEMA)
    emulator.create_client("s3").create_bucket(Bucket=name)


def _scan_items(emulator: Emulator, table: str) -> list[Any]:
    """Return every item of the table, like DynamoDB's export."""
    pages = emulator.create_client("dynamodb").get_paginator("scan").paginate(TableName=table)
    return [item for page in pages for item in page["Items"]]


def _copy_objects(emulator: Emulator, source: str, target: str) -> None:
    s3 = emulator.create_client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=source):
        for item in page.get("Contents", []):
            s3.copy_object(Bucket=target, Key=item["Key"], CopySource=f"{source}/{item['Key']}")


def _restore(emulator: Emulator, items: list[Any], backup: str) -> None:
    """Write the items and the objects of `backup` to the table and the bucket of a new stage."""
    _create_stage(emulator, RESTORED)
    _copy_objects(emulator, backup, RESTORED)
    for first in range(0, len(items), 25):
        puts = [{"PutRequest": {"Item": item}} for item in items[first : first + 25]]
        emulator.create_client("dynamodb").batch_write_item(RequestItems={RESTORED: puts})


def _read_datasets(job: Job, *arns: str) -> list[Any]:
    return [(job.describe(arn), job.list_entries(arn)) for arn in arns]


@pytest.mark.usefixtures("original_stage")
def test_a_restored_stage_has_the_same_datasets_and_can_distribute_them(emulator: Emulator) -> None:
    done, ready = Job.start(emulator), Job.start(emulator)
    pair, waiting = (
        done.create_pair(make_two_label_lines(40)),
        ready.create_pair(make_two_label_lines(30)),
    )
    done.start_distribution(*pair)
    done.wait_for_dataset(pair[1])
    before = _read_datasets(done, *pair)

    items = _scan_items(emulator, ORIGINAL)
    emulator.create_client("s3").create_bucket(Bucket="backup")
    _copy_objects(emulator, ORIGINAL, "backup")
    for arn in pair:
        done.client.delete_dataset(DatasetArn=arn)
    _restore(emulator, items, "backup")

    with use_stage(emulator, RESTORED, RESTORED):
        assert _read_datasets(done, *pair) == before
        ready.start_distribution(*waiting)
        assert ready.wait_for_dataset(waiting[1])["DatasetStats"]["TotalEntries"] == 6
    assert ready.describe(waiting[1])["DatasetStats"]["TotalEntries"] == 0, (
        "the old stage is as it was"
    )
