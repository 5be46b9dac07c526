from typing import Any
from uuid import uuid4

import pytest

from tests.handlers.any_request import pages, refused
from tests.job import Job


def unique() -> str:
    return f"p-{uuid4().hex[:12]}"


def names(found: list[list[Any]]) -> list[str]:
    return [one["ProjectArn"].split("/")[1] for page in found for one in page]


def test_named_projects_come_by_age_a_page_at_a_time(job: Job) -> None:
    created = [unique() for _ in range(3)]
    for name in created:
        job.client.create_project(ProjectName=name)
    asked = [created[2], "unknown", created[0], created[1], created[0]]
    found = pages(job, "describe_projects", "ProjectDescriptions", ProjectNames=asked, MaxResults=2)
    assert [len(page) for page in found] == [2, 1]
    assert names(found) == created


@pytest.mark.parametrize("names", [True, False], ids=["other features", "no names"])
def test_a_token_continues_the_request_that_it_is_from_and_no_other(job: Job, names: bool) -> None:
    created = [unique() for _ in range(2)]
    for name in created:
        job.client.create_project(ProjectName=name)
    token = job.client.describe_projects(ProjectNames=created, MaxResults=1)["NextToken"]
    other = {"ProjectNames": created, "Features": ["CONTENT_MODERATION"]} if names else {}
    code, _ = refused(
        "DescribeProjects", lambda: job.client.describe_projects(NextToken=token, **other)
    )
    assert code == "InvalidPaginationTokenException"


def test_projects_of_a_feature_are_listed_when_asked_for(job: Job) -> None:
    name = unique()
    client = job.client
    client.create_project(ProjectName=name, Feature="CONTENT_MODERATION", AutoUpdate="DISABLED")
    assert client.describe_projects(ProjectNames=[name])["ProjectDescriptions"] == []
    both = ["CUSTOM_LABELS", "CONTENT_MODERATION"]
    (found,) = client.describe_projects(ProjectNames=[name], Features=both)["ProjectDescriptions"]
    assert (found["Feature"], found["AutoUpdate"]) == ("CONTENT_MODERATION", "DISABLED")
    assert found["Datasets"] == []


@pytest.mark.parametrize(
    "members", [{"AutoUpdate": "ENABLED"}, {"Feature": "CONTENT_MODERATION"}], ids=str
)
def test_auto_update_goes_with_content_moderation_only(job: Job, members: dict[str, str]) -> None:
    code, message = refused(
        "CreateProject", lambda: job.client.create_project(ProjectName=unique(), **members)
    )
    assert code == "InvalidParameterException"
    assert "AutoUpdate" in message


def test_a_name_is_taken_once(job: Job) -> None:
    name = job.project.split("/")[1]
    code, message = refused("CreateProject", lambda: job.client.create_project(ProjectName=name))
    assert code == "ResourceInUseException"
    assert name in message
