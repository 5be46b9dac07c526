"""Lists, sharing and administrators under the guard `owner`."""

import base64
import json
import re
import shlex
from pathlib import Path

import boto3
import pytest

from tests.api.principals import (
    ACCESS,
    ACCOUNT,
    build_requests,
    create_filled_project,
    get_error_code,
    list_project_names,
    make_role_identity,
    make_user_identity,
)
from tests.support.in_process_api import InProcessApi, serve_api
from twofold.api.ownership import OWNER_ONLY, SHARED_WITH
from twofold.settings import ApiOperation

OPERATIONS = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


@pytest.fixture
def administrator(api: InProcessApi) -> InProcessApi:
    return api.for_caller(*make_role_identity("keeper"))


def test_a_list_has_full_pages_of_the_callers_projects_only(
    monkeypatch: pytest.MonkeyPatch,
    alice: InProcessApi,
    bob: InProcessApi,
    administrator: InProcessApi,
) -> None:
    monkeypatch.setattr("twofold.api.projects._GUARDED_BATCH", 2)
    for number in range(5):
        alice.call_successfully("CreateProject", ProjectName=f"a{number}")
        bob.call_successfully("CreateProject", ProjectName=f"b{number}")
    assert list_project_names(alice) == [f"a{number}" for number in range(5)]
    assert list_project_names(bob, ProjectNames=["a1", "b1", "none"]) == ["b1"]
    assert len(list_project_names(administrator)) == 10
    page = bob.call_successfully("DescribeProjects", MaxResults=3)
    assert len(page["ProjectDescriptions"]) == 3
    assert list_project_names(bob, MaxResults=3, NextToken=page["NextToken"]) == ["b3", "b4"]


def test_a_token_contains_no_name_of_another_principals_project(
    alice: InProcessApi, bob: InProcessApi
) -> None:
    """Clients can decode a token, though not alter the position."""
    bob.call_successfully("CreateProject", ProjectName="b0")
    for number in range(3):
        alice.call_successfully("CreateProject", ProjectName=f"a{number}")
    bob.call_successfully("CreateProject", ProjectName="b1")
    token = bob.call_successfully("DescribeProjects", MaxResults=1)["NextToken"]
    assert b"b0" in (text := base64.urlsafe_b64decode(f"{token}==="))
    assert b"#a" not in text
    assert "NextToken" not in bob.call_successfully("DescribeProjects", MaxResults=2)


def test_administrators_match_by_role_arn_without_path(
    alice: InProcessApi, administrator: InProcessApi
) -> None:
    for operation, members in build_requests(*create_filled_project(alice)).items():
        if operation is not ApiOperation.DELETE_PROJECT:
            administrator.call_successfully(operation, **members)


def test_only_administrators_use_a_project_without_an_owner_until_they_share_it(
    api: InProcessApi, alice: InProcessApi, administrator: InProcessApi
) -> None:
    """Items of early releases have no owner."""
    project, train, _ = create_filled_project(alice)
    boto3.client("dynamodb").update_item(
        TableName=api.name,
        Key={"pk": {"S": "project#birds"}, "sk": {"S": "project"}},
        UpdateExpression="REMOVE #Owner, OwnerArn",
        ExpressionAttributeNames={"#Owner": "Owner"},
    )
    assert list_project_names(alice) == []
    assert get_error_code("DescribeDataset", alice.call("DescribeDataset", DatasetArn=train))
    assert list_project_names(administrator) == ["birds"]
    shared = {SHARED_WITH: f"arn:aws:iam::{ACCOUNT}:role/alice"}
    administrator.call_successfully("TagResource", ResourceArn=project, Tags=shared)
    alice.call_successfully("DescribeDataset", DatasetArn=train)


def test_the_documented_command_transfers_a_project_to_another_owner(
    api: InProcessApi, alice: InProcessApi, bob: InProcessApi
) -> None:
    """With the command in docs/operations.md."""
    (block,) = re.findall(r"^aws dynamodb update-item .*?```", OPERATIONS, re.DOTALL | re.MULTILINE)
    text = block.replace("garden", "birds").replace("AROAEXAMPLE", "AROABOB").replace("\\\n", " ")
    words = shlex.split(text.strip("`"))
    arguments = dict(zip(words[3::2], words[4::2], strict=True))
    project, train, _ = create_filled_project(alice)
    boto3.client("dynamodb").update_item(
        TableName=api.name,
        Key=json.loads(arguments["--key"]),
        ConditionExpression=arguments["--condition-expression"],
        UpdateExpression=arguments["--update-expression"],
        ExpressionAttributeNames=json.loads(arguments["--expression-attribute-names"]),
        ExpressionAttributeValues=json.loads(arguments["--expression-attribute-values"]),
    )
    assert (list_project_names(alice), list_project_names(bob)) == ([], ["birds"])
    bob.call_successfully("TagResource", ResourceArn=project, Tags={"a": "b"})
    response = alice.call("DescribeDataset", DatasetArn=train)
    assert get_error_code("DescribeDataset", response) == "AccessDeniedException"


def test_a_shared_project_can_be_used_but_not_shared_further_or_deleted(
    api: InProcessApi, alice: InProcessApi, bob: InProcessApi
) -> None:
    project, train, test = create_filled_project(alice)
    arns = f"arn:aws:iam::{ACCOUNT}:role/teams/birds/bob arn:aws:iam::{ACCOUNT}:user/carol"
    alice.call_successfully("TagResource", ResourceArn=project, Tags={SHARED_WITH: arns})
    for operation, members in build_requests(project, train, test).items():
        if operation in OWNER_ONLY:
            assert (
                get_error_code(operation, bob.call(operation, **members)) == "AccessDeniedException"
            )
        else:
            bob.call_successfully(operation, **members)
    carol, other = (
        api.for_caller(*make_user_identity("carol")),
        api.for_caller(*make_user_identity("bob")),
    )
    carol.call_successfully("ListTagsForResource", ResourceArn=project)
    alice.call_successfully("UntagResource", ResourceArn=project, TagKeys=[SHARED_WITH])
    for caller in (bob, carol, other):
        response = caller.call("ListTagsForResource", ResourceArn=project)
        assert get_error_code("ListTagsForResource", response) == "AccessDeniedException"


def test_sharing_with_a_role_excludes_a_user_of_the_same_name(
    api: InProcessApi, alice: InProcessApi
) -> None:
    project, _, _ = create_filled_project(alice)
    shared = {SHARED_WITH: f"arn:aws:iam::{ACCOUNT}:role/bob"}
    alice.call_successfully("TagResource", ResourceArn=project, Tags=shared)
    response = api.for_caller(*make_user_identity("bob")).call(
        "ListTagsForResource", ResourceArn=project
    )
    assert get_error_code("ListTagsForResource", response) == "AccessDeniedException"


def test_describe_projects_does_not_list_shared_projects(
    alice: InProcessApi, bob: InProcessApi
) -> None:
    """A program that finds a project by name could otherwise fill another principal's project."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/bob"
    alice.call_successfully("CreateProject", ProjectName="photos", Tags={SHARED_WITH: arn})
    assert list_project_names(bob) == []
    assert list_project_names(bob, ProjectNames=["photos"]) == []


def test_turning_the_guard_on_keeps_the_owners_of_existing_projects(aws: None) -> None:
    """Also after turning the guard off and on again."""
    with serve_api() as api, pytest.MonkeyPatch.context() as patch:
        alice, bob = (
            api.for_caller(*make_role_identity("alice")),
            api.for_caller(*make_role_identity("bob")),
        )
        alice.call_successfully("CreateProject", ProjectName="a")
        for guarded in (True, False, True):
            for variable, value in ACCESS.to_environment().items():
                patch.setenv(variable, value) if guarded else patch.delenv(variable)
            assert list_project_names(alice) == ["a"]
            assert list_project_names(bob) == ([] if guarded else ["a"])
