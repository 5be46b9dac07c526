"""A project has no trained models and no policies that share them."""

from typing import Any

import pytest

from tests.contract.conformance import assert_response_conforms
from tests.handlers.any_request import NOWHERE, refused
from tests.job import Job

LISTS = {
    "DescribeProjectVersions": ("describe_project_versions", "ProjectVersionDescriptions"),
    "ListProjectPolicies": ("list_project_policies", "ProjectPolicies"),
}


@pytest.mark.parametrize("operation", LISTS)
def test_the_list_of_a_project_is_empty(job: Job, operation: str) -> None:
    method, member = LISTS[operation]
    answer = getattr(job.client, method)(ProjectArn=job.project, MaxResults=5)
    assert_response_conforms(operation, answer)
    assert answer[member] == []
    pages = list(job.client.get_paginator(method).paginate(ProjectArn=job.project))
    assert [page[member] for page in pages] == [[]]


def test_versions_asked_for_by_name_are_not_there(job: Job) -> None:
    names = ["model.2020-01-21T09.10.15"]
    answer = job.client.describe_project_versions(ProjectArn=job.project, VersionNames=names)
    assert answer["ProjectVersionDescriptions"] == []


@pytest.mark.parametrize("operation", LISTS)
@pytest.mark.parametrize(
    ("request_members", "code"),
    [
        ({"ProjectArn": NOWHERE}, "ResourceNotFoundException"),
        ({"NextToken": "any"}, "InvalidPaginationTokenException"),
        ({"MaxResults": 101}, "ValidationException"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_request_that_cannot_be_right_is_refused(
    job: Job, operation: str, request_members: dict[str, Any], code: str
) -> None:
    method, _ = LISTS[operation]
    members = {"ProjectArn": job.project} | request_members
    called, _ = refused(operation, lambda: getattr(job.client, method)(**members))
    assert called == code
