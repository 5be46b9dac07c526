"""The guard `owner`: only the creating principal uses a project and the project's datasets, in every operation."""

import json
import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.api.principals import (
    ACCOUNT,
    WITHOUT_RESOURCES,
    build_requests,
    create_filled_project,
    get_error_code,
    list_items,
    list_project_names,
    make_role_identity,
    make_user_identity,
)
from tests.api.request_sites import get_shape, make_sample
from tests.support.in_process_api import InProcessApi, serve_api
from tests.support.job import make_line
from twofold.api import model
from twofold.api.ownership import find_resource_arns
from twofold.api.requests import parse_request
from twofold.settings import ApiOperation
from twofold.stores.table import projects

NEEDS = {
    (ApiOperation.CREATE_DATASET, ApiOperation.DELETE_DATASET),
    (ApiOperation.REVERT_DATASET_DISTRIBUTION, ApiOperation.DISTRIBUTE_DATASET_ENTRIES),
}
"""Which operation succeeds only after which other."""


@pytest.mark.parametrize("operation", sorted({*ApiOperation} - {*WITHOUT_RESOURCES}))
def test_every_operation_allows_the_owner_and_denies_others(
    api: InProcessApi, alice: InProcessApi, bob: InProcessApi, operation: ApiOperation
) -> None:
    """A role is the owner in any session."""
    named = build_requests(*create_filled_project(alice))
    before = list_items(api)
    status, body = bob.call(operation, **named[operation])
    assert (status, get_error_code(operation, (status, body))) == (400, "AccessDeniedException")
    assert body["Message"].startswith(
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/bob/s is not authorized to perform: "
        f"rekognition:{operation} on resource: arn:aws:rekognition:us-east-1:{ACCOUNT}:project/birds/"
    )
    assert list_items(api) == before
    if operation is not ApiOperation.DELETE_PROJECT:  # has datasets here
        again = api.for_caller(*make_role_identity("alice", "another-session"))
        for earlier in (ApiOperation.DELETE_DATASET, ApiOperation.DISTRIBUTE_DATASET_ENTRIES):
            if (operation, earlier) in NEEDS:
                again.call_successfully(earlier, **named[earlier])
        again.call_successfully(operation, **named[operation])


def test_requests_cover_every_operation() -> None:
    assert {*build_requests("", "", ""), *WITHOUT_RESOURCES} == set(ApiOperation)


@pytest.mark.parametrize("operation", ApiOperation)
def test_the_guard_finds_every_arn_in_a_request(operation: ApiOperation) -> None:
    """Nested and optional ARNs too, so the guard covers new operations."""
    body = make_sample(get_shape(model.get_input_shape(operation)))
    arns = list(find_resource_arns(parse_request(operation, json.dumps(body).encode())))
    assert sorted(arns) == sorted(_iterate_arns(body))
    assert bool(arns) == (operation not in WITHOUT_RESOURCES)


def _iterate_arns(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _iterate_arns(inner)
    elif isinstance(value, str) and value.startswith("arn:"):
        yield value


def test_a_dataset_of_another_principal_is_not_copied(
    alice: InProcessApi, bob: InProcessApi
) -> None:
    _, train, _ = create_filled_project(alice)
    mine = bob.call_successfully("CreateProject", ProjectName="mine")["ProjectArn"]
    copy = {"ProjectArn": mine, "DatasetType": "TRAIN", "DatasetSource": {"DatasetArn": train}}
    assert (
        get_error_code("CreateDataset", bob.call("CreateDataset", **copy))
        == "AccessDeniedException"
    )
    assert bob.call_successfully("DescribeProjects")["ProjectDescriptions"][0]["Datasets"] == []


def test_one_inaccessible_resource_among_several_is_denied(
    alice: InProcessApi, bob: InProcessApi
) -> None:
    _, train, _ = create_filled_project(alice)
    _, _, test = create_filled_project(bob, "mine")
    pair = [{"Arn": test}, {"Arn": train}]
    response = bob.call("DistributeDatasetEntries", Datasets=pair)
    assert get_error_code("DistributeDatasetEntries", response) == "AccessDeniedException"


@pytest.mark.parametrize("operation", sorted({*ApiOperation} - {*WITHOUT_RESOURCES}))
def test_the_response_to_others_does_not_depend_on_creation_times(
    alice: InProcessApi, bob: InProcessApi, operation: ApiOperation
) -> None:
    """Otherwise a bisection over the times in ARNs of datasets finds the creation time of the project."""
    arns = create_filled_project(alice)
    created = int(arns[0].rsplit("/", 1)[1])
    # The model rejects some ARNs of datasets in operations on projects, and the reverse.
    for order in (arns, (arns[1], arns[0], arns[2]), (arns[2], arns[2], arns[0])):
        responses = set()
        for time in (None, 0, created - 1, created, created + 1, created + 10**6, 10**17):
            named = order if time is None else [_replace_time(arn, time) for arn in order]
            status, body = bob.call(operation, **build_requests(*named)[operation])
            message = re.sub(r"(arn:aws:rekognition:\S+)/\d+", r"\1", body["Message"])
            responses.add((status, body["__type"], message))
        ((_, code, _),) = responses
        assert code == "AccessDeniedException" or (code == "ValidationException" and order != arns)


def _replace_time(arn: str, time: int) -> str:
    return f"{arn.rsplit('/', 1)[0]}/{time}"


def test_a_former_owner_cannot_tell_the_creation_time_of_a_later_project(
    alice: InProcessApi, bob: InProcessApi
) -> None:
    project, train, test = create_filled_project(alice)
    for arn in (train, test):
        alice.call_successfully("DeleteDataset", DatasetArn=arn)
    alice.call_successfully("DeleteProject", ProjectArn=project)
    bob.call_successfully("CreateProject", ProjectName="birds")
    for arn in (train, _replace_time(train, 10**17)):
        response = alice.call("DescribeDataset", DatasetArn=arn)
        assert get_error_code("DescribeDataset", response) == "AccessDeniedException"


def test_a_user_and_a_role_of_the_same_name_are_different_principals(
    api: InProcessApi, alice: InProcessApi
) -> None:
    project, _, _ = create_filled_project(alice)
    other = api.for_caller(*make_user_identity("alice"))
    assert get_error_code("DeleteProject", other.call("DeleteProject", ProjectArn=project))
    assert list_project_names(other) == []


def test_a_new_role_with_an_old_name_inherits_no_project(
    api: InProcessApi, alice: InProcessApi
) -> None:
    """AWS never assigns an id twice; names can be reused."""
    project, _, _ = create_filled_project(alice)
    new = api.for_caller(make_role_identity("alice")[0], "AROANEW:s")
    response = new.call("ListTagsForResource", ResourceArn=project)
    assert get_error_code("ListTagsForResource", response) == "AccessDeniedException"


def test_a_call_without_an_identity_is_denied(api: InProcessApi, alice: InProcessApi) -> None:
    create_filled_project(alice)
    nobody = api.for_caller("", "")
    assert (
        get_error_code("DescribeProjects", nobody.call("DescribeProjects"))
        == "AccessDeniedException"
    )
    response = nobody.call("CreateProject", ProjectName="p")
    assert get_error_code("CreateProject", response) == "AccessDeniedException"


def test_a_deleted_project_is_not_found_by_any_caller(
    alice: InProcessApi, bob: InProcessApi
) -> None:
    """The error is the same for the former owner and for all others."""
    project = alice.call_successfully("CreateProject", ProjectName="gone")["ProjectArn"]
    alice.call_successfully("DeleteProject", ProjectArn=project)
    for caller in (alice, bob):
        response = caller.call("DescribeProjectVersions", ProjectArn=project)
        assert get_error_code("DescribeProjectVersions", response) == "ResourceNotFoundException"


def test_a_new_owner_cannot_read_datasets_of_an_earlier_project_of_the_same_name(
    alice: InProcessApi, bob: InProcessApi
) -> None:
    """DescribeDataset shows a deleted dataset for some seconds."""
    project, train, test = create_filled_project(alice)
    for arn in (train, test):
        alice.call_successfully("DeleteDataset", DatasetArn=arn)
    assert alice.call_successfully("DescribeDataset", DatasetArn=train)
    alice.call_successfully("DeleteProject", ProjectArn=project)
    bob.call_successfully("CreateProject", ProjectName="birds")
    response = bob.call("DescribeDataset", DatasetArn=train)
    assert get_error_code("DescribeDataset", response) == "ResourceNotFoundException"


@pytest.mark.parametrize("empty", [True, False])
def test_a_running_call_does_not_write_to_a_project_that_replaced_its_own(
    monkeypatch: pytest.MonkeyPatch, alice: InProcessApi, bob: InProcessApi, empty: bool
) -> None:
    project = alice.call_successfully("CreateProject", ProjectName="birds")["ProjectArn"]
    source = {} if empty else {"DatasetSource": _upload_source(alice)}
    build_slot_fill = projects.build_slot_fill

    def give_way(*arguments: Any) -> Any:
        monkeypatch.setattr(projects, "build_slot_fill", build_slot_fill)
        alice.call_successfully("DeleteProject", ProjectArn=project)
        bob.call_successfully("CreateProject", ProjectName="birds")
        return build_slot_fill(*arguments)

    monkeypatch.setattr(projects, "build_slot_fill", give_way)
    response = alice.call("CreateDataset", ProjectArn=project, DatasetType="TRAIN", **source)
    assert get_error_code("CreateDataset", response) == "ResourceNotFoundException"
    assert bob.call_successfully("DescribeProjects")["ProjectDescriptions"][0]["Datasets"] == []


def _upload_source(alice: InProcessApi) -> dict[str, Any]:
    key = "sources/AROAALICE/m"
    boto3.client("s3").put_object(Bucket=alice.name, Key=key, Body=make_line("a", "cat").encode())
    return {"GroundTruthManifest": {"S3Object": {"Bucket": alice.name, "Name": key}}}


def test_without_the_guard_every_caller_uses_every_project(aws: None) -> None:
    with serve_api() as api:
        named = build_requests(*create_filled_project(api.for_caller(*make_role_identity("alice"))))
        other = api.for_caller(*make_role_identity("bob"))
        assert list_project_names(other) == ["birds"]
        for operation, members in named.items():
            if operation is not ApiOperation.DELETE_PROJECT:
                other.call_successfully(operation, **members)
