"""DescribeProjectVersions, ListProjectPolicies: the lists of trained models and of sharing policies, always empty.

Twofold trains no models. Programs for inventory or deletion of projects call both operations.
"""

from typing import Any

from twofold.api import tokens
from twofold.api.context import RequestContext
from twofold.api.requests import DescribeProjectVersionsRequest, ListProjectPoliciesRequest


def describe_project_versions(
    context: RequestContext, request: DescribeProjectVersionsRequest
) -> dict[str, Any]:
    """Return an empty list."""
    _check_project(context, request)
    return {"ProjectVersionDescriptions": []}


def list_project_policies(
    context: RequestContext, request: ListProjectPoliciesRequest
) -> dict[str, Any]:
    """Return an empty list."""
    _check_project(context, request)
    return {"ProjectPolicies": []}


def _check_project(
    context: RequestContext, request: DescribeProjectVersionsRequest | ListProjectPoliciesRequest
) -> None:
    """Raise unless the project exists and the request has no token, since an empty list has no second page.

    Raises AccessDeniedException, ResourceNotFoundException, InvalidPaginationTokenException.
    """
    context.get_project(request.project_arn)
    if request.next_token:
        raise tokens.make_invalid_token_error()
