"""Exercise every AWS call of the functions and state machines; a grant unused afterwards is unnecessary."""

import time
from contextlib import suppress
from typing import Any
from uuid import uuid4

import botocore.session
from botocore.exceptions import ClientError

from local.emulator.clients import REGION
from local.emulator.server import BUCKET, TABLE, Emulator
from local.model import EXTENSION
from tests.support.job import Job, make_line, make_two_label_lines
from tests.support.request_interceptor import (
    RequestInterceptor,
    answer_json_error,
    answer_s3_error,
    match_s3,
    match_step_functions,
)
from twofold.manifest.transfer.shards import SHARD_BYTES
from twofold.operation_event import OperationEvent
from twofold.records import (
    Contents,
    DatasetId,
    DatasetStatus,
    DatasetType,
    Operation,
    OperationKind,
    SourceObject,
    StatusMessageCode,
)
from twofold.settings import Function

VERSIONED = "versioned-sources"
SOURCES = ("sources", VERSIONED)
REFUSED = b"no line of a manifest\n"
LONG_AGO = 1
PADDING = 40_000


def use_every_permission(emulator: Emulator, request_interceptor: RequestInterceptor) -> None:
    _ingest_and_distribute(Job.start(emulator))
    _fail_and_delete(Job.start(emulator))
    _ingest_two_shards(Job.start(emulator))
    source = _upload_versioned_source(emulator)
    assert _create_and_wait(Job.start(emulator), source) == "CREATE_COMPLETE"
    # A worker without a record: Publish checks whether the source has changed.
    with request_interceptor.add_rule(
        match_s3("PUT", "/move/"), answer_s3_error(403, "AccessDenied")
    ):
        job = Job.start(emulator)
        assert _create_and_wait(job, job.upload_source(make_two_label_lines(10))) == "CREATE_FAILED"
        assert _create_and_wait(Job.start(emulator), source) == "CREATE_FAILED"
    _fail_to_start(Job.start(emulator), Job.start(emulator), request_interceptor)
    _settle_orphans(emulator)
    _collect_released(emulator)


def _ingest_and_distribute(job: Job) -> None:
    client = job.client
    train, test = job.create_pair(make_two_label_lines(20))
    client.tag_resource(ResourceArn=train, Tags={"team": "birds"})
    client.untag_resource(ResourceArn=train, TagKeys=["team"])
    client.list_tags_for_resource(ResourceArn=train)
    client.tag_resource(ResourceArn=job.project, Tags={"twofold:group-by": "source-ref"})
    job.start_distribution(train, test)
    assert job.wait_for_dataset(test)["Status"] == "UPDATE_COMPLETE"
    undoing = _make_extended_client(job.emulator)
    undoing.revert_dataset_distribution(ProjectArn=job.project)
    undoing.list_dataset_distributions(ProjectArn=job.project)
    job.start_distribution(train, test)
    assert job.wait_for_dataset(test)["Status"] == "UPDATE_COMPLETE"
    client.describe_projects(ProjectNames=[job.project.split("/")[1]])
    client.describe_projects(MaxResults=1)
    assert client.list_dataset_entries(DatasetArn=train, MaxResults=1)["NextToken"]
    client.list_dataset_labels(DatasetArn=train)
    assert len(job.list_entries(train)) == 16
    _update(job, train, make_line("new", "cat").encode())
    assert job.wait_for_dataset(train)["Status"] == "UPDATE_COMPLETE"


def _make_extended_client(emulator: Emulator) -> Any:
    """Return a client for Twofold's own operations."""
    session = botocore.session.Session()
    session.set_config_variable("data_path", str(EXTENSION))
    return session.create_client(
        "rekognition",
        endpoint_url=emulator.endpoint,
        region_name=REGION,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def _fail_and_delete(job: Job) -> None:
    """Run each workflow into Abandon once."""
    train, test = job.create_dataset("TRAIN", REFUSED), job.create_dataset("TEST")
    assert job.wait_for_dataset(train)["Status"] == "CREATE_FAILED"
    job.client.delete_dataset(DatasetArn=train)
    train = job.create_dataset("TRAIN", [make_line("one", "cat")])
    job.wait_for_dataset(train)
    job.start_distribution(train, test)
    assert job.wait_for_dataset(train)["Status"] == "UPDATE_FAILED"
    _update(job, train, REFUSED)
    assert job.wait_for_dataset(train)["Status"] == "UPDATE_FAILED"
    for arn in (train, test):
        job.client.delete_dataset(DatasetArn=arn)
    job.client.delete_project(ProjectArn=job.project)


def _fail_to_start(job: Job, other: Job, request_interceptor: RequestInterceptor) -> None:
    """Let StartExecution fail; the API then reverts the claim, after a check for an earlier attempt of the call."""
    train, test = job.create_pair(make_two_label_lines(10))
    source = other.upload_source(make_two_label_lines(1))
    refusal = answer_json_error(400, "ExecutionLimitExceeded")
    with request_interceptor.add_rule(match_step_functions("StartExecution"), refusal) as scene:
        for begin in (
            lambda: other.create_dataset_from("TRAIN", source),
            lambda: job.start_distribution(train, test),
        ):
            with suppress(ClientError):
                begin()
                raise AssertionError("The call succeeded without a started execution.")
    assert scene.count >= 2


def _update(job: Job, arn: str, changes: bytes) -> None:
    job.client.update_dataset_entries(DatasetArn=arn, Changes={"GroundTruth": changes})


def _ingest_two_shards(job: Job) -> None:
    """Ingest a manifest of two shards, so that Publish completes a multipart upload."""
    padded = '{"note":"' + "x" * PADDING + '",'
    lines = [
        padded + line.removeprefix("{")
        for line in make_two_label_lines(SHARD_BYTES * 3 // 2 // PADDING)
    ]
    assert job.wait_for_dataset(job.create_dataset("TRAIN", lines))["Status"] == "CREATE_COMPLETE"


def _create_and_wait(job: Job, source: dict[str, Any]) -> str:
    made = job.client.create_dataset(
        ProjectArn=job.project, DatasetType="TRAIN", DatasetSource=source
    )
    status: str = job.wait_for_dataset(made["DatasetArn"])["Status"]
    return status


def _upload_versioned_source(emulator: Emulator) -> dict[str, Any]:
    s3 = emulator.create_client("s3")
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=VERSIONED)
    s3.put_bucket_versioning(Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"})
    body = "\n".join(make_two_label_lines(10)).encode()
    version = s3.put_object(Bucket=VERSIONED, Key="m", Body=body)["VersionId"]
    source = {"S3Object": {"Bucket": VERSIONED, "Name": "m", "Version": version}}
    return {"GroundTruthManifest": source}


def _settle_orphans(emulator: Emulator) -> None:
    """Add a claimed but never started operation of each kind; the first sweep starts each, the next ends each."""
    table = emulator.create_client("dynamodb")
    orphans = [_make_orphan(kind) for kind in OperationKind]
    orphans.append(_make_orphan(OperationKind.CREATE, version=uuid4().hex))
    for orphan in orphans:
        item = {"pk": "operations", "sk": orphan.id, "Operation": orphan.serialize()}
        table.put_item(TableName=TABLE, Item={name: {"S": text} for name, text in item.items()})
    unsent = OperationEvent.from_operation(
        orphans[0], DatasetStatus.CREATE_COMPLETE, "", StatusMessageCode.SUCCESS, LONG_AGO
    )
    item = {"pk": "outbox", "sk": unsent.event, "Settled": unsent.model_dump_json(by_alias=True)}
    table.put_item(TableName=TABLE, Item={name: {"S": text} for name, text in item.items()})
    try:
        for _ in range(2):
            emulator.functions.invoke(Function.SETTLE, b"{}")
            _wait_for_executions(emulator, orphans)
    finally:
        for orphan in orphans:
            key = {"pk": {"S": "operations"}, "sk": {"S": orphan.id}}
            table.delete_item(TableName=TABLE, Key=key)


def _make_orphan(kind: OperationKind, version: str | None = None) -> Operation:
    """Make an operation of a missing dataset; Resolve checks the missing source because the range indexes are missing."""
    gone = [
        DatasetId(project=f"gone-{uuid4().hex[:8]}", type=type, created=1) for type in DatasetType
    ]
    contents = Contents(
        folder="contents/gone/train-1/gone",
        entries=1,
        bytes=1,
        digest="0",
        labeled_entries=0,
        total_labels=0,
        error_entries=0,
    )
    return Operation(
        id=uuid4().hex,
        kind=kind,
        datasets=tuple(gone if kind is OperationKind.DISTRIBUTE else gone[:1]),
        created=LONG_AGO,
        source=SourceObject(bucket=SOURCES[0], key="gone", size=1, etag='"gone"', version=version),
        before=contents,
    )


def _wait_for_executions(emulator: Emulator, orphans: list[Operation]) -> None:
    states = emulator.create_client("stepfunctions")
    for orphan in orphans:
        machine = emulator.functions.environments[Function.SETTLE][
            _get_state_machine_variable(orphan)
        ]
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{orphan.id}"
        while states.describe_execution(executionArn=arn)["status"] == "RUNNING":
            time.sleep(0.05)


def _get_state_machine_variable(operation: Operation) -> str:
    return f"TWOFOLD_{operation.kind.workflow.name}_STATE_MACHINE"


def _collect_released(emulator: Emulator) -> None:
    folder = f"contents/gone/train-1/{uuid4().hex}"
    emulator.create_client("s3").put_object(Bucket=BUCKET, Key=f"{folder}/entries.index", Body=b"")
    note: dict[str, Any] = {"pk": {"S": "released"}, "sk": {"S": folder}, "Released": {"N": "1"}}
    emulator.create_client("dynamodb").put_item(TableName=TABLE, Item=note)
    emulator.functions.invoke(Function.COLLECT, b"{}")
    try:
        emulator.create_client("s3").head_object(Bucket=BUCKET, Key=f"{folder}/entries.index")
    except ClientError:
        return
    raise AssertionError("Collect did not delete the released contents.")
