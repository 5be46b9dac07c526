"""The stack as CloudFormation and the resources themselves describe it now."""

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

BUCKET = "AWS::S3::Bucket"
TABLE = "AWS::DynamoDB::Table"
DELETED = "DELETE_COMPLETE"
_CREATED = "CREATE_IN_PROGRESS"


@dataclass(frozen=True, slots=True)
class DeployedStack:
    """
    name        of the stack
    status      CloudFormation's word for it
    resources   physical ids by type, of resources that are there
    """

    name: str
    status: str
    resources: dict[str, tuple[str, ...]]

    @property
    def bucket(self) -> str | None:
        return next(iter(self.resources.get(BUCKET, ())), None)

    @property
    def table(self) -> str | None:
        return next(iter(self.resources.get(TABLE, ())), None)

    def kms_key(self) -> str:
        """ARN of the customer's key that encrypts the table; empty for a key that AWS owns, and without a table."""
        if not self.table:
            return ""
        table = make_client("dynamodb").describe_table(TableName=self.table)["Table"]
        key: str = table.get("SSEDescription", {}).get("KMSMasterKeyArn", "")
        return key


def find_stack(name: str) -> DeployedStack | None:
    """The stack of that name in the shell's account and region; None if there is none."""
    cloudformation = make_client("cloudformation")
    try:
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
        resources = list_resources(name)
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return DeployedStack(name=name, status=stack["StackStatus"], resources=resources)


def list_resources(name: str) -> dict[str, tuple[str, ...]]:
    """Physical ids by type of all resources that the stack has; CloudFormation answers with 100 at a time."""
    pages = make_client("cloudformation").get_paginator("list_stack_resources")
    resources: dict[str, tuple[str, ...]] = {}
    for page in pages.paginate(StackName=name):
        for summary in page["StackResourceSummaries"]:
            physical = summary.get("PhysicalResourceId")
            if physical and summary["ResourceStatus"] != DELETED:
                kind = summary["ResourceType"]
                resources[kind] = (*resources.get(kind, ()), physical)
    return resources


def make_client(service: str) -> Any:
    make: Any = boto3.client
    return make(service)
