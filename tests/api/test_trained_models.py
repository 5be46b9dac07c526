"""A project has no trained models and no sharing policies."""

from typing import Any

import pytest

from tests.api.api_calls import MISSING_PROJECT, expect_error
from tests.api.conformance import assert_response_conforms
from tests.support.job import Job

LISTS = {
    "DescribeProjectVersions": ("describe_project_versions", "ProjectVersionDescriptions"),
    "ListProjectPolicies": ("list_project_policies", "ProjectPolicies"),
}


@pytest.mark.parametrize("operation", LISTS)
def test_the_list_of_a_project_is_empty(job: Job, operation: str) -> None:
    method, member = LISTS[operation]
    response = getattr(job.client, method)(ProjectArn=job.project, MaxResults=5)
    assert_response_conforms(operation, response)
    assert response[member] == []
    pages = list(job.client.get_paginator(method).paginate(ProjectArn=job.project))
    assert [page[member] for page in pages] == [[]]


def test_named_versions_do_not_exist(job: Job) -> None:
    names = ["model.2020-01-21T09.10.15"]
    response = job.client.describe_project_versions(ProjectArn=job.project, VersionNames=names)
    assert response["ProjectVersionDescriptions"] == []


@pytest.mark.parametrize("operation", LISTS)
@pytest.mark.parametrize(
    ("request_members", "code"),
    [
        ({"ProjectArn": MISSING_PROJECT}, "ResourceNotFoundException"),
        ({"NextToken": "any"}, "InvalidPaginationTokenException"),
        ({"MaxResults": 101}, "ValidationException"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_invalid_requests_are_rejected(
    job: Job, operation: str, request_members: dict[str, Any], code: str
) -> None:
    method, _ = LISTS[operation]
    members = {"ProjectArn": job.project} | request_members
    called, _ = expect_error(operation, lambda: getattr(job.client, method)(**members))
    assert called == code
