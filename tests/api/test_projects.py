from typing import Any
from uuid import uuid4

import pytest

from tests.api.api_calls import expect_error, list_pages
from tests.support.job import Job


def make_unique_name() -> str:
    return f"p-{uuid4().hex[:12]}"


def list_names(pages: list[list[Any]]) -> list[str]:
    return [project["ProjectArn"].split("/")[1] for page in pages for project in page]


def test_named_projects_are_listed_by_creation_time_in_pages(job: Job) -> None:
    created = [make_unique_name() for _ in range(3)]
    for name in created:
        job.client.create_project(ProjectName=name)
    requested = [created[2], "unknown", created[0], created[1], created[0]]
    pages = list_pages(
        job, "describe_projects", "ProjectDescriptions", ProjectNames=requested, MaxResults=2
    )
    assert [len(page) for page in pages] == [2, 1]
    assert list_names(pages) == created


@pytest.mark.parametrize("names", [True, False], ids=["other features", "no names"])
def test_a_token_with_other_names_or_features_is_rejected(job: Job, names: bool) -> None:
    created = [make_unique_name() for _ in range(2)]
    for name in created:
        job.client.create_project(ProjectName=name)
    token = job.client.describe_projects(ProjectNames=created, MaxResults=1)["NextToken"]
    other = {"ProjectNames": created, "Features": ["CONTENT_MODERATION"]} if names else {}
    code, _ = expect_error(
        "DescribeProjects", lambda: job.client.describe_projects(NextToken=token, **other)
    )
    assert code == "InvalidPaginationTokenException"


def test_projects_are_filtered_by_feature(job: Job) -> None:
    name = make_unique_name()
    client = job.client
    client.create_project(ProjectName=name, Feature="CONTENT_MODERATION", AutoUpdate="DISABLED")
    assert client.describe_projects(ProjectNames=[name])["ProjectDescriptions"] == []
    both = ["CUSTOM_LABELS", "CONTENT_MODERATION"]
    (pages,) = client.describe_projects(ProjectNames=[name], Features=both)["ProjectDescriptions"]
    assert (pages["Feature"], pages["AutoUpdate"]) == ("CONTENT_MODERATION", "DISABLED")
    assert pages["Datasets"] == []


@pytest.mark.parametrize(
    "members", [{"AutoUpdate": "ENABLED"}, {"Feature": "CONTENT_MODERATION"}], ids=str
)
def test_auto_update_is_only_for_content_moderation(job: Job, members: dict[str, str]) -> None:
    code, message = expect_error(
        "CreateProject",
        lambda: job.client.create_project(ProjectName=make_unique_name(), **members),
    )
    assert code == "InvalidParameterException"
    assert "AutoUpdate" in message


def test_a_project_name_is_unique(job: Job) -> None:
    name = job.project.split("/")[1]
    code, message = expect_error(
        "CreateProject", lambda: job.client.create_project(ProjectName=name)
    )
    assert code == "ResourceInUseException"
    assert name in message
