"""DescribeProjectVersions, ListProjectPolicies: lists of trained models and of the policies that share them, always empty.

Programs that take inventory of a project or delete it call both. Twofold trains no models.
"""

from typing import Any

from twofold.api import tokens
from twofold.api.contract import DescribeProjectVersionsRequest, ListProjectPoliciesRequest
from twofold.api.service import Service


def describe_project_versions(
    service: Service, request: DescribeProjectVersionsRequest
) -> dict[str, Any]:
    _check_project(service, request)
    return {"ProjectVersionDescriptions": []}


def list_project_policies(service: Service, request: ListProjectPoliciesRequest) -> dict[str, Any]:
    _check_project(service, request)
    return {"ProjectPolicies": []}


def _check_project(
    service: Service, request: DescribeProjectVersionsRequest | ListProjectPoliciesRequest
) -> None:
    """Raises AccessDeniedException, ResourceNotFoundException; InvalidPaginationTokenException for any token, since an
    empty list has no second page."""
    service.project(request.project_arn)
    if request.next_token:
        raise tokens.invalid()
