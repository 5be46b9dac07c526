"""What the synthesized roles of the stack `local` allow, in the local stack's own ARNs, and how calls compare with it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from local.clients import REGION
from local.functions import ACCOUNT
from local.stack import BUCKET, STAGE, TABLE
from tests.infra.synthesized import Statement, Synthesized, spelt
from tests.privileges.calls import Call
from twofold.settings import Function, Prefix, function_name, state_machine_name

_CONTEXT = {
    "aws:ResourceAccount": "<AWS::AccountId>",
    "kms:ViaService": "s3.<AWS::Region>.<AWS::URLSuffix>",
}
"""What a condition may ask for, and what it finds: every bucket is in the one account, and only S3 asks for keys."""

_COMPARED_ELSEWHERE = (
    # By a test of its own: what is listed is no part of a recorded call.
    ("StringLike", {"s3:prefix"}),
    # By Grant.covers.
    ("ForAllValues:StringLike", {"dynamodb:LeadingKeys"}),
)

_REFERENCE = re.compile(r"<([^<>]+)>")

UNSEEN: Mapping[tuple[str, str, str], str] = {
    ("*", "logs:*", "*"): "Lambda and Step Functions write their logs themselves.",
    ("*", "xray:*", "*"): "Lambda and Step Functions send their traces themselves.",
    (
        "*",
        "kms:*",
        "*",
    ): "S3 asks KMS in the function's name where a manifest is encrypted with a key.",
    (
        function_name(STAGE, Function.API),
        "s3:GetObject",
        f"arn:aws:s3:::{BUCKET}/{Prefix.REPORTS}/*",
    ): "It signs links to reports and reads none itself; who opens a link reads in its name.",
    (
        function_name(STAGE, Function.SETTLE),
        "sqs:SendMessage",
        "*",
    ): "Lambda sends the event that Settle has failed on, in the function's name.",
    (
        "machine",
        "states:*",
        "*",
    ): "Step Functions itself runs the children of a Distributed Map under these; "
    "AWS documents them, and no emulator asks for them.",
}
"""Grants that no call is seen for: (function, or machine for every state machine; action; resource), and why they are there."""


REFUSED: Mapping[tuple[str, str, str], str] = {
    (
        "*",
        "s3:ListBucket",
        "*",
    ): "botocore asks where a bucket is when a HEAD fails; S3's refusal tells it just as well.",
}
"""Calls that are made and may be refused, and why."""


@dataclass(frozen=True)
class Grant:
    """`partitions` are the patterns that all leading keys must match; none of them leave the whole table open."""

    caller: str
    action: str
    resource: str
    condition: bool
    partitions: tuple[str, ...] = ()

    def covers(self, call: Call) -> bool:
        return (
            self.condition
            and self.caller == call.caller
            and fnmatchcase(call.action, self.action)
            and fnmatchcase(call.resource, self.resource)
            and (not self.partitions or all(map(self._holds, call.partitions)))
        )

    def touched(self, call: Call) -> bool:
        """Does the call reach one of the partitions, where they are limited?"""
        return not self.partitions or any(map(self._holds, call.partitions))

    def _holds(self, partition: str) -> bool:
        return any(fnmatchcase(partition, pattern) for pattern in self.partitions)

    def parts(self) -> Iterator["Grant"]:
        """One for each of its partitions."""
        if not self.partitions:
            yield self
        for pattern in self.partitions:
            yield replace(self, partitions=(pattern,))

    def unseen(self, machines: Iterable[str]) -> bool:
        """Is it one of those that no call is seen for?"""
        kinds = {self.caller, "*"} | ({"machine"} if self.caller in machines else set())
        return _listed(UNSEEN, kinds, self.action, self.resource)


def _listed(
    exceptions: Iterable[tuple[str, str, str]], kinds: set[str], action: str, resource: str
) -> bool:
    return any(
        who in kinds and fnmatchcase(action, what) and fnmatchcase(resource, where)
        for who, what, where in exceptions
    )


def granted(template: Synthesized) -> list[Grant]:
    """Every action and resource of every role, each by itself."""
    names = _names(template)
    roles = {
        **{function_name(STAGE, f): p["Role"] for f, p in template.functions.items()},
        **{state_machine_name(STAGE, w): p["RoleArn"] for w, p in template.machines.items()},
    }
    return [
        Grant(
            caller,
            action,
            _REFERENCE.sub(lambda found: names[found[1]], resource),
            _met(statement),
            statement.partitions,
        )
        for caller, role in roles.items()
        for statement in template.allowed(role)
        for action in statement.actions
        for resource in statement.resources
    ]


def _names(template: Synthesized) -> dict[str, str]:
    """What the references in a policy stand for."""
    names = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT}
    for name in template.of_type("AWS::DynamoDB::Table"):
        names[f"{name}.Arn"] = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}"
    for name in template.of_type("AWS::S3::Bucket"):
        names[f"{name}.Arn"] = f"arn:aws:s3:::{BUCKET}"
    for name, properties in template.properties("AWS::Lambda::Function").items():
        of_function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{properties.get('FunctionName')}"
        names[f"{name}.Arn"] = of_function
    for name in template.of_type("AWS::SQS::Queue"):
        names[f"{name}.Arn"] = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    for name, properties in template.properties("AWS::Logs::LogGroup").items():
        group = spelt(properties.get("LogGroupName", name))
        names[f"{name}.Arn"] = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:*"
    return names


def _met(statement: Statement) -> bool:
    """Evaluates `StringEquals`; another operator, or a key that is not known, must be taught first."""
    for operator, wanted in statement.condition.items():
        if (operator, set(wanted)) in _COMPARED_ELSEWHERE:
            continue
        assert operator == "StringEquals", statement
        for key, value in wanted.items():
            if _CONTEXT[key] != spelt(value):
                return False
    return True


def not_granted(calls: Iterable[Call], grants: list[Grant]) -> list[Call]:
    return sorted(
        call
        for call in calls
        if not any(grant.covers(call) for grant in grants)
        and not _listed(REFUSED, {call.caller, "*"}, call.action, call.resource)
    )


def not_used(
    calls: Iterable[Call], grants: list[Grant], machines: Iterable[str], sources: Iterable[str]
) -> list[Grant]:
    """Named source buckets are one: each action of a function is used on one of them at least. Each partition is by itself."""
    buckets = {f"arn:aws:s3:::{name}/*" for name in (*sources, f"{BUCKET}/{Prefix.SOURCES}")}
    seen = list(calls)

    def kind(grant: Grant) -> tuple[str, ...]:
        place = "" if grant.resource in buckets else grant.resource
        return grant.caller, grant.action, place, *grant.partitions

    used: set[tuple[str, ...]] = set()
    for grant in grants:
        covered = [call for call in seen if grant.covers(call)]
        used |= {kind(part) for part in grant.parts() if any(map(part.touched, covered))}
    parts = [part for grant in grants for part in grant.parts()]
    return [part for part in parts if not part.unseen(machines) and kind(part) not in used]
