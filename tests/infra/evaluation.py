"""Policies, evaluated as IAM does: who may do what, rather than which words a policy has.

A template is resolved for one account and region first, so that names, ARNs and conditions can be compared with those of a
request. Only what the template's policies use is known; another operator or function of CloudFormation is an error.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from tests.infra.synthesized import Synthesized

ACCOUNT = "123456789012"
REGION = "eu-west-1"
_PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::URLSuffix": "amazonaws.com",
}
_ARNS = {
    "AWS::SNS::Topic": "sns:{region}:{account}:{id}",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{id}",
    "AWS::S3::Bucket": "s3:::{id}",
    "AWS::Events::Rule": "events:{region}:{account}:rule/{id}",
    "AWS::IAM::Role": "iam::{account}:role/{id}",
}
_REFERRED_BY_ARN = ("AWS::SNS::Topic",)


@dataclass(frozen=True, slots=True)
class Resolved:
    """A template's values as they are once it is deployed; a resource's physical id is its logical one."""

    template: Synthesized
    partition: str = "aws"
    region: str = REGION

    def value(self, raw: Any) -> Any:
        match raw:
            case {"Ref": name}:
                return self._referred(name)
            case {"Fn::GetAtt": [name, "Arn"]}:
                return self.arn(name)
            case {"Fn::GetAtt": [name, _]}:
                return name
            case {"Fn::Join": [separator, parts]}:
                return str(separator).join(self.value(part) for part in parts)
            case dict():
                return {key: self.value(inner) for key, inner in raw.items()}
            case list():
                return [self.value(inner) for inner in raw]
        return raw

    def arn(self, name: str) -> str:
        kind = self.template.body["Resources"][name]["Type"]
        rest = _ARNS[kind].format(region=self.region, account=ACCOUNT, id=name)
        return f"arn:{self.partition}:{rest}"

    def _referred(self, name: str) -> str:
        if name in ("AWS::Partition", "AWS::Region"):
            return {"AWS::Partition": self.partition, "AWS::Region": self.region}[name]
        if name in _PSEUDO:
            return _PSEUDO[name]
        kind = self.template.body["Resources"][name]["Type"]
        return self.arn(name) if kind in _REFERRED_BY_ARN else name


@dataclass(frozen=True, slots=True)
class Request:
    """`principal` is a service such as `events.amazonaws.com`, or an ARN; `context` are the request's condition keys."""

    principal: str
    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def allows(document: Mapping[str, Any], request: Request) -> bool:
    """Whether a resolved policy lets a request in: some statement allows it, and none denies it."""
    effects = {one["Effect"] for one in document["Statement"] if _applies(one, request)}
    return effects == {"Allow"}


def denies(document: Mapping[str, Any], request: Request) -> bool:
    return any(one["Effect"] == "Deny" and _applies(one, request) for one in document["Statement"])


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    return (
        _names(statement.get("Principal", "*"), request.principal)
        and any(fnmatchcase(request.action, one) for one in _listed(statement["Action"]))
        and any(fnmatchcase(request.resource, one) for one in _listed(statement["Resource"]))
        and _holds(statement.get("Condition", {}), request.context)
    )


def _names(principals: Any, principal: str) -> bool:
    if principals == "*":
        return True
    named = [one for kind in principals.values() for one in _listed(kind)]
    return "*" in named or principal in named


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


def _holds(conditions: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    """Every key of every operator; a key that the request lacks holds for none of these operators."""
    return all(
        key in context and any(_OPERATORS[name](context[key], str(one)) for one in _listed(wanted))
        for name, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
