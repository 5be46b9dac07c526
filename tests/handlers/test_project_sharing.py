"""Whose projects the guard `owner` lists, and who uses them besides their owner."""

import base64
import json
import re
import shlex
from pathlib import Path

import boto3
import pytest

from tests.handlers.in_process import Api, serving
from tests.handlers.principals import ACCESS, ACCOUNT, code, names, project_of, requests, role, user
from twofold.api.ownership import OWNER_ONLY, SHARED_WITH
from twofold.settings import Operation

OPERATIONS = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


@pytest.fixture
def administrator(api: Api) -> Api:
    return api.called_by(*role("keeper"))


def test_a_list_has_the_caller_s_projects_alone_in_pages_that_are_full(
    monkeypatch: pytest.MonkeyPatch, alice: Api, bob: Api, administrator: Api
) -> None:
    monkeypatch.setattr("twofold.api.projects._GUARDED_BATCH", 2)
    for number in range(5):
        alice.done("CreateProject", ProjectName=f"a{number}")
        bob.done("CreateProject", ProjectName=f"b{number}")
    assert names(alice) == [f"a{number}" for number in range(5)]
    assert names(bob, ProjectNames=["a1", "b1", "none"]) == ["b1"]
    assert len(names(administrator)) == 10
    page = bob.done("DescribeProjects", MaxResults=3)
    assert len(page["ProjectDescriptions"]) == 3
    assert names(bob, MaxResults=3, NextToken=page["NextToken"]) == ["b3", "b4"]


def test_a_token_names_no_place_of_another(alice: Api, bob: Api) -> None:
    """Clients can read what a token holds, though they cannot change it."""
    bob.done("CreateProject", ProjectName="b0")
    for number in range(3):
        alice.done("CreateProject", ProjectName=f"a{number}")
    bob.done("CreateProject", ProjectName="b1")
    token = bob.done("DescribeProjects", MaxResults=1)["NextToken"]
    assert b"b0" in (text := base64.urlsafe_b64decode(f"{token}==="))
    assert b"#a" not in text
    assert "NextToken" not in bob.done("DescribeProjects", MaxResults=2)


def test_administrators_pass_by_the_role_s_arn_whatever_its_path(
    alice: Api, administrator: Api
) -> None:
    for operation, members in requests(*project_of(alice)).items():
        if operation is not Operation.DELETE_PROJECT:
            administrator.done(operation, **members)


def test_a_project_without_an_owner_is_for_administrators_until_it_is_shared(
    api: Api, alice: Api, administrator: Api
) -> None:
    """Such as an item of a release that records no owners."""
    project, train, _ = project_of(alice)
    boto3.client("dynamodb").update_item(
        TableName=api.name,
        Key={"pk": {"S": "project#birds"}, "sk": {"S": "project"}},
        UpdateExpression="REMOVE #Owner, OwnerArn",
        ExpressionAttributeNames={"#Owner": "Owner"},
    )
    assert names(alice) == []
    assert code("DescribeDataset", alice.call("DescribeDataset", DatasetArn=train))
    assert names(administrator) == ["birds"]
    shared = {SHARED_WITH: f"arn:aws:iam::{ACCOUNT}:role/alice"}
    administrator.done("TagResource", ResourceArn=project, Tags=shared)
    alice.done("DescribeDataset", DatasetArn=train)


def test_who_may_write_the_table_hands_a_project_over(api: Api, alice: Api, bob: Api) -> None:
    """By the command of docs/operations.md."""
    (block,) = re.findall(r"^aws dynamodb update-item .*?```", OPERATIONS, re.DOTALL | re.MULTILINE)
    text = block.replace("garden", "birds").replace("AROAEXAMPLE", "AROABOB").replace("\\\n", " ")
    words = shlex.split(text.strip("`"))
    arguments = dict(zip(words[3::2], words[4::2], strict=True))
    project, train, _ = project_of(alice)
    boto3.client("dynamodb").update_item(
        TableName=api.name,
        Key=json.loads(arguments["--key"]),
        ConditionExpression=arguments["--condition-expression"],
        UpdateExpression=arguments["--update-expression"],
        ExpressionAttributeNames=json.loads(arguments["--expression-attribute-names"]),
        ExpressionAttributeValues=json.loads(arguments["--expression-attribute-values"]),
    )
    assert (names(alice), names(bob)) == ([], ["birds"])
    bob.done("TagResource", ResourceArn=project, Tags={"a": "b"})
    answer = alice.call("DescribeDataset", DatasetArn=train)
    assert code("DescribeDataset", answer) == "AccessDeniedException"


def test_a_shared_project_is_used_and_not_shared_further_or_deleted(
    api: Api, alice: Api, bob: Api
) -> None:
    project, train, test = project_of(alice)
    arns = f"arn:aws:iam::{ACCOUNT}:role/teams/birds/bob arn:aws:iam::{ACCOUNT}:user/carol"
    alice.done("TagResource", ResourceArn=project, Tags={SHARED_WITH: arns})
    for operation, members in requests(project, train, test).items():
        if operation in OWNER_ONLY:
            assert code(operation, bob.call(operation, **members)) == "AccessDeniedException"
        else:
            bob.done(operation, **members)
    carol, other = api.called_by(*user("carol")), api.called_by(*user("bob"))
    carol.done("ListTagsForResource", ResourceArn=project)
    alice.done("UntagResource", ResourceArn=project, TagKeys=[SHARED_WITH])
    for caller in (bob, carol, other):
        answer = caller.call("ListTagsForResource", ResourceArn=project)
        assert code("ListTagsForResource", answer) == "AccessDeniedException"


def test_a_user_of_the_name_of_a_role_is_not_shared_with(api: Api, alice: Api) -> None:
    project, _, _ = project_of(alice)
    shared = {SHARED_WITH: f"arn:aws:iam::{ACCOUNT}:role/bob"}
    alice.done("TagResource", ResourceArn=project, Tags=shared)
    answer = api.called_by(*user("bob")).call("ListTagsForResource", ResourceArn=project)
    assert code("ListTagsForResource", answer) == "AccessDeniedException"


def test_nobody_finds_a_project_among_its_own_that_another_has_shared(alice: Api, bob: Api) -> None:
    """A program that looks for its project by name would fill a project of somebody else."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/bob"
    alice.done("CreateProject", ProjectName="photos", Tags={SHARED_WITH: arn})
    assert names(bob) == []
    assert names(bob, ProjectNames=["photos"]) == []


def test_projects_that_are_made_before_the_guard_have_their_owners_under_it(aws: None) -> None:
    """Turning it on takes nothing from anybody, and turning it off and on again neither."""
    with serving() as api, pytest.MonkeyPatch.context() as patch:
        alice, bob = api.called_by(*role("alice")), api.called_by(*role("bob"))
        alice.done("CreateProject", ProjectName="a")
        for guarded in (True, False, True):
            for variable, value in ACCESS.environment().items():
                patch.setenv(variable, value) if guarded else patch.delenv(variable)
            assert names(alice) == ["a"]
            assert names(bob) == ([] if guarded else ["a"])
