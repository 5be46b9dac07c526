"""The stack's bucket with versioning off, on and suspended: an organization may switch it on, AWS Backup asks for it."""

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.model import EXTENSION
from local.schema import TABLE_SCHEMA
from local.stack import STAGE, Stack
from tests.infra.conftest import Synthesize
from tests.infra.lifecycle import expire_objects
from tests.infra.synthesized import Synthesized
from tests.job import Job, line, two_labels
from tests.privileges.check import as_of_one_stage
from tests.privileges.grants import granted, not_granted
from tests.privileges.recorder import Recorder
from tests.second_stage import RESTORED, stage_with
from twofold.settings import Function, Prefix

MODES = {"off": (), "on": ("Enabled",), "suspended": ("Enabled", "Suspended")}
OWN = (Prefix.CONTENTS, Prefix.REPORTS, Prefix.SCRATCH)
LINES = two_labels(60)


@pytest.fixture(params=MODES)
def bucket(request: pytest.FixtureRequest, stack: Stack) -> Iterator[str]:
    """A stage whose bucket is in one of the modes; its contents are kept for no day."""
    name = f"{RESTORED}-versioning-{request.param}"
    s3 = stack.client("s3")
    s3.create_bucket(Bucket=name)
    for status in MODES[request.param]:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})
    stack.client("dynamodb").create_table(TableName=name, **TABLE_SCHEMA)
    with stage_with(stack, name, name, RETENTION="0"):
        yield name
    stack.client("dynamodb").delete_table(TableName=name)


@pytest.fixture
def job(bucket: str, stack: Stack) -> Job:
    """A job whose client knows Twofold's own operations."""
    return replace(Job.begin(stack), models=EXTENSION)


def _create(job: Job, bucket: str, lines: list[str]) -> str:
    """A training dataset from sources/ of the bucket; where versions are kept, the manifest is overwritten after the call."""
    s3, key = job.stack.client("s3"), f"{Prefix.SOURCES}/garden.manifest"
    s3.put_object(Bucket=bucket, Key=key, Body="\n".join(lines).encode())
    place = {"S3Object": {"Bucket": bucket, "Name": key}}
    arn = job.create_from("TRAIN", {"GroundTruthManifest": place})
    if bucket.endswith("-on"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"another manifest")
    assert job.settled(arn)["Status"] == "CREATE_COMPLETE"
    return arn


def _copy(job: Job, arn: str) -> str:
    project = job.client.create_project(ProjectName=f"{job.project.split('/')[1]}-copy")
    copied = job.client.create_dataset(
        ProjectArn=project["ProjectArn"],
        DatasetType="TRAIN",
        DatasetSource={"DatasetArn": arn},
    )
    assert job.settled(copied["DatasetArn"])["Status"] == "CREATE_COMPLETE"
    return str(copied["DatasetArn"])


def _live_through(job: Job, bucket: str) -> None:
    """Every operation that reads or writes the bucket, then the end of all datasets."""
    train, test = _create(job, bucket, LINES), job.create("TEST")
    job.distribute(train, test)
    assert job.settled(test)["DatasetStats"]["TotalEntries"] == 12
    job.client.revert_dataset_distribution(ProjectArn=job.project)
    assert sorted(job.stored(train)) == sorted(LINES)
    job.distribute(train, test)
    assert job.settled(test)["Status"] == "UPDATE_COMPLETE"
    (latest, *_) = job.client.list_dataset_distributions(ProjectArn=job.project)["Distributions"]
    assert _fetch(latest["ReportUrl"])["operation"]
    changes = {"GroundTruth": line("new", "cat").encode()}
    job.client.update_dataset_entries(DatasetArn=train, Changes=changes)
    assert job.settled(train)["Status"] == "UPDATE_COMPLETE"
    copied = _copy(job, train)
    assert len(job.entries(copied)) == 49
    for arn in (train, test, copied):
        job.client.delete_dataset(DatasetArn=arn)
    job.stack.functions.invoke(Function.COLLECT, b"{}")


def _fetch(url: str) -> Any:
    with urllib.request.urlopen(url) as answer:  # noqa: S310
        return json.loads(answer.read())


def _versions(stack: Stack, bucket: str) -> list[str]:
    """Keys of all versions and delete markers."""
    pages = stack.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket)
    return [
        version["Key"]
        for page in pages
        for version in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
    ]


def test_every_operation_works_with_the_deployed_roles(
    job: Job, bucket: str, recorder: Recorder, synthesize: Synthesize
) -> None:
    before = dict(recorder.calls)
    _live_through(job, bucket)
    made = {call: n for call, n in recorder.calls.items() if n > before.get(call, 0)}
    called = as_of_one_stage({call: n for call, n in made.items() if bucket in call.resource})
    assert {call.action for call in called} >= {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}
    assert not_granted(called, granted(synthesize(stage=STAGE))) == []


def test_after_a_collection_and_the_lifecycle_rules_nothing_is_stored_any_more(
    job: Job, bucket: str, template: Synthesized
) -> None:
    _live_through(job, bucket)
    s3 = job.stack.client("s3")
    current = s3.list_objects_v2(Bucket=bucket, Prefix=f"{Prefix.CONTENTS}/")
    assert current["KeyCount"] == 0
    for one in s3.list_objects_v2(Bucket=bucket, Prefix=f"{Prefix.REPORTS}/")["Contents"]:
        s3.delete_object(Bucket=bucket, Key=one["Key"])
    rules = template.only("AWS::S3::Bucket")["Properties"]["LifecycleConfiguration"]["Rules"]
    for days in (8, 8, 8):
        expire_objects(s3, bucket, rules, datetime.now(UTC) + timedelta(days=days))
    left = {key.split("/")[0] for key in _versions(job.stack, bucket)}
    assert left == {Prefix.SOURCES}


def test_a_deleted_object_can_be_had_back_for_a_week_where_versioning_is_on(
    job: Job, bucket: str, template: Synthesized
) -> None:
    _live_through(job, bucket)
    rules = template.only("AWS::S3::Bucket")["Properties"]["LifecycleConfiguration"]["Rules"]
    before = [key for key in _versions(job.stack, bucket) if key.startswith("contents/")]
    in_time = datetime.now(UTC) + timedelta(days=6.9)
    expire_objects(job.stack.client("s3"), bucket, rules, in_time)
    after = [key for key in _versions(job.stack, bucket) if key.startswith("contents/")]
    assert after == before
    assert bool(before) == bucket.endswith("-on")
