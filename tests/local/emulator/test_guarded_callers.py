"""The guard over HTTP: users with separate keys, on an emulator that verifies signatures."""

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
from bench.usage import count_read_units, count_write_units
from local.emulator.call_recorder import Call, CallRecorder
from local.emulator.clients import create_client
from local.emulator.server import BUCKET, Emulator
from local.emulator.sigv4 import User
from local.model import EXTENSION
from tests.api.api_calls import expect_error
from tests.api.principals import WITHOUT_RESOURCES, build_requests
from tests.support.job import create_rekognition_client, make_two_label_lines
from twofold.access import Access, Guard
from twofold.settings import ApiOperation, Function

ADMINISTRATOR = "arn:aws:iam::123456789012:user/keeper"
NAMES = ("alice", "bob", "carol", "dave", "keeper")
KEYS = {f"AKID{name.upper()}": User(name, f"{name}-secret") for name in NAMES}
COST = (Path(__file__).parents[3] / "docs" / "cost.md").read_text()
ACCESS = Access(Guard.OWNER, (ADMINISTRATOR,))


@pytest.fixture
def guarded(emulator: Emulator) -> Iterator[Emulator]:
    yield from _set_access(emulator, ACCESS)


@pytest.fixture
def limited(emulator: Emulator) -> Iterator[Emulator]:
    yield from _set_access(emulator, Access(caller_rate=1))


def _set_access(emulator: Emulator, access: Access) -> Iterator[Emulator]:
    """Set the keys of the session's emulator and the variables of the API function, and restore them after the test."""
    environment = emulator.functions.environments[Function.API]
    emulator.gateway.keys = KEYS
    environment.update(access.to_environment())
    yield emulator
    emulator.gateway.keys = None
    for variable in access.to_environment():
        del environment[variable]


def create_user_client(emulator: Emulator, name: str, service: str = "rekognition") -> Any:
    key = f"AKID{name.upper()}"
    config = Config(retries={"total_max_attempts": 1})
    models = EXTENSION if service == "rekognition" else None
    secret = KEYS[key].secret
    return create_client(
        service, emulator.endpoint, key=key, secret=secret, config=config, models=models
    )


def call_operation(caller: Any, operation: ApiOperation, **members: Any) -> Any:
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in operation).lstrip("_")
    return getattr(caller, snake)(**members)


def test_every_operation_denies_access_to_another_user_s_project(guarded: Emulator) -> None:
    alice, bob, keeper = (create_user_client(guarded, name) for name in ("alice", "bob", "keeper"))
    project = alice.create_project(ProjectName="guarded")["ProjectArn"]
    train = alice.create_dataset(ProjectArn=project, DatasetType="TRAIN")["DatasetArn"]
    test = alice.create_dataset(ProjectArn=project, DatasetType="TEST")["DatasetArn"]
    named = build_requests(project, train, test)
    assert {*named, *WITHOUT_RESOURCES} == set(ApiOperation)
    for operation, members in named.items():
        members = _encode_blobs(members)
        code, message = expect_error(operation, partial(call_operation, bob, operation, **members))
        assert code == "AccessDeniedException"
        assert "user/bob is not authorized to perform" in message
    assert "guarded" not in _list_project_names(bob)
    assert "guarded" in _list_project_names(alice)
    assert "guarded" in _list_project_names(keeper)
    (described,) = alice.describe_projects(ProjectNames=["guarded"])["ProjectDescriptions"]
    assert [dataset["Status"] for dataset in described["Datasets"]] == ["CREATE_COMPLETE"] * 2
    assert alice.list_tags_for_resource(ResourceArn=project)["Tags"] == {}
    for arn in (train, test):
        keeper.delete_dataset(DatasetArn=arn)
    alice.delete_project(ProjectArn=project)


def _encode_blobs(members: dict[str, Any]) -> dict[str, Any]:
    """Return the members with blobs as bytes, which boto3 encodes."""
    return members | ({"Changes": {"GroundTruth": b"{}"}} if "Changes" in members else {})


def _list_project_names(caller: Any) -> list[str]:
    pages = caller.get_paginator("describe_projects").paginate()
    return [
        project["ProjectArn"].split("/")[1]
        for page in pages
        for project in page["ProjectDescriptions"]
    ]


def test_a_manifest_of_another_user_is_not_read(guarded: Emulator) -> None:
    alice, bob = create_user_client(guarded, "alice"), create_user_client(guarded, "bob")
    key = f"sources/{KEYS['AKIDALICE'].id}/garden.manifest"
    body = "\n".join(make_two_label_lines(10)).encode()
    create_user_client(guarded, "alice", "s3").put_object(Bucket=BUCKET, Key=key, Body=body)
    source = {"GroundTruthManifest": {"S3Object": {"Bucket": BUCKET, "Name": key}}}
    project = bob.create_project(ProjectName="of-bob")["ProjectArn"]
    with pytest.raises(ClientError, match=f"only from s3://.*/sources/{KEYS['AKIDBOB'].id}/"):
        bob.create_dataset(ProjectArn=project, DatasetType="TRAIN", DatasetSource=source)
    project = alice.create_project(ProjectName="of-alice")["ProjectArn"]
    arn = alice.create_dataset(ProjectArn=project, DatasetType="TRAIN", DatasetSource=source)[
        "DatasetArn"
    ]
    assert _wait_for_status(alice, arn) == "CREATE_COMPLETE"


def _wait_for_status(caller: Any, arn: str) -> str:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        status: str = caller.describe_dataset(DatasetArn=arn)["DatasetDescription"]["Status"]
        if not status.endswith("IN_PROGRESS"):
            return status
        time.sleep(0.05)
    raise AssertionError(f"{arn} is still {status}.")


def test_a_repetition_has_its_answer_though_the_project_is_another_s_by_now(
    guarded: Emulator,
) -> None:
    """Responses are stored per caller: the same call of another caller is a new call."""
    alice, bob = create_user_client(guarded, "alice"), create_user_client(guarded, "bob")
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
    code, _ = expect_error("DeleteDataset", partial(bob.delete_dataset, DatasetArn=dataset))
    assert code == "ResourceNotFoundException"


def test_a_caller_above_the_rate_is_throttled_and_others_are_not(limited: Emulator) -> None:
    """The rate is 1 call per second. A busy machine has a minute to make two calls within a second."""
    carol, dave = create_user_client(limited, "carol"), create_user_client(limited, "dave")
    carol.describe_projects()

    def exceed_rate() -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            carol.describe_projects()

    code, _ = expect_error("DescribeProjects", exceed_rate)
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
    emulator: Emulator, call_recorder: CallRecorder, access: Access, added: str, dollars: float
) -> None:
    project = create_rekognition_client(emulator).create_project(ProjectName=f"metered-{added}")[
        "ProjectArn"
    ]

    def ask() -> list[Call]:
        with call_recorder.record() as calls:
            create_rekognition_client(emulator).list_tags_for_resource(ResourceArn=project)
        return calls

    before = ask()
    environment = emulator.functions.environments[Function.API]
    environment.update(access.to_environment())
    try:
        after = ask()
    finally:
        for variable in access.to_environment():
            del environment[variable]
    assert [call.operation for call in before] == ["GetItem"]
    assert [call.operation for call in after] == [added, "GetItem"]
    units = [
        sum(map(count_read_units, calls)) + sum(map(count_write_units, calls))
        for calls in (before, after)
    ]
    assert units == [1, 2]
    (row,) = [
        line for line in COST.splitlines() if line.startswith(f"| `{_get_option_name(access)}")
    ]
    assert row.endswith(f"| ${1_000_000 * dollars:.3f} |")


def _get_option_name(access: Access) -> str:
    return "guard" if access.guard is Guard.OWNER else "caller_rate"
