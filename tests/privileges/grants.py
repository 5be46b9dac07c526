"""Grants of the synthesized roles of the stage `local`, in ARNs of the local emulator, and their comparison with calls."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from local.emulator.clients import REGION
from local.emulator.functions import ACCOUNT
from local.emulator.server import BUCKET, STAGE, TABLE
from tests.infra.synthesized_template import Statement, SynthesizedTemplate, render_value
from tests.privileges.calls import Call
from twofold.settings import Function, Prefix, make_function_name, make_state_machine_name

_CONTEXT = {
    "aws:ResourceAccount": "<AWS::AccountId>",
    "kms:ViaService": "s3.<AWS::Region>.<AWS::URLSuffix>",
}
"""Condition keys and their values: all buckets belong to the same account, and only S3 uses KMS keys."""

_COMPARED_ELSEWHERE = (
    # Checked by a separate test: recorded calls do not contain the prefix.
    ("StringLike", {"s3:prefix"}),
    # Checked by Grant.is_covering.
    ("ForAllValues:StringLike", {"dynamodb:LeadingKeys"}),
)

_REFERENCE = re.compile(r"<([^<>]+)>")

UNOBSERVABLE_GRANTS: Mapping[tuple[str, str, str], str] = {
    ("*", "logs:*", "*"): "Lambda and Step Functions write their logs themselves.",
    ("*", "xray:*", "*"): "Lambda and Step Functions send their traces themselves.",
    (
        "*",
        "kms:*",
        "*",
    ): "S3 calls KMS with the function's permissions for an encrypted manifest.",
    (
        make_function_name(STAGE, Function.API),
        "s3:GetObject",
        f"arn:aws:s3:::{BUCKET}/{Prefix.REPORTS}/*",
    ): "The API presigns URLs of reports; requests with such a URL use the API's permissions.",
    (
        make_function_name(STAGE, Function.SETTLE),
        "sqs:SendMessage",
        "*",
    ): "Lambda sends failed events of Settle with the function's permissions.",
    (
        "machine",
        "states:*",
        "*",
    ): "Step Functions uses these permissions for child executions of a Distributed Map, as AWS documents; "
    "emulators do not check them.",
}
"""Reasons of grants without recorded calls, by (function, or "machine" for every state machine; action; resource)."""


OPTIONAL_CALLS: Mapping[tuple[str, str, str], str] = {
    (
        "*",
        "s3:ListBucket",
        "*",
    ): "botocore looks up the region of a bucket after a failed HEAD; S3's refusal also contains the region.",
}
"""Reasons of calls that may be refused."""


@dataclass(frozen=True)
class Grant:
    """An allowed action of a caller; `partitions` are patterns of leading keys, empty for the whole table."""

    caller: str
    action: str
    resource: str
    condition: bool
    partitions: tuple[str, ...] = ()

    def is_covering(self, call: Call) -> bool:
        return (
            self.condition
            and self.caller == call.caller
            and fnmatchcase(call.action, self.action)
            and fnmatchcase(call.resource, self.resource)
            and (not self.partitions or all(map(self._is_allowed_partition, call.partitions)))
        )

    def is_reached_by(self, call: Call) -> bool:
        """Return whether the call uses one of the partitions."""
        return not self.partitions or any(map(self._is_allowed_partition, call.partitions))

    def _is_allowed_partition(self, partition: str) -> bool:
        return any(fnmatchcase(partition, pattern) for pattern in self.partitions)

    def split_by_partition(self) -> Iterator["Grant"]:
        """Yield a grant for each partition."""
        if not self.partitions:
            yield self
        for pattern in self.partitions:
            yield replace(self, partitions=(pattern,))

    def is_unobservable(self, machines: Iterable[str]) -> bool:
        """Return whether the grant is in UNOBSERVABLE_GRANTS."""
        callers = {self.caller, "*"} | ({"machine"} if self.caller in machines else set())
        return _is_listed(UNOBSERVABLE_GRANTS, callers, self.action, self.resource)


def _is_listed(
    exceptions: Iterable[tuple[str, str, str]], callers: set[str], action: str, resource: str
) -> bool:
    return any(
        caller in callers
        and fnmatchcase(action, action_pattern)
        and fnmatchcase(resource, resource_pattern)
        for caller, action_pattern, resource_pattern in exceptions
    )


def list_grants(template: SynthesizedTemplate) -> list[Grant]:
    """Return a grant for each action and resource of each statement of each role."""
    references = _build_references(template)
    roles = {
        **{make_function_name(STAGE, f): p["Role"] for f, p in template.functions.items()},
        **{
            make_state_machine_name(STAGE, w): p["RoleArn"]
            for w, p in template.state_machines.items()
        },
    }
    return [
        Grant(
            caller,
            action,
            _REFERENCE.sub(lambda match: references[match[1]], resource),
            _evaluate_condition(statement),
            statement.partitions,
        )
        for caller, role in roles.items()
        for statement in template.list_statements(role)
        for action in statement.actions
        for resource in statement.resources
    ]


def _build_references(template: SynthesizedTemplate) -> dict[str, str]:
    """Return the values of references in policies."""
    names = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT}
    for name in template.select_resources("AWS::DynamoDB::Table"):
        names[f"{name}.Arn"] = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}"
    for name in template.select_resources("AWS::S3::Bucket"):
        names[f"{name}.Arn"] = f"arn:aws:s3:::{BUCKET}"
    for name, properties in template.select_properties("AWS::Lambda::Function").items():
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{properties.get('FunctionName')}"
        names[f"{name}.Arn"] = arn
    for name in template.select_resources("AWS::SQS::Queue"):
        names[f"{name}.Arn"] = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    for name, properties in template.select_properties("AWS::Logs::LogGroup").items():
        group = render_value(properties.get("LogGroupName", name))
        names[f"{name}.Arn"] = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:*"
    return names


def _evaluate_condition(statement: Statement) -> bool:
    """Return whether a condition is met; fails for operators other than `StringEquals` and for unknown keys."""
    for operator, values in statement.condition.items():
        if (operator, set(values)) in _COMPARED_ELSEWHERE:
            continue
        assert operator == "StringEquals", statement
        for key, value in values.items():
            if _CONTEXT[key] != render_value(value):
                return False
    return True


def find_missing_grants(calls: Iterable[Call], grants: list[Grant]) -> list[Call]:
    return sorted(
        call
        for call in calls
        if not any(grant.is_covering(call) for grant in grants)
        and not _is_listed(OPTIONAL_CALLS, {call.caller, "*"}, call.action, call.resource)
    )


def find_unused_grants(
    calls: Iterable[Call], grants: list[Grant], machines: Iterable[str], sources: Iterable[str]
) -> list[Grant]:
    """Return the grants without a call, partition by partition.

    All source buckets count as a single resource, so a call to any of them suffices.
    """
    buckets = {f"arn:aws:s3:::{name}/*" for name in (*sources, f"{BUCKET}/{Prefix.SOURCES}")}
    all_calls = list(calls)

    def make_key(grant: Grant) -> tuple[str, ...]:
        resource = "" if grant.resource in buckets else grant.resource
        return grant.caller, grant.action, resource, *grant.partitions

    used: set[tuple[str, ...]] = set()
    for grant in grants:
        covered = [call for call in all_calls if grant.is_covering(call)]
        used |= {
            make_key(part)
            for part in grant.split_by_partition()
            if any(map(part.is_reached_by, covered))
        }
    parts = [part for grant in grants for part in grant.split_by_partition()]
    return [
        part for part in parts if not part.is_unobservable(machines) and make_key(part) not in used
    ]
