"""Evaluate policies of a template like IAM.

References in the template are first resolved for an account and a region, so names, ARNs and conditions compare with values of
requests. Only operators and intrinsic functions in the template's policies are implemented; any other is an error.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from tests.infra.synthesized_template import SynthesizedTemplate

ACCOUNT = "123456789012"
REGION = "eu-west-1"
_PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::URLSuffix": "amazonaws.com",
}
_ARN_FORMATS = {
    "AWS::SNS::Topic": "sns:{region}:{account}:{id}",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{id}",
    "AWS::S3::Bucket": "s3:::{id}",
    "AWS::Events::Rule": "events:{region}:{account}:rule/{id}",
    "AWS::IAM::Role": "iam::{account}:role/{id}",
}
_REF_RETURNS_ARN = ("AWS::SNS::Topic",)


@dataclass(frozen=True, slots=True)
class DeployedTemplate:
    """A template with resolved references; the physical id of a resource equals the logical id."""

    template: SynthesizedTemplate
    partition: str = "aws"
    region: str = REGION

    def resolve(self, raw: Any) -> Any:
        match raw:
            case {"Ref": name}:
                return self._resolve_reference(name)
            case {"Fn::GetAtt": [name, "Arn"]}:
                return self.build_arn(name)
            case {"Fn::GetAtt": [name, _]}:
                return name
            case {"Fn::Join": [separator, parts]}:
                return str(separator).join(self.resolve(part) for part in parts)
            case dict():
                return {key: self.resolve(inner) for key, inner in raw.items()}
            case list():
                return [self.resolve(inner) for inner in raw]
        return raw

    def build_arn(self, name: str) -> str:
        resource_type = self.template.body["Resources"][name]["Type"]
        suffix = _ARN_FORMATS[resource_type].format(region=self.region, account=ACCOUNT, id=name)
        return f"arn:{self.partition}:{suffix}"

    def _resolve_reference(self, name: str) -> str:
        if name in ("AWS::Partition", "AWS::Region"):
            return {"AWS::Partition": self.partition, "AWS::Region": self.region}[name]
        if name in _PSEUDO:
            return _PSEUDO[name]
        resource_type = self.template.body["Resources"][name]["Type"]
        return self.build_arn(name) if resource_type in _REF_RETURNS_ARN else name


@dataclass(frozen=True, slots=True)
class Request:
    """`principal` is a service such as `events.amazonaws.com`, or an ARN; `context` are the request's condition keys."""

    principal: str
    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def is_allowed(document: Mapping[str, Any], request: Request) -> bool:
    """Return whether a resolved policy allows a request: a statement allows, and none denies the request."""
    effects = {
        statement["Effect"]
        for statement in document["Statement"]
        if _match_statement(statement, request)
    }
    return effects == {"Allow"}


def is_denied(document: Mapping[str, Any], request: Request) -> bool:
    """Return whether a statement of a resolved policy denies a request."""
    return any(
        statement["Effect"] == "Deny" and _match_statement(statement, request)
        for statement in document["Statement"]
    )


def _match_statement(statement: Mapping[str, Any], request: Request) -> bool:
    return (
        _match_principal(statement.get("Principal", "*"), request.principal)
        and any(fnmatchcase(request.action, pattern) for pattern in _to_list(statement["Action"]))
        and any(
            fnmatchcase(request.resource, pattern) for pattern in _to_list(statement["Resource"])
        )
        and _match_conditions(statement.get("Condition", {}), request.context)
    )


def _match_principal(principals: Any, principal: str) -> bool:
    if principals == "*":
        return True
    names = [name for values in principals.values() for name in _to_list(values)]
    return "*" in names or principal in names


def _is_like(value: str, pattern: str) -> bool:
    return fnmatchcase(value, pattern)


def _is_less(value: str, bound: str) -> bool:
    return float(value) < float(bound)


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "ArnEquals": _is_like,
    "ArnLike": _is_like,
    "Bool": operator.eq,
    "NumericLessThan": _is_less,
    "StringEquals": operator.eq,
    "StringLike": _is_like,
}


def _match_conditions(conditions: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    """Return whether all keys of all operators match; a key missing in the request never matches."""
    return all(
        key in context
        and any(_OPERATORS[name](context[key], str(value)) for value in _to_list(values))
        for name, keys in conditions.items()
        for key, values in keys.items()
    )


def _to_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
