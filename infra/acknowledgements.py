"""Acknowledge findings of cdk-nag, each with a reason."""

from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import Construct


def acknowledge(construct: Construct, reason: str, *rules: str) -> None:
    """Accept the findings of `rules` on `construct` and everything below it."""
    Validations.of(construct).acknowledge(*(Acknowledgment(id=r, reason=reason) for r in rules))


def acknowledge_wildcards(construct: Construct, reason: str, *resources: str) -> None:
    """Acknowledge the resources with a `*` in the policy of a role."""
    rendered = [_render_resource(Stack.of(construct).resolve(resource)) for resource in resources]
    rules = [f"AwsSolutions-IAM5[Resource::{text}]" for text in rendered if "*" in text]
    acknowledge(construct, reason, *rules)


def _render_resource(value: Any) -> str:
    """Return a resource of a policy in the notation of cdk-nag's finding ids; raises ValueError for any other value."""
    match value:
        case str():
            # cdk-nag writes policy variables like CloudFormation references.
            return value.replace("${", "<").replace("}", ">")
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(_render_resource(part) for part in parts)
    raise ValueError(f"{value!r} is not part of an ARN.")
