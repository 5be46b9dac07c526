"""The emulator processes a dataset of Rekognition's maximum size in workers much smaller than the manifest."""

from collections import Counter

import pytest

from bench.counts import DISTRIBUTED_SHARD_CALLS
from bench.recording import Recording, record
from bench.simulate import simulate_distribution, simulate_ingest
from bench.usage import Usage, count_by_operation
from local.emulator.call_recorder import CallRecorder
from local.emulator.server import BUCKET
from tests.support.job import Job
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
"""Calls of a distribution, without the calls of each shard."""

_LABELS = [f"label {number:03d}" for number in range(250)]


def _generate_lines() -> bytes:
    """About 130 MB: detection lines with one to three of 250 labels."""
    return b"".join(_make_line(number) for number in range(ENTRIES))


def _make_line(number: int) -> bytes:
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
def test_250_000_entries_are_split_in_workers_below_512_mb(
    job: Job, call_recorder: CallRecorder
) -> None:
    manifest = _generate_lines()
    source, made = job.upload_source(manifest), []
    taken_in = record(
        job.emulator, call_recorder, lambda: made.append(job.create_dataset_from("TRAIN", source))
    )
    train, test = made[0], job.create_dataset("TEST")
    assert job.wait_for_dataset(train, seconds=180)["DatasetStats"]["TotalEntries"] == ENTRIES
    recorded = record(job.emulator, call_recorder, lambda: job.start_distribution(train, test))
    assert job.wait_for_dataset(test, seconds=180)["DatasetStats"]["TotalEntries"] == ENTRIES // 5
    held = [_read_manifest(job, arn).splitlines() for arn in (train, test)]
    assert [len(lines) for lines in held] == [ENTRIES - ENTRIES // 5, ENTRIES // 5]
    assert Counter(held[0] + held[1]) == Counter(manifest.splitlines())
    assert max(job.emulator.functions.peak_bytes.values()) < 512 * MEGABYTE
    _require_cheap(recorded)
    line_bytes = len(manifest) / ENTRIES
    _require_simulated(taken_in.usage, simulate_ingest(ENTRIES, line_bytes).usage)
    _require_simulated(recorded.usage, simulate_distribution(ENTRIES, line_bytes).usage)


def _require_simulated(recorded: Usage, simulated: Usage) -> None:
    """bench/simulate.py predicts the usage of this service."""
    assert list_counts(recorded) == list_counts(simulated)
    assert +Counter(recorded.invocations) == Counter(simulated.invocations)


def _require_cheap(recorded: Recording) -> None:
    """The cost is below $0.0005, each shard makes exactly the listed requests, and messages between states stay small."""
    shards = recorded.usage.invocations[Function.MOVE]
    assert shards > 1
    counted = count_by_operation(recorded.calls)
    once = {name: counted[name] - shards * DISTRIBUTED_SHARD_CALLS.get(name, 0) for name in counted}
    assert once == ONCE, (shards, once)
    assert max(recorded.measure_payloads()) < 8_000
    assert recorded.usage.total <= 0.0005, (recorded.usage.total, recorded.usage.compute_costs())


def list_counts(usage: Usage) -> tuple[float, ...]:
    return (
        usage.s3_writes,
        usage.s3_reads,
        usage.write_units,
        usage.read_units,
        usage.transitions,
        usage.children,
        usage.events,
    )


def _read_manifest(job: Job, arn: str) -> bytes:
    """Return the manifest that the distribution wrote for the dataset: the newest."""
    project, _, kind, created = arn.split("/")[1:]
    s3 = job.emulator.create_client("s3")
    prefix = f"contents/{project}/{kind}-{created}/"
    objects = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
    newest = max(
        (item for item in objects if item["Key"].endswith("entries.manifest")),
        key=lambda item: item["LastModified"],
    )
    body: bytes = s3.get_object(Bucket=BUCKET, Key=newest["Key"])["Body"].read()
    return body
