"""A dataset of Rekognition's largest size goes through the whole stack in workers far smaller than the manifest."""

from collections import Counter

import pytest

from bench.counts import OF_A_SHARD_IN_TWO
from bench.recording import Recorded, record
from bench.simulate import distribute, ingest
from bench.usage import Usage, by_operation
from local.meter import Meter
from local.stack import BUCKET
from tests.job import Job
from twofold.settings import Function

ENTRIES = 250_000
MEGABYTE = 1_000_000
ONCE = {
    "DynamoDB GetItem": 3,  # the call's answer to an earlier attempt, and both datasets
    "DynamoDB TransactWriteItems": 3,  # claim, publish, and that the event has been sent
    "AWSEvents PutEvents": 1,
    "AWSStepFunctions StartExecution": 1,
    "Lambda Invoke": 2,  # Select, Publish
    "S3 HeadObject": 5,
    "S3 GetObject": 20,  # index, list of shards, assembly, draft of the report, and 16 lines with like file names (100 at most)
    "S3 PutObject": 8,  # two indexes, plan, list of shards, assembly, the report: draft, JSON and page
    "S3 CreateMultipartUpload": 2,
    "S3 UploadPart": 0,
    "S3 CompleteMultipartUpload": 2,
}
"""Calls of a distribution, beside those for each shard."""

_LABELS = [f"label {number:03d}" for number in range(250)]


def _lines() -> bytes:
    """About 130 MB: detection lines with one to three of 250 labels."""
    return b"".join(_line(number) for number in range(ENTRIES))


def _line(number: int) -> bytes:
    labels = [_LABELS[(number * step) % len(_LABELS)] for step in range(1, 2 + number % 3)]
    boxes = ",".join(
        f'{{"class_id":{i},"top":{10 + number % 97},"left":{20 + i},"width":{30 + number % 89},"height":40}}'
        for i in range(len(labels))
    )
    names = ",".join(f'"{i}":"{label}"' for i, label in enumerate(labels))
    confidence = ",".join('{"confidence":1}' for _ in labels)
    return (
        f'{{"source-ref":"s3://example-images/warehouse/camera-07/2024-01/frame-{number:09d}.jpg",'
        f'"boxes":{{"image_size":[{{"width":640,"height":480,"depth":3}}],"annotations":[{boxes}]}},'
        f'"boxes-metadata":{{"objects":[{confidence}],"class-map":{{{names}}},"type":"groundtruth/object-detection",'
        '"human-annotated":"yes","creation-date":"2024-01-02T03:04:05.678000","job-name":"labeling-job/boxes"}}\n'
    ).encode()


@pytest.mark.timeout(400)
def test_250_000_entries_are_split_in_workers_below_512_mb(job: Job, meter: Meter) -> None:
    manifest = _lines()
    source, made = job.source(manifest), []
    taken_in = record(job.stack, meter, lambda: made.append(job.create_from("TRAIN", source)))
    train, test = made[0], job.create("TEST")
    assert job.settled(train, seconds=180)["DatasetStats"]["TotalEntries"] == ENTRIES
    recorded = record(job.stack, meter, lambda: job.distribute(train, test))
    assert job.settled(test, seconds=180)["DatasetStats"]["TotalEntries"] == ENTRIES // 5
    held = [_manifest(job, arn).splitlines() for arn in (train, test)]
    assert [len(lines) for lines in held] == [ENTRIES - ENTRIES // 5, ENTRIES // 5]
    assert Counter(held[0] + held[1]) == Counter(manifest.splitlines())
    assert max(job.stack.functions.peak_bytes.values()) < 512 * MEGABYTE
    _require_cheap(recorded)
    line_bytes = len(manifest) / ENTRIES
    _require_foreseen(taken_in.usage, ingest(ENTRIES, line_bytes).usage)
    _require_foreseen(recorded.usage, distribute(ENTRIES, line_bytes).usage)


def _require_foreseen(counted: Usage, reckoned: Usage) -> None:
    """bench/simulate.py is of this service."""
    assert counts(counted) == counts(reckoned)
    assert +Counter(counted.invocations) == Counter(reckoned.invocations)


def _require_cheap(recorded: Recorded) -> None:
    """Below $0.0005, so a million entries below $0.002; each shard makes these requests and no other; states tell little."""
    shards = recorded.usage.invocations[Function.MOVE]
    assert shards > 1
    counted = by_operation(recorded.calls)
    once = {name: counted[name] - shards * OF_A_SHARD_IN_TWO.get(name, 0) for name in counted}
    assert once == ONCE, (shards, once)
    assert max(recorded.payloads()) < 8_000
    assert recorded.usage.total <= 0.0005, (recorded.usage.total, recorded.usage.dollars())


def counts(usage: Usage) -> tuple[float, ...]:
    return (
        usage.s3_writes,
        usage.s3_reads,
        usage.write_units,
        usage.read_units,
        usage.transitions,
        usage.children,
        usage.events,
    )


def _manifest(job: Job, arn: str) -> bytes:
    """The largest, that is the only, object of entries that a distribution gave the dataset."""
    project, _, kind, created = arn.split("/")[1:]
    s3 = job.stack.client("s3")
    prefix = f"contents/{project}/{kind}-{created}/"
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
    newest = max(
        (one for one in listed if one["Key"].endswith("entries.manifest")),
        key=lambda one: one["LastModified"],
    )
    body: bytes = s3.get_object(Bucket=BUCKET, Key=newest["Key"])["Body"].read()
    return body
