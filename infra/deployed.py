"""The stack as CloudFormation and its resources describe it now."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

BUCKET = "AWS::S3::Bucket"
TABLE = "AWS::DynamoDB::Table"
_DELETED = "DELETE_COMPLETE"
_EMPTY = "REVIEW_IN_PROGRESS"
"""A change set was made for a new stack and never executed."""


@dataclass(frozen=True, slots=True)
class DeployedResource:
    """`reason` is CloudFormation's for the status, mostly of a failure; empty without one."""

    kind: str
    id: str
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeployedStack:
    """`resources` are those that exist, retained ones of a stack that is half deleted included."""

    name: str
    status: str
    protected: bool
    resources: tuple[DeployedResource, ...]

    @property
    def bucket(self) -> str | None:
        return self._first(BUCKET)

    @property
    def table(self) -> str | None:
        return self._first(TABLE)

    def _first(self, kind: str) -> str | None:
        return next((resource.id for resource in self.resources if resource.kind == kind), None)


def find_stack(name: str) -> DeployedStack | None:
    """The stack of that name in the shell's account and region; None if there is none."""
    try:
        (stack,) = make_client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        resources = tuple(_list_resources(name))
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return DeployedStack(
        name=name,
        status=stack["StackStatus"],
        protected=stack.get("EnableTerminationProtection", False),
        resources=resources,
    )


def read_template(stack: DeployedStack) -> Mapping[str, Any]:
    """The template that the stack was deployed with last; empty if there is none, or none of the CDK's, which are JSON."""
    if stack.status == _EMPTY:
        return {}
    body = make_client("cloudformation").get_template(StackName=stack.name)["TemplateBody"]
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except json.JSONDecodeError:
            return {}
    return body if isinstance(body, Mapping) else {}


def read_kms_key(stack: DeployedStack) -> str:
    """ARN of the customer's key that the table, or else the bucket, is encrypted with; empty for keys that AWS owns."""
    if stack.table:
        table = make_client("dynamodb").describe_table(TableName=stack.table)["Table"]
        key: str = table.get("SSEDescription", {}).get("KMSMasterKeyArn", "")
        if key:
            return key
    return _read_bucket_key(stack.bucket) if stack.bucket else ""


def read_variable(function: str, variable: str) -> str | None:
    """A variable of a Lambda function's environment; None without it or without the function."""
    try:
        found = make_client("lambda").get_function_configuration(FunctionName=function)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise
    value: str | None = found.get("Environment", {}).get("Variables", {}).get(variable)
    return value


def make_client(service: str) -> Any:
    make: Any = boto3.client
    return make(service)


def _list_resources(name: str) -> Iterator[DeployedResource]:
    """CloudFormation answers with 100 at a time."""
    pages = make_client("cloudformation").get_paginator("list_stack_resources")
    for page in pages.paginate(StackName=name):
        for summary in page["StackResourceSummaries"]:
            id, status = summary.get("PhysicalResourceId"), summary["ResourceStatus"]
            if id and status != _DELETED:
                reason = summary.get("ResourceStatusReason", "")
                yield DeployedResource(summary["ResourceType"], id, status, reason)


def _read_bucket_key(bucket: str) -> str:
    try:
        answer = make_client("s3").get_bucket_encryption(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ServerSideEncryptionConfigurationNotFoundError":
            return ""
        raise
    for rule in answer["ServerSideEncryptionConfiguration"]["Rules"]:
        key: str = rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID", "")
        if key:
            return key
    return ""
