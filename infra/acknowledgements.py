"""Findings of the AwsSolutions rules that are as they should be, each with the sentence that says why."""

from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import Construct


def acknowledge(construct: Construct, reason: str, *rules: str) -> None:
    Validations.of(construct).acknowledge(*(Acknowledgment(id=r, reason=reason) for r in rules))


def wildcards(construct: Construct, reason: str, *resources: str) -> None:
    """Acknowledge that `construct`'s role names these resources, as far as they hold a `*`."""
    rendered = [_rendered(Stack.of(construct).resolve(resource)) for resource in resources]
    rules = [f"AwsSolutions-IAM5[Resource::{text}]" for text in rendered if "*" in text]
    acknowledge(construct, reason, *rules)


def _rendered(value: Any) -> str:
    """A resource of a policy, spelt as cdk-nag spells it in the names of its findings."""
    match value:
        case str():
            # A policy variable is a reference to it, like those of CloudFormation.
            return value.replace("${", "<").replace("}", ">")
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(_rendered(part) for part in parts)
    raise ValueError(f"{value!r} is not a part of an ARN.")
