"""Callers as API Gateway names them, a request of each operation, and what a test asks of the answers."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import boto3

from tests.contract.conformance import assert_error_conforms
from tests.handlers.in_process import Api
from tests.job import line, two_labels
from twofold.access import Access, Guard
from twofold.settings import Operation

ACCOUNT = "123456789012"
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:role/admins/keeper"
ACCESS = Access(Guard.OWNER, (ADMINISTRATOR,))
NAMES_NOTHING = (Operation.CREATE_PROJECT, Operation.DESCRIBE_PROJECTS)
"""The only operations whose requests name no resource."""


def role(name: str, session: str = "s") -> tuple[str, str]:
    return f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}", f"AROA{name.upper()}:{session}"


def user(name: str) -> tuple[str, str]:
    return f"arn:aws:iam::{ACCOUNT}:user/{name}", f"AIDA{name.upper()}"


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
