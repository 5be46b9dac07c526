"""The guard `owner`: a project and its datasets are for the principal that created it, in every operation."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.contract.sites import sample, shape_of
from tests.handlers.in_process import Api, serving
from tests.handlers.principals import (
    ACCOUNT,
    NAMES_NOTHING,
    code,
    items,
    names,
    project_of,
    requests,
    role,
    user,
)
from tests.job import line
from twofold.api import contract, model
from twofold.api.ownership import resource_arns
from twofold.settings import Operation
from twofold.stores.table import projects

NEEDS = {
    (Operation.CREATE_DATASET, Operation.DELETE_DATASET),
    (Operation.REVERT_DATASET_DISTRIBUTION, Operation.DISTRIBUTE_DATASET_ENTRIES),
}
"""Which operation succeeds only after which other."""


@pytest.mark.parametrize("operation", sorted({*Operation} - {*NAMES_NOTHING}))
def test_no_operation_lets_another_principal_in_and_every_one_its_owner(
    api: Api, alice: Api, bob: Api, operation: Operation
) -> None:
    """A role is the owner in whatever session."""
    named = requests(*project_of(alice))
    before = items(api)
    status, body = bob.call(operation, **named[operation])
    assert (status, code(operation, (status, body))) == (400, "AccessDeniedException")
    assert body["Message"].startswith(
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/bob/s is not authorized to perform: "
        f"rekognition:{operation} on resource: arn:aws:rekognition:us-east-1:{ACCOUNT}:project/birds/"
    )
    assert items(api) == before
    if operation is not Operation.DELETE_PROJECT:  # has datasets here
        again = api.called_by(*role("alice", "another-session"))
        for earlier in (Operation.DELETE_DATASET, Operation.DISTRIBUTE_DATASET_ENTRIES):
            if (operation, earlier) in NEEDS:
                again.done(earlier, **named[earlier])
        again.done(operation, **named[operation])


def test_there_is_a_request_of_every_operation() -> None:
    assert {*requests("", "", ""), *NAMES_NOTHING} == set(Operation)


@pytest.mark.parametrize("operation", Operation)
def test_a_request_names_its_resources_and_none_is_overlooked(operation: Operation) -> None:
    """Wherever the model has an ARN, nested or optional: the check finds it, so a new operation is guarded too."""
    body = sample(shape_of(model.input_shape(operation)))
    arns = list(resource_arns(contract.parse(operation, json.dumps(body).encode())))
    assert sorted(arns) == sorted(_arns(body))
    assert bool(arns) == (operation not in NAMES_NOTHING)


def _arns(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _arns(inner)
    elif isinstance(value, str) and value.startswith("arn:"):
        yield value


def test_a_dataset_of_another_is_not_copied(alice: Api, bob: Api) -> None:
    _, train, _ = project_of(alice)
    mine = bob.done("CreateProject", ProjectName="mine")["ProjectArn"]
    copy = {"ProjectArn": mine, "DatasetType": "TRAIN", "DatasetSource": {"DatasetArn": train}}
    assert code("CreateDataset", bob.call("CreateDataset", **copy)) == "AccessDeniedException"
    assert bob.done("DescribeProjects")["ProjectDescriptions"][0]["Datasets"] == []


def test_one_foreign_resource_among_several_is_enough(alice: Api, bob: Api) -> None:
    _, train, _ = project_of(alice)
    _, _, test = project_of(bob, "mine")
    pair = [{"Arn": test}, {"Arn": train}]
    answer = bob.call("DistributeDatasetEntries", Datasets=pair)
    assert code("DistributeDatasetEntries", answer) == "AccessDeniedException"


def test_a_user_and_a_role_of_one_name_are_two_principals(api: Api, alice: Api) -> None:
    project, _, _ = project_of(alice)
    other = api.called_by(*user("alice"))
    assert code("DeleteProject", other.call("DeleteProject", ProjectArn=project))
    assert names(other) == []


def test_a_new_role_of_an_old_name_has_not_what_the_old_one_had(api: Api, alice: Api) -> None:
    """AWS gives a principal an id for ever; names are used again."""
    project, _, _ = project_of(alice)
    new = api.called_by(role("alice")[0], "AROANEW:s")
    answer = new.call("ListTagsForResource", ResourceArn=project)
    assert code("ListTagsForResource", answer) == "AccessDeniedException"


def test_a_call_without_an_identity_is_denied(api: Api, alice: Api) -> None:
    project_of(alice)
    nobody = api.called_by("", "")
    assert code("DescribeProjects", nobody.call("DescribeProjects")) == "AccessDeniedException"
    answer = nobody.call("CreateProject", ProjectName="p")
    assert code("CreateProject", answer) == "AccessDeniedException"


def test_what_is_nobody_s_is_not_found(alice: Api, bob: Api) -> None:
    """Deleted by its owner: for all the same, and for the owner as before."""
    project = alice.done("CreateProject", ProjectName="gone")["ProjectArn"]
    alice.done("DeleteProject", ProjectArn=project)
    for caller in (alice, bob):
        answer = caller.call("DescribeProjectVersions", ProjectArn=project)
        assert code("DescribeProjectVersions", answer) == "ResourceNotFoundException"


def test_a_dataset_of_an_earlier_project_of_the_name_is_not_the_new_owner_s(
    alice: Api, bob: Api
) -> None:
    """It is shown for seconds while it is deleted."""
    project, train, test = project_of(alice)
    for arn in (train, test):
        alice.done("DeleteDataset", DatasetArn=arn)
    assert alice.done("DescribeDataset", DatasetArn=train)
    alice.done("DeleteProject", ProjectArn=project)
    bob.done("CreateProject", ProjectName="birds")
    answer = bob.call("DescribeDataset", DatasetArn=train)
    assert code("DescribeDataset", answer) == "ResourceNotFoundException"


@pytest.mark.parametrize("empty", [True, False])
def test_a_call_that_is_under_way_fills_no_project_that_took_the_place_of_its_own(
    monkeypatch: pytest.MonkeyPatch, alice: Api, bob: Api, empty: bool
) -> None:
    project = alice.done("CreateProject", ProjectName="birds")["ProjectArn"]
    source = {} if empty else {"DatasetSource": _source(alice)}
    fill_slot = projects.fill_slot

    def give_way(*arguments: Any) -> Any:
        monkeypatch.setattr(projects, "fill_slot", fill_slot)
        alice.done("DeleteProject", ProjectArn=project)
        bob.done("CreateProject", ProjectName="birds")
        return fill_slot(*arguments)

    monkeypatch.setattr(projects, "fill_slot", give_way)
    answer = alice.call("CreateDataset", ProjectArn=project, DatasetType="TRAIN", **source)
    assert code("CreateDataset", answer) == "ResourceNotFoundException"
    assert bob.done("DescribeProjects")["ProjectDescriptions"][0]["Datasets"] == []


def _source(alice: Api) -> dict[str, Any]:
    key = "sources/AROAALICE/m"
    boto3.client("s3").put_object(Bucket=alice.name, Key=key, Body=line("a", "cat").encode())
    return {"GroundTruthManifest": {"S3Object": {"Bucket": alice.name, "Name": key}}}


def test_without_the_guard_every_caller_uses_every_project(aws: None) -> None:
    with serving() as api:
        named = requests(*project_of(api.called_by(*role("alice"))))
        other = api.called_by(*role("bob"))
        assert names(other) == ["birds"]
        for operation, members in named.items():
            if operation is not Operation.DELETE_PROJECT:
                other.done(operation, **members)
