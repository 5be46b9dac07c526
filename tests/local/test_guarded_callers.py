"""The guard over HTTP: two users who sign with keys of their own, on a stack that verifies signatures."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from bench import prices
from bench.usage import read_units, write_units
from local.clients import create_client
from local.meter import Call, Meter
from local.model import EXTENSION
from local.signatures import User
from local.stack import BUCKET, Stack
from tests.handlers.any_request import refused
from tests.handlers.principals import NAMES_NOTHING, requests
from tests.job import rekognition, two_labels
from twofold.access import Access, Guard
from twofold.settings import Function, Operation

ADMINISTRATOR = "arn:aws:iam::123456789012:user/keeper"
NAMES = ("alice", "bob", "carol", "dave", "keeper")
KEYS = {f"AKID{name.upper()}": User(name, f"{name}-secret") for name in NAMES}
COST = (Path(__file__).parents[2] / "docs" / "cost.md").read_text()
ACCESS = Access(Guard.OWNER, (ADMINISTRATOR,))


@pytest.fixture
def guarded(stack: Stack) -> Iterator[Stack]:
    yield from _run(stack, ACCESS)


@pytest.fixture
def limited(stack: Stack) -> Iterator[Stack]:
    yield from _run(stack, Access(caller_rate=1))


def _run(stack: Stack, access: Access) -> Iterator[Stack]:
    """The session's stack with these variables of its API function, and with keys."""
    environment = stack.functions.environments[Function.API]
    stack.gateway.keys = KEYS
    environment.update(access.environment())
    yield stack
    stack.gateway.keys = None
    for variable in access.environment():
        del environment[variable]


def client(stack: Stack, name: str, service: str = "rekognition") -> Any:
    key = f"AKID{name.upper()}"
    config = Config(retries={"total_max_attempts": 1})
    models = EXTENSION if service == "rekognition" else None
    secret = KEYS[key].secret
    return create_client(
        service, stack.endpoint, key=key, secret=secret, config=config, models=models
    )


def call(caller: Any, operation: Operation, **members: Any) -> Any:
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in operation).lstrip("_")
    return getattr(caller, snake)(**members)


def test_one_user_s_project_is_closed_to_another_in_every_operation(guarded: Stack) -> None:
    alice, bob, keeper = (client(guarded, name) for name in ("alice", "bob", "keeper"))
    project = alice.create_project(ProjectName="guarded")["ProjectArn"]
    train = alice.create_dataset(ProjectArn=project, DatasetType="TRAIN")["DatasetArn"]
    test = alice.create_dataset(ProjectArn=project, DatasetType="TEST")["DatasetArn"]
    named = requests(project, train, test)
    assert {*named, *NAMES_NOTHING} == set(Operation)
    for operation, members in named.items():
        members = _as_bytes(members)
        code, message = refused(operation, partial(call, bob, operation, **members))
        assert code == "AccessDeniedException"
        assert "user/bob is not authorized to perform" in message
    assert "guarded" not in _names(bob)
    assert "guarded" in _names(alice)
    assert "guarded" in _names(keeper)
    (described,) = alice.describe_projects(ProjectNames=["guarded"])["ProjectDescriptions"]
    assert [dataset["Status"] for dataset in described["Datasets"]] == ["CREATE_COMPLETE"] * 2
    assert alice.list_tags_for_resource(ResourceArn=project)["Tags"] == {}
    for arn in (train, test):
        keeper.delete_dataset(DatasetArn=arn)
    alice.delete_project(ProjectArn=project)


def _as_bytes(members: dict[str, Any]) -> dict[str, Any]:
    """boto3 encodes a blob itself."""
    return members | ({"Changes": {"GroundTruth": b"{}"}} if "Changes" in members else {})


def _names(caller: Any) -> list[str]:
    pages = caller.get_paginator("describe_projects").paginate()
    return [
        project["ProjectArn"].split("/")[1]
        for page in pages
        for project in page["ProjectDescriptions"]
    ]


def test_one_user_s_manifest_is_not_read_for_another(guarded: Stack) -> None:
    alice, bob = client(guarded, "alice"), client(guarded, "bob")
    key = f"sources/{KEYS['AKIDALICE'].id}/garden.manifest"
    body = "\n".join(two_labels(10)).encode()
    client(guarded, "alice", "s3").put_object(Bucket=BUCKET, Key=key, Body=body)
    source = {"GroundTruthManifest": {"S3Object": {"Bucket": BUCKET, "Name": key}}}
    project = bob.create_project(ProjectName="of-bob")["ProjectArn"]
    with pytest.raises(ClientError, match=f"sources/{KEYS['AKIDBOB'].id}/ alone"):
        bob.create_dataset(ProjectArn=project, DatasetType="TRAIN", DatasetSource=source)
    project = alice.create_project(ProjectName="of-alice")["ProjectArn"]
    arn = alice.create_dataset(ProjectArn=project, DatasetType="TRAIN", DatasetSource=source)[
        "DatasetArn"
    ]
    assert _settled(alice, arn) == "CREATE_COMPLETE"


def _settled(caller: Any, arn: str) -> str:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        status: str = caller.describe_dataset(DatasetArn=arn)["DatasetDescription"]["Status"]
        if not status.endswith("IN_PROGRESS"):
            return status
        time.sleep(0.05)
    raise AssertionError(f"{arn} has not settled.")


def test_a_repetition_has_its_answer_though_the_project_is_another_s_by_now(guarded: Stack) -> None:
    """The answer is kept for its caller; the same call of another caller is one of its own."""
    alice, bob = client(guarded, "alice"), client(guarded, "bob")
    requests: list[Any] = []
    alice.meta.events.register("before-send.*", lambda request, **_: requests.append(request))
    project = alice.create_project(ProjectName="repeated")["ProjectArn"]
    dataset = alice.create_dataset(ProjectArn=project, DatasetType="TRAIN")["DatasetArn"]
    alice.delete_dataset(DatasetArn=dataset)
    deletion = requests[-1]
    alice.delete_project(ProjectArn=project)
    bob.create_project(ProjectName="repeated")
    repetition: Any = URLLib3Session().send(deletion)
    assert (repetition.status_code, repetition.content) == (200, b"{}")
    identifier = deletion.headers["amz-sdk-invocation-id"]
    bob.meta.events.register(
        "before-send.*",
        lambda request, **_: request.headers.__setitem__("amz-sdk-invocation-id", identifier),
    )
    code, _ = refused("DeleteDataset", partial(bob.delete_dataset, DatasetArn=dataset))
    assert code == "ResourceNotFoundException"


def test_a_caller_over_its_rate_is_refused_while_another_is_served(limited: Stack) -> None:
    """Of one call a second; a machine that is busy has a minute for two calls in one second."""
    carol, dave = client(limited, "carol"), client(limited, "dave")
    carol.describe_projects()

    def exceed() -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            carol.describe_projects()

    code, _ = refused("DescribeProjects", exceed)
    assert code == "ProvisionedThroughputExceededException"
    dave.describe_projects()


@pytest.mark.parametrize(
    ("access", "added", "dollars"),
    [
        (ACCESS, "BatchGetItem", prices.DYNAMODB_READ_UNIT),
        (Access(caller_rate=1_000), "UpdateItem", prices.DYNAMODB_WRITE_UNIT),
    ],
    ids=["guard", "rate"],
)
def test_an_option_asks_the_table_for_one_unit_more_and_the_docs_say_its_price(
    stack: Stack, meter: Meter, access: Access, added: str, dollars: float
) -> None:
    project = rekognition(stack).create_project(ProjectName=f"metered-{added}")["ProjectArn"]

    def ask() -> list[Call]:
        with meter.recording() as calls:
            rekognition(stack).list_tags_for_resource(ResourceArn=project)
        return calls

    before = ask()
    environment = stack.functions.environments[Function.API]
    environment.update(access.environment())
    try:
        after = ask()
    finally:
        for variable in access.environment():
            del environment[variable]
    assert [call.operation for call in before] == ["GetItem"]
    assert [call.operation for call in after] == [added, "GetItem"]
    units = [
        sum(map(read_units, calls)) + sum(map(write_units, calls)) for calls in (before, after)
    ]
    assert units == [1, 2]
    (row,) = [line for line in COST.splitlines() if line.startswith(f"| `{_option(access)}")]
    assert row.endswith(f"| ${1_000_000 * dollars:.3f} |")


def _option(access: Access) -> str:
    return "guard" if access.guard is Guard.OWNER else "caller_rate"
