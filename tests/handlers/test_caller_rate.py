"""`caller_rate`: calls a second for each caller, counted before anything else is done."""

from collections.abc import Iterator

import boto3
import pytest

from tests.handlers.any_request import NO_DATASET
from tests.handlers.in_process import Api, serving
from tests.handlers.principals import code, items, role, user
from twofold.access import Access

NOW = 1_700_000_000_999


@pytest.fixture
def api(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setattr("twofold.clock.now", lambda: NOW)
    with serving(access=Access(caller_rate=3)) as api:
        yield api


def test_a_caller_has_so_many_calls_a_second_of_all_operations_together(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = api.called_by(*role("alice"))
    project = alice.done("CreateProject", ProjectName="p")["ProjectArn"]
    alice.done("ListTagsForResource", ResourceArn=project)
    missing = alice.call("DescribeDataset", DatasetArn=NO_DATASET)
    assert code("DescribeDataset", missing) == "ResourceNotFoundException"
    status, body = alice.call("DescribeProjects")
    assert code("DescribeProjects", (status, body)) == "ProvisionedThroughputExceededException"
    assert body["Message"] == (
        "Provisioned Rate exceeded: 3 calls a second are allowed for each caller."
    )
    monkeypatch.setattr("twofold.clock.now", lambda: NOW + 1)
    alice.done("DescribeProjects")


def test_callers_do_not_take_calls_from_each_other(api: Api) -> None:
    alice, bob = api.called_by(*role("alice")), api.called_by(*user("alice"))
    for _ in range(3):
        alice.done("DescribeProjects")
    assert alice.call("DescribeProjects")[0] == 400
    bob.done("DescribeProjects")


def test_the_sessions_of_a_role_are_one_caller(api: Api) -> None:
    """Or who may assume a role would have as many calls as names for sessions."""
    for number in range(3):
        api.called_by(*role("alice", f"s{number}")).done("DescribeProjects")
    last = api.called_by(*role("alice", "last"))
    error = code("DescribeProjects", last.call("DescribeProjects"))
    assert error == "ProvisionedThroughputExceededException"


def test_a_refused_call_changes_nothing_but_the_count(api: Api) -> None:
    alice = api.called_by(*role("alice"))
    for _ in range(3):
        alice.done("DescribeProjects")
    before = items(api)
    assert alice.call("CreateProject", ProjectName="p")[0] == 400
    (counter,) = [item for item in items(api) if item not in before]
    assert counter["sk"] == {"S": f"caller#AROAALICE#{NOW // 1000}"}
    assert counter["Count"] == {"N": "4"}
    assert int(counter["expires"]["N"]) > NOW // 1000


def test_without_the_option_nothing_is_counted(aws: None) -> None:
    with serving() as api:
        api.called_by(*role("alice")).done("DescribeProjects")
        assert boto3.client("dynamodb").scan(TableName=api.name)["Items"] == []
