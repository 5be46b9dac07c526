"""One of each thing that the functions and the state machines do, so that a grant that is still unused is one too many."""

import time
from contextlib import suppress
from typing import Any
from uuid import uuid4

import botocore.session
from botocore.exceptions import ClientError

from local.clients import REGION
from local.model import EXTENSION
from local.stack import BUCKET, TABLE, Stack
from tests.backstage import Backstage, json_error, s3, s3_error, states
from tests.job import Job, line, two_labels
from twofold.manifest.shards import SHARD_BYTES
from twofold.records import (
    Contents,
    DatasetId,
    DatasetType,
    Operation,
    OperationKind,
    Source,
    Status,
    StatusCode,
)
from twofold.settings import Function
from twofold.settled import Settled

VERSIONED = "versioned-sources"
SOURCES = ("sources", VERSIONED)
REFUSED = b"no line of a manifest\n"
LONG_AGO = 1
PADDING = 40_000


def done(stack: Stack, backstage: Backstage) -> None:
    _take_in_and_split(Job.begin(stack))
    _fail_and_delete(Job.begin(stack))
    _take_in_two_shards(Job.begin(stack))
    source = _versioned(stack)
    assert _settled(Job.begin(stack), source) == "CREATE_COMPLETE"
    # A worker that leaves no record: Publish looks whether the source has changed.
    with backstage.scene(s3("PUT", "/move/"), s3_error(403, "AccessDenied")):
        job = Job.begin(stack)
        assert _settled(job, job.source(two_labels(10))) == "CREATE_FAILED"
        assert _settled(Job.begin(stack), source) == "CREATE_FAILED"
    _start_in_vain(Job.begin(stack), Job.begin(stack), backstage)
    _settle(stack)
    _collect(stack)


def _take_in_and_split(job: Job) -> None:
    client = job.client
    train, test = job.pair(two_labels(20))
    client.tag_resource(ResourceArn=train, Tags={"team": "birds"})
    client.untag_resource(ResourceArn=train, TagKeys=["team"])
    client.list_tags_for_resource(ResourceArn=train)
    client.tag_resource(ResourceArn=job.project, Tags={"twofold:group-by": "source-ref"})
    job.distribute(train, test)
    assert job.settled(test)["Status"] == "UPDATE_COMPLETE"
    undoing = _knowing(job.stack)
    undoing.revert_dataset_distribution(ProjectArn=job.project)
    undoing.list_dataset_distributions(ProjectArn=job.project)
    job.distribute(train, test)
    assert job.settled(test)["Status"] == "UPDATE_COMPLETE"
    client.describe_projects(ProjectNames=[job.project.split("/")[1]])
    client.describe_projects(MaxResults=1)
    assert client.list_dataset_entries(DatasetArn=train, MaxResults=1)["NextToken"]
    client.list_dataset_labels(DatasetArn=train)
    assert len(job.entries(train)) == 16
    _update(job, train, line("new", "cat").encode())
    assert job.settled(train)["Status"] == "UPDATE_COMPLETE"


def _knowing(stack: Stack) -> Any:
    """A client that knows Twofold's own operations."""
    session = botocore.session.Session()
    session.set_config_variable("data_path", str(EXTENSION))
    return session.create_client(
        "rekognition",
        endpoint_url=stack.endpoint,
        region_name=REGION,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def _fail_and_delete(job: Job) -> None:
    """Each workflow ends in Abandon once."""
    train, test = job.create("TRAIN", REFUSED), job.create("TEST")
    assert job.settled(train)["Status"] == "CREATE_FAILED"
    job.client.delete_dataset(DatasetArn=train)
    train = job.create("TRAIN", [line("one", "cat")])
    job.settled(train)
    job.distribute(train, test)
    assert job.settled(train)["Status"] == "UPDATE_FAILED"
    _update(job, train, REFUSED)
    assert job.settled(train)["Status"] == "UPDATE_FAILED"
    for arn in (train, test):
        job.client.delete_dataset(DatasetArn=arn)
    job.client.delete_project(ProjectArn=job.project)


def _start_in_vain(job: Job, other: Job, backstage: Backstage) -> None:
    """What the API takes back; each time it looks first whether an earlier attempt of the call has been answered."""
    train, test = job.pair(two_labels(10))
    source = other.source(two_labels(1))
    refusal = json_error(400, "ExecutionLimitExceeded")
    with backstage.scene(states("StartExecution"), refusal) as scene:
        for begin in (
            lambda: other.create_from("TRAIN", source),
            lambda: job.distribute(train, test),
        ):
            with suppress(ClientError):
                begin()
                raise AssertionError("What cannot be started was begun.")
    assert scene.seen >= 2


def _update(job: Job, arn: str, changes: bytes) -> None:
    job.client.update_dataset_entries(DatasetArn=arn, Changes={"GroundTruth": changes})


def _take_in_two_shards(job: Job) -> None:
    """What Publish puts together."""
    padded = '{"note":"' + "x" * PADDING + '",'
    lines = [padded + one.removeprefix("{") for one in two_labels(SHARD_BYTES * 3 // 2 // PADDING)]
    assert job.settled(job.create("TRAIN", lines))["Status"] == "CREATE_COMPLETE"


def _settled(job: Job, source: dict[str, Any]) -> str:
    made = job.client.create_dataset(
        ProjectArn=job.project, DatasetType="TRAIN", DatasetSource=source
    )
    status: str = job.settled(made["DatasetArn"])["Status"]
    return status


def _versioned(stack: Stack) -> dict[str, Any]:
    s3 = stack.client("s3")
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=VERSIONED)
    s3.put_bucket_versioning(Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"})
    body = "\n".join(two_labels(10)).encode()
    version = s3.put_object(Bucket=VERSIONED, Key="m", Body=body)["VersionId"]
    source = {"S3Object": {"Bucket": VERSIONED, "Name": "m", "Version": version}}
    return {"GroundTruthManifest": source}


def _settle(stack: Stack) -> None:
    """An operation of each kind that was claimed and never started: started by the sweep, ended by the next one."""
    table = stack.client("dynamodb")
    orphans = [_orphan(kind) for kind in OperationKind]
    orphans.append(_orphan(OperationKind.CREATE, version=uuid4().hex))
    for one in orphans:
        item = {"pk": "operations", "sk": one.id, "Operation": one.event()}
        table.put_item(TableName=TABLE, Item={name: {"S": text} for name, text in item.items()})
    unsent = Settled.of(orphans[0], Status.CREATE_COMPLETE, "", StatusCode.SUCCESS, LONG_AGO)
    item = {"pk": "outbox", "sk": unsent.event, "Settled": unsent.model_dump_json(by_alias=True)}
    table.put_item(TableName=TABLE, Item={name: {"S": text} for name, text in item.items()})
    try:
        for _ in range(2):
            stack.functions.invoke(Function.SETTLE, b"{}")
            _wait_for_executions(stack, orphans)
    finally:
        for one in orphans:
            key = {"pk": {"S": "operations"}, "sk": {"S": one.id}}
            table.delete_item(TableName=TABLE, Key=key)


def _orphan(kind: OperationKind, version: str | None = None) -> Operation:
    """An ingest's source is not there, which its Resolve looks at when the pieces are missing."""
    gone = [
        DatasetId(project=f"gone-{uuid4().hex[:8]}", type=one, created=1) for one in DatasetType
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
        source=Source(bucket=SOURCES[0], key="gone", size=1, etag='"gone"', version=version),
        before=contents,
    )


def _wait_for_executions(stack: Stack, orphans: list[Operation]) -> None:
    states = stack.client("stepfunctions")
    for one in orphans:
        machine = stack.functions.environments[Function.SETTLE][_variable(one)]
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{one.id}"
        while states.describe_execution(executionArn=arn)["status"] == "RUNNING":
            time.sleep(0.05)


def _variable(operation: Operation) -> str:
    return f"TWOFOLD_{operation.kind.workflow.name}_STATE_MACHINE"


def _collect(stack: Stack) -> None:
    folder = f"contents/gone/train-1/{uuid4().hex}"
    stack.client("s3").put_object(Bucket=BUCKET, Key=f"{folder}/entries.index", Body=b"")
    note: dict[str, Any] = {"pk": {"S": "released"}, "sk": {"S": folder}, "Released": {"N": "1"}}
    stack.client("dynamodb").put_item(TableName=TABLE, Item=note)
    stack.functions.invoke(Function.COLLECT, b"{}")
    try:
        stack.client("s3").head_object(Bucket=BUCKET, Key=f"{folder}/entries.index")
    except ClientError:
        return
    raise AssertionError("The collector left what was to be collected.")
