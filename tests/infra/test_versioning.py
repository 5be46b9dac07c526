"""The stack's bucket with versioning off, enabled and suspended; AWS Backup, for example, requires versioning."""

import json
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.emulator.server import STAGE, Emulator
from local.emulator.table_schema import TABLE_SCHEMA
from local.model import EXTENSION
from tests.infra.conftest import Synthesize
from tests.infra.lifecycle import expire_objects
from tests.infra.synthesized_template import SynthesizedTemplate
from tests.privileges.calls import Call
from tests.privileges.check import normalize_stage
from tests.privileges.grants import find_missing_grants, list_grants
from tests.privileges.recorder import Recorder
from tests.support.job import Job, make_line, make_two_label_lines
from tests.support.second_stage import RESTORED, use_stage
from twofold.settings import Function, Prefix

MODES = {"off": (), "on": ("Enabled",), "suspended": ("Enabled", "Suspended")}
OWN = (Prefix.CONTENTS, Prefix.REPORTS, Prefix.SCRATCH)
LINES = make_two_label_lines(60)


@dataclass(frozen=True, slots=True)
class UsedBucket:
    """The bucket of a stage after every operation, and the calls of the service to AWS."""

    name: str
    calls: dict[Call, int]


@pytest.fixture(params=MODES, scope="module")
def used_bucket(
    request: pytest.FixtureRequest, emulator: Emulator, recorder: Recorder
) -> Iterator[UsedBucket]:
    """A bucket in each mode of versioning; the retention of contents is zero days."""
    name = f"{RESTORED}-versioning-{request.param}"
    s3 = emulator.create_client("s3")
    s3.create_bucket(Bucket=name)
    for status in MODES[request.param]:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})
    emulator.create_client("dynamodb").create_table(TableName=name, **TABLE_SCHEMA)
    with use_stage(emulator, name, name, RETENTION="0"):
        before = dict(recorder.calls)
        _use_every_operation(replace(Job.start(emulator), models=EXTENSION), name)
        made = {call: n for call, n in recorder.calls.items() if n > before.get(call, 0)}
    yield UsedBucket(name, made)
    emulator.create_client("dynamodb").delete_table(TableName=name)


def _create_dataset(job: Job, bucket: str, lines: list[str]) -> str:
    """Create a training dataset from the bucket's sources/; with versioning, overwrite the manifest after the call."""
    s3, key = job.emulator.create_client("s3"), f"{Prefix.SOURCES}/garden.manifest"
    s3.put_object(Bucket=bucket, Key=key, Body="\n".join(lines).encode())
    manifest = {"S3Object": {"Bucket": bucket, "Name": key}}
    arn = job.create_dataset_from("TRAIN", {"GroundTruthManifest": manifest})
    if bucket.endswith("-on"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"another manifest")
    assert job.wait_for_dataset(arn)["Status"] == "CREATE_COMPLETE"
    return arn


def _copy_dataset(job: Job, arn: str) -> str:
    project = job.client.create_project(ProjectName=f"{job.project.split('/')[1]}-copy")
    copied = job.client.create_dataset(
        ProjectArn=project["ProjectArn"],
        DatasetType="TRAIN",
        DatasetSource={"DatasetArn": arn},
    )
    assert job.wait_for_dataset(copied["DatasetArn"])["Status"] == "CREATE_COMPLETE"
    return str(copied["DatasetArn"])


def _use_every_operation(job: Job, bucket: str) -> None:
    """Use every operation that reads or writes the bucket, then delete all datasets."""
    train, test = _create_dataset(job, bucket, LINES), job.create_dataset("TEST")
    job.start_distribution(train, test)
    assert job.wait_for_dataset(test)["DatasetStats"]["TotalEntries"] == 12
    job.client.revert_dataset_distribution(ProjectArn=job.project)
    assert sorted(job.list_stored_lines(train)) == sorted(LINES)
    job.start_distribution(train, test)
    assert job.wait_for_dataset(test)["Status"] == "UPDATE_COMPLETE"
    (latest, *_) = job.client.list_dataset_distributions(ProjectArn=job.project)["Distributions"]
    assert _fetch(latest["ReportUrl"])["operation"]
    changes = {"GroundTruth": make_line("new", "cat").encode()}
    job.client.update_dataset_entries(DatasetArn=train, Changes=changes)
    assert job.wait_for_dataset(train)["Status"] == "UPDATE_COMPLETE"
    copied = _copy_dataset(job, train)
    assert len(job.list_entries(copied)) == 49
    for arn in (train, test, copied):
        job.client.delete_dataset(DatasetArn=arn)
    job.emulator.functions.invoke(Function.COLLECT, b"{}")


def _fetch(url: str) -> Any:
    with urllib.request.urlopen(url) as answer:  # noqa: S310
        return json.loads(answer.read())


def _list_versions(
    emulator: Emulator, bucket: str, *, kinds: Sequence[str] = ("Versions", "DeleteMarkers")
) -> list[str]:
    """Return the keys of all versions and delete markers, or of one kind."""
    pages = (
        emulator.create_client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket)
    )
    return [version["Key"] for page in pages for kind in kinds for version in page.get(kind, ())]


def _list_content_versions(emulator: Emulator, bucket: str) -> list[str]:
    """Return the keys of contents with a version that can be restored, once for each version."""
    keys = _list_versions(emulator, bucket, kinds=("Versions",))
    return [key for key in keys if key.startswith(f"{Prefix.CONTENTS}/")]


def test_every_operation_works_with_the_deployed_roles(
    used_bucket: UsedBucket, synthesize: Synthesize
) -> None:
    made = used_bucket.calls.items()
    called = normalize_stage({call: n for call, n in made if used_bucket.name in call.resource})
    assert {call.action for call in called} >= {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}
    assert find_missing_grants(called, list_grants(synthesize(stage=STAGE))) == []


def test_collected_objects_can_be_restored_for_a_week_and_are_then_removed(
    used_bucket: UsedBucket, emulator: Emulator, template: SynthesizedTemplate
) -> None:
    s3, bucket = emulator.create_client("s3"), used_bucket.name
    rules = template.get_only_resource("AWS::S3::Bucket")["Properties"]["LifecycleConfiguration"][
        "Rules"
    ]
    current = s3.list_objects_v2(Bucket=bucket, Prefix=f"{Prefix.CONTENTS}/")
    assert current["KeyCount"] == 0
    before = _list_content_versions(emulator, bucket)
    # While versioning is suspended, a delete marker replaces the only version.
    assert bool(before) == bucket.endswith("-on")
    expire_objects(s3, bucket, rules, datetime.now(UTC) + timedelta(days=6.9))
    assert _list_content_versions(emulator, bucket) == before

    for report in s3.list_objects_v2(Bucket=bucket, Prefix=f"{Prefix.REPORTS}/")["Contents"]:
        s3.delete_object(Bucket=bucket, Key=report["Key"])
    for days in (8, 8, 8):
        expire_objects(s3, bucket, rules, datetime.now(UTC) + timedelta(days=days))
    remaining = {key.split("/")[0] for key in _list_versions(emulator, bucket)}
    assert remaining == {Prefix.SOURCES}
