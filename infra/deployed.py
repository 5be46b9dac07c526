"""Read the deployed stack from CloudFormation and from the services of its resources."""

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
"""The stack has a change set that was never executed, and no template."""


@dataclass(frozen=True, slots=True)
class DeployedResource:
    """A resource in CloudFormation's list; `reason` explains a failed status and is empty otherwise."""

    resource_type: str
    id: str
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeployedStack:
    """A stack and its existing resources, including the retained resources of a partly deleted stack."""

    name: str
    status: str
    termination_protection: bool
    resources: tuple[DeployedResource, ...]

    @property
    def bucket(self) -> str | None:
        return self._find_first_id(BUCKET)

    @property
    def table(self) -> str | None:
        return self._find_first_id(TABLE)

    def _find_first_id(self, kind: str) -> str | None:
        return next(
            (resource.id for resource in self.resources if resource.resource_type == kind), None
        )


def find_stack(name: str) -> DeployedStack | None:
    """Return the stack of this name in the shell's account and region; None if no such stack exists."""
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
        termination_protection=stack.get("EnableTerminationProtection", False),
        resources=resources,
    )


def read_template(stack: DeployedStack) -> Mapping[str, Any]:
    """Return the deployed template; empty for a stack without a template or with a YAML template (CDK's are JSON)."""
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
    """Return the ARN of the customer managed key of the table, or of the bucket; empty for AWS owned keys."""
    if stack.table:
        table = make_client("dynamodb").describe_table(TableName=stack.table)["Table"]
        key: str = table.get("SSEDescription", {}).get("KMSMasterKeyArn", "")
        if key:
            return key
    return _read_bucket_key(stack.bucket) if stack.bucket else ""


def read_variable(function: str, variable: str) -> str | None:
    """Return a variable of a Lambda function's environment; None if the variable or the function does not exist."""
    try:
        configuration = make_client("lambda").get_function_configuration(FunctionName=function)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise
    value: str | None = configuration.get("Environment", {}).get("Variables", {}).get(variable)
    return value


def make_client(service: str) -> Any:
    make: Any = boto3.client
    return make(service)


def _list_resources(name: str) -> Iterator[DeployedResource]:
    """Yield the existing resources of a stack, over all pages."""
    pages = make_client("cloudformation").get_paginator("list_stack_resources")
    for page in pages.paginate(StackName=name):
        for summary in page["StackResourceSummaries"]:
            id, status = summary.get("PhysicalResourceId"), summary["ResourceStatus"]
            if id and status != _DELETED:
                reason = summary.get("ResourceStatusReason", "")
                yield DeployedResource(summary["ResourceType"], id, status, reason)


def _read_bucket_key(bucket: str) -> str:
    try:
        response = make_client("s3").get_bucket_encryption(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ServerSideEncryptionConfigurationNotFoundError":
            return ""
        raise
    for rule in response["ServerSideEncryptionConfiguration"]["Rules"]:
        key: str = rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID", "")
        if key:
            return key
    return ""
