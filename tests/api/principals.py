"""Identities of callers in API Gateway's form, a request of each operation, and helpers for responses."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import boto3

from tests.api.conformance import assert_error_conforms
from tests.support.in_process_api import InProcessApi
from tests.support.job import make_line, make_two_label_lines
from twofold.access import Access, Guard
from twofold.settings import ApiOperation

ACCOUNT = "123456789012"
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:role/admins/keeper"
ACCESS = Access(Guard.OWNER, (ADMINISTRATOR,))
WITHOUT_RESOURCES = (ApiOperation.CREATE_PROJECT, ApiOperation.DESCRIBE_PROJECTS)
"""The only operations whose requests name no resource."""


def make_role_identity(name: str, session: str = "s") -> tuple[str, str]:
    return f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}", f"AROA{name.upper()}:{session}"


def make_user_identity(name: str) -> tuple[str, str]:
    return f"arn:aws:iam::{ACCOUNT}:user/{name}", f"AIDA{name.upper()}"


def create_filled_project(owner: InProcessApi, name: str = "birds") -> tuple[str, str, str]:
    """Create a project with ten entries in the training dataset; return the ARNs (project, train, test)."""
    project: str = owner.call_successfully("CreateProject", ProjectName=name)["ProjectArn"]
    train = owner.call_successfully("CreateDataset", ProjectArn=project, DatasetType="TRAIN")[
        "DatasetArn"
    ]
    test = owner.call_successfully("CreateDataset", ProjectArn=project, DatasetType="TEST")[
        "DatasetArn"
    ]
    changes = base64.b64encode("\n".join(make_two_label_lines(10)).encode()).decode()
    owner.call_successfully(
        "UpdateDatasetEntries", DatasetArn=train, Changes={"GroundTruth": changes}
    )
    return project, train, test


def build_requests(project: str, train: str, test: str) -> Mapping[ApiOperation, dict[str, Any]]:
    """Return a request of each operation with a resource, in an order of execution without errors."""
    changes = {"GroundTruth": base64.b64encode(make_line("more", "cat").encode()).decode()}
    return {
        ApiOperation.TAG_RESOURCE: {
            "ResourceArn": project,
            "Tags": {"twofold:test-fraction": "1/2"},
        },
        ApiOperation.UNTAG_RESOURCE: {"ResourceArn": train, "TagKeys": ["a"]},
        ApiOperation.LIST_TAGS_FOR_RESOURCE: {"ResourceArn": train},
        ApiOperation.DESCRIBE_DATASET: {"DatasetArn": train},
        ApiOperation.LIST_DATASET_ENTRIES: {"DatasetArn": train},
        ApiOperation.LIST_DATASET_LABELS: {"DatasetArn": train},
        ApiOperation.UPDATE_DATASET_ENTRIES: {"DatasetArn": train, "Changes": changes},
        ApiOperation.DESCRIBE_PROJECT_VERSIONS: {"ProjectArn": project},
        ApiOperation.LIST_PROJECT_POLICIES: {"ProjectArn": project},
        ApiOperation.DISTRIBUTE_DATASET_ENTRIES: {"Datasets": [{"Arn": train}, {"Arn": test}]},
        ApiOperation.LIST_DATASET_DISTRIBUTIONS: {"ProjectArn": project},
        ApiOperation.REVERT_DATASET_DISTRIBUTION: {"ProjectArn": project},
        ApiOperation.DELETE_DATASET: {"DatasetArn": test},
        ApiOperation.CREATE_DATASET: {"ProjectArn": project, "DatasetType": "TEST"},
        ApiOperation.DELETE_PROJECT: {"ProjectArn": project},
    }


def get_error_code(operation: str, response: tuple[int, dict[str, Any]]) -> str:
    """Return the error code, after a check against the model; empty for a success."""
    status, body = response
    if status == 200:
        return ""
    assert_error_conforms(operation, body["__type"])
    return str(body["__type"])


def list_items(api: InProcessApi) -> list[Any]:
    response = boto3.client("dynamodb").scan(TableName=api.name)
    return sorted(response["Items"], key=lambda item: json.dumps(item, sort_keys=True))


def list_project_names(api: InProcessApi, **members: Any) -> list[str]:
    described = api.call_successfully("DescribeProjects", **members)["ProjectDescriptions"]
    return [project["ProjectArn"].split("/")[1] for project in described]
