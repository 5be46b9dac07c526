"""`caller_rate`: calls per second for each caller, counted before any other work."""

from collections.abc import Iterator

import boto3
import pytest

from tests.api.api_calls import MISSING_DATASET
from tests.api.principals import get_error_code, list_items, make_role_identity, make_user_identity
from tests.support.in_process_api import InProcessApi, serve_api
from twofold.access import Access

NOW = 1_700_000_000_999


@pytest.fixture
def api(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[InProcessApi]:
    monkeypatch.setattr("twofold.clock.now", lambda: NOW)
    with serve_api(access=Access(caller_rate=3)) as api:
        yield api


def test_the_caller_rate_covers_all_operations_together(
    api: InProcessApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = api.for_caller(*make_role_identity("alice"))
    project = alice.call_successfully("CreateProject", ProjectName="p")["ProjectArn"]
    alice.call_successfully("ListTagsForResource", ResourceArn=project)
    missing = alice.call("DescribeDataset", DatasetArn=MISSING_DATASET)
    assert get_error_code("DescribeDataset", missing) == "ResourceNotFoundException"
    status, body = alice.call("DescribeProjects")
    assert (
        get_error_code("DescribeProjects", (status, body))
        == "ProvisionedThroughputExceededException"
    )
    assert body["Message"] == (
        "Provisioned Rate exceeded: the limit is 3 calls per second for each caller."
    )
    monkeypatch.setattr("twofold.clock.now", lambda: NOW + 1)
    alice.call_successfully("DescribeProjects")


def test_each_caller_has_a_separate_rate(api: InProcessApi) -> None:
    alice, bob = (
        api.for_caller(*make_role_identity("alice")),
        api.for_caller(*make_user_identity("alice")),
    )
    for _ in range(3):
        alice.call_successfully("DescribeProjects")
    assert alice.call("DescribeProjects")[0] == 400
    bob.call_successfully("DescribeProjects")


def test_all_sessions_of_a_role_share_one_rate(api: InProcessApi) -> None:
    """Otherwise a caller could multiply the rate by session names."""
    for number in range(3):
        api.for_caller(*make_role_identity("alice", f"s{number}")).call_successfully(
            "DescribeProjects"
        )
    last = api.for_caller(*make_role_identity("alice", "last"))
    error = get_error_code("DescribeProjects", last.call("DescribeProjects"))
    assert error == "ProvisionedThroughputExceededException"


def test_a_throttled_call_changes_only_the_counter(api: InProcessApi) -> None:
    alice = api.for_caller(*make_role_identity("alice"))
    for _ in range(3):
        alice.call_successfully("DescribeProjects")
    before = list_items(api)
    assert alice.call("CreateProject", ProjectName="p")[0] == 400
    (counter,) = [item for item in list_items(api) if item not in before]
    assert counter["sk"] == {"S": f"caller#AROAALICE#{NOW // 1000}"}
    assert counter["Count"] == {"N": "4"}
    assert int(counter["expires"]["N"]) > NOW // 1000


def test_no_call_is_counted_without_the_option(aws: None) -> None:
    with serve_api() as api:
        api.for_caller(*make_role_identity("alice")).call_successfully("DescribeProjects")
        assert boto3.client("dynamodb").scan(TableName=api.name)["Items"] == []
