"""The guard `owner`: a project, its datasets and its sources are for the principal that created it, in every operation."""

import base64
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.contract.conformance import assert_error_conforms
from tests.contract.sites import sample, shape_of
from tests.handlers.in_process import Api, serving
from tests.job import line, two_labels
from twofold.access import Access, Guard
from twofold.api import contract, model
from twofold.api.ownership import OWNER_ONLY, SHARED_WITH, resource_arns
from twofold.settings import Operation
from twofold.stores.table import projects

OPERATIONS = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
ACCOUNT = "123456789012"
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:role/admins/keeper"
ACCESS = Access(Guard.OWNER, (ADMINISTRATOR,))
NAMES_NOTHING = (Operation.CREATE_PROJECT, Operation.DESCRIBE_PROJECTS)
"""The only operations whose requests name no resource."""


def role(name: str, session: str = "s") -> tuple[str, str]:
    return f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}", f"AROA{name.upper()}:{session}"


def user(name: str) -> tuple[str, str]:
    return f"arn:aws:iam::{ACCOUNT}:user/{name}", f"AIDA{name.upper()}"


@pytest.fixture
def api(aws: None) -> Iterator[Api]:
    with serving(access=ACCESS) as api:
        yield api


@pytest.fixture
def alice(api: Api) -> Api:
    return api.called_by(*role("alice"))


@pytest.fixture
def bob(api: Api) -> Api:
    return api.called_by(*role("bob"))


@pytest.fixture
def administrator(api: Api) -> Api:
    return api.called_by(*role("keeper"))


def project_of(owner: Api, name: str = "birds") -> tuple[str, str, str]:
    """(project, train, test): ARNs of a project whose training dataset has ten entries."""
    project: str = owner.done("CreateProject", ProjectName=name)["ProjectArn"]
    train = owner.done("CreateDataset", ProjectArn=project, DatasetType="TRAIN")["DatasetArn"]
    test = owner.done("CreateDataset", ProjectArn=project, DatasetType="TEST")["DatasetArn"]
    changes = base64.b64encode("\n".join(two_labels(10)).encode()).decode()
    owner.done("UpdateDatasetEntries", DatasetArn=train, Changes={"GroundTruth": changes})
    return project, train, test


def requests(project: str, train: str, test: str) -> Mapping[Operation, dict[str, Any]]:
    """A request of each operation that names a resource, in an order in which all of them succeed."""
    changes = {"GroundTruth": base64.b64encode(line("more", "cat").encode()).decode()}
    return {
        Operation.TAG_RESOURCE: {"ResourceArn": project, "Tags": {"twofold:test-fraction": "1/2"}},
        Operation.UNTAG_RESOURCE: {"ResourceArn": train, "TagKeys": ["a"]},
        Operation.LIST_TAGS_FOR_RESOURCE: {"ResourceArn": train},
        Operation.DESCRIBE_DATASET: {"DatasetArn": train},
        Operation.LIST_DATASET_ENTRIES: {"DatasetArn": train},
        Operation.LIST_DATASET_LABELS: {"DatasetArn": train},
        Operation.UPDATE_DATASET_ENTRIES: {"DatasetArn": train, "Changes": changes},
        Operation.DESCRIBE_PROJECT_VERSIONS: {"ProjectArn": project},
        Operation.LIST_PROJECT_POLICIES: {"ProjectArn": project},
        Operation.DISTRIBUTE_DATASET_ENTRIES: {"Datasets": [{"Arn": train}, {"Arn": test}]},
        Operation.LIST_DATASET_DISTRIBUTIONS: {"ProjectArn": project},
        Operation.REVERT_DATASET_DISTRIBUTION: {"ProjectArn": project},
        Operation.DELETE_DATASET: {"DatasetArn": test},
        Operation.CREATE_DATASET: {"ProjectArn": project, "DatasetType": "TEST"},
        Operation.DELETE_PROJECT: {"ProjectArn": project},
    }


def code(operation: str, answer: tuple[int, dict[str, Any]]) -> str:
    """The name of the error, which the model must have for the operation; empty without one."""
    status, body = answer
    if status == 200:
        return ""
    assert_error_conforms(operation, body["__type"])
    return str(body["__type"])


def items(api: Api) -> list[Any]:
    answer = boto3.client("dynamodb").scan(TableName=api.name)
    return sorted(answer["Items"], key=lambda item: json.dumps(item, sort_keys=True))


def names(api: Api, **members: Any) -> list[str]:
    described = api.done("DescribeProjects", **members)["ProjectDescriptions"]
    return [project["ProjectArn"].split("/")[1] for project in described]


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


NEEDS = {
    (Operation.CREATE_DATASET, Operation.DELETE_DATASET),
    (Operation.REVERT_DATASET_DISTRIBUTION, Operation.DISTRIBUTE_DATASET_ENTRIES),
}
"""Which operation succeeds only after which other."""


def test_the_requests_above_are_of_every_operation() -> None:
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
