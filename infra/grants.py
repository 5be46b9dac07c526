"""Permissions of the functions and state machines, except for their log groups and traces.

Everything else is denied: a single role can delete objects, five roles can write to the table.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam

from infra.acknowledgements import acknowledge_wildcards
from infra.arns import ArnFormatter
from infra.functions import Functions
from infra.options import ANY_BUCKET, Options
from infra.partitions import get_partition_actions
from infra.rules import Rules
from infra.storage import Storage, build_via_service_condition
from infra.workflows import STEPS, Workflows
from twofold.settings import Function, Prefix, Workflow

_READ = ("s3:GetObject",)
_READ_ANY_VERSION = ("s3:GetObject", "s3:GetObjectVersion")
_WRITE = ("s3:PutObject",)
_DELETE = ("s3:DeleteObject",)

_SAME_ACCOUNT = {"StringEquals": {"aws:ResourceAccount": Aws.ACCOUNT_ID}}

# S3 and DynamoDB call KMS with the caller's permissions. A multipart upload also decrypts its own parts.
_DECRYPT = ("kms:Decrypt",)
_ENCRYPT = ("kms:Decrypt", "kms:GenerateDataKey")
_ENCRYPT_TABLE = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """Grants the permissions of all functions and state machines of a stack."""

    stack: Stack
    storage: Storage
    functions: Functions
    workflows: Workflows
    rules: Rules
    options: Options

    @property
    def _arns(self) -> ArnFormatter:
        return ArnFormatter(self.stack, self.options.stage)

    def grant_all(self) -> None:
        self._grant_api()
        self._grant_workers()
        self._grant_finishers()
        self._grant_collector()
        for workflow in Workflow:
            self._grant_state_machine(workflow)

    def _grant_api(self) -> None:
        self._grant_table(Function.API)
        self._grant_objects(Function.API, _READ, Prefix.CONTENTS, Prefix.REPORTS, Prefix.SCRATCH)
        self._grant_scratch_listing(Function.API)
        self._grant_objects(Function.API, _WRITE, Prefix.SCRATCH)
        self._grant_sources(Function.API)
        self._grant_start_execution(Function.API)

    def _grant_workers(self) -> None:
        """Grant object access to the functions of workflows before Publish; none of these functions reads the table."""
        for function in (Function.INDEX, Function.RESOLVE, Function.MOVE):
            self._grant_sources(function)
        for function in (Function.PLAN, Function.INDEX, Function.GROUP):
            self._grant_objects(function, _WRITE, Prefix.SCRATCH)
        for function in (Function.PLAN, Function.GROUP):
            self._grant_objects(function, _READ, Prefix.CONTENTS)
        self._grant_objects(Function.RESOLVE, _READ, Prefix.SCRATCH)
        self._grant_objects(Function.RESOLVE, _WRITE, Prefix.CONTENTS, Prefix.SCRATCH)
        self._grant_objects(Function.SELECT, _READ, Prefix.CONTENTS, Prefix.SCRATCH)
        self._grant_objects(Function.SELECT, _WRITE, Prefix.CONTENTS, Prefix.SCRATCH)
        self._grant_objects(Function.MERGE, _READ, Prefix.CONTENTS, Prefix.SCRATCH)
        self._grant_objects(Function.MERGE, _WRITE, Prefix.CONTENTS, Prefix.SCRATCH)
        self._grant_objects(Function.MOVE, (*_READ, *_WRITE), Prefix.CONTENTS, Prefix.SCRATCH)

    def _grant_finishers(self) -> None:
        """Grant table updates and events to Publish, Abandon and Settle, which end operations."""
        for function in (Function.PUBLISH, Function.ABANDON, Function.SETTLE):
            self._grant_table(function)
            self._allow(
                self.functions.roles[function],
                ("events:PutEvents",),
                [self._arns.format_event_bus()],
            )
        self._grant_sources(Function.PUBLISH)
        self._grant_objects(Function.PUBLISH, _READ, Prefix.CONTENTS, Prefix.SCRATCH)
        self._grant_objects(Function.PUBLISH, _WRITE, Prefix.CONTENTS, Prefix.REPORTS)
        self._grant_start_execution(Function.SETTLE)
        undelivered = self.rules.undelivered.queue_arn
        self._allow(self.functions.roles[Function.SETTLE], ("sqs:SendMessage",), [undelivered])
        self._allow(
            self.functions.roles[Function.SETTLE],
            ("states:DescribeExecution",),
            [self._arns.format_executions(workflow) for workflow in Workflow],
            reason="The name of an execution is the id of its operation, so the policy can name only the state machine.",
        )

    def _grant_collector(self) -> None:
        """Grant the deletion of contents to Collect, the only function that deletes objects."""
        self._grant_table(Function.COLLECT)
        self._grant_objects(Function.COLLECT, _DELETE, Prefix.CONTENTS)

    def _grant_state_machine(self, workflow: Workflow) -> None:
        """Grant functions, shard lists and the actions that AWS documents for child executions of a Distributed Map."""
        role = self.workflows.roles[workflow]
        children = "Child executions and map runs get their names at run time."
        steps = [f"{self.functions[step].function_arn}:*" for step in STEPS[workflow]]
        versions = "An execution invokes the function versions with which it began."
        self._allow(role, ("lambda:InvokeFunction",), steps, reason=versions)
        self._allow(
            role,
            _READ,
            [self._format_folder_arn(Prefix.SCRATCH)],
            reason="The key of a shard list contains the id of the operation.",
        )
        self._grant_own_key(role, _DECRYPT, "s3")
        self._allow(role, ("states:StartExecution",), [self._arns.format_state_machine(workflow)])
        self._allow(
            role,
            ("states:DescribeExecution", "states:StopExecution"),
            [self._arns.format_executions(workflow)],
            reason=children,
        )
        self._allow(
            role,
            ("states:RedriveExecution",),
            [self._arns.format_map_executions(workflow)],
            reason=children,
        )

    def _grant_table(self, function: Function) -> None:
        """Grant the table actions of a function on its partitions.

        dynamodb:LeadingKeys must match for every partition key of a request. Scan has no partition key, so no role may scan.
        """
        role = self.functions.roles[function]
        actions = get_partition_actions(function, counts_calls=self.options.counts_calls)
        for action, partitions in actions.items():
            patterns = sorted(partition.pattern for partition in partitions)
            self._allow(
                role,
                (action,),
                [self.storage.table.table_arn],
                condition={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": patterns}},
            )
        self._grant_own_key(role, _ENCRYPT_TABLE, "dynamodb")

    def _grant_objects(self, function: Function, actions: Sequence[str], *folders: Prefix) -> None:
        role = self.functions.roles[function]
        self._allow(
            role,
            actions,
            [self._format_folder_arn(folder) for folder in folders],
            reason="Keys contain ids of datasets and operations; the prefix limits the access.",
        )
        if actions != _DELETE:
            self._grant_own_key(role, _ENCRYPT if set(_WRITE) & set(actions) else _DECRYPT, "s3")

    def _grant_scratch_listing(self, function: Function) -> None:
        """Grant listing of scratch objects, from which DescribeDataset computes the progress of an operation."""
        self._allow(
            self.functions.roles[function],
            ("s3:ListBucket",),
            [self.storage.bucket.bucket_arn],
            condition={"StringLike": {"s3:prefix": f"{Prefix.SCRATCH}/*"}},
        )

    def _grant_start_execution(self, function: Function) -> None:
        machines = [self._arns.format_state_machine(workflow) for workflow in Workflow]
        self._allow(self.functions.roles[function], ("states:StartExecution",), machines)

    def _grant_sources(self, function: Function) -> None:
        """Grant reading of manifests under `sources/` and in the buckets of the option `source_buckets`."""
        self._grant_objects(function, _READ_ANY_VERSION, Prefix.SOURCES)
        buckets = self.options.source_buckets
        if not buckets:
            return
        self._allow(
            self.functions.roles[function],
            _READ_ANY_VERSION,
            [f"arn:{Aws.PARTITION}:s3:::{bucket}/*" for bucket in buckets],
            reason="Callers choose the keys of manifests; the option source_buckets names the buckets, or allows every "
            "bucket of the account.",
            condition=_SAME_ACCOUNT if ANY_BUCKET in buckets else None,
        )
        keys = self.options.source_keys or (self._arns.format_every_key(),)
        self._grant_keys(self.functions.roles[function], _DECRYPT, keys, "s3")

    def _grant_own_key(self, role: iam.Role, actions: Iterable[str], service: str) -> None:
        if self.options.kms_key:
            self._grant_keys(role, actions, [self.options.kms_key], service)

    def _grant_keys(
        self, role: iam.Role, actions: Iterable[str], keys: Iterable[str], service: str
    ) -> None:
        self._allow(
            role,
            actions,
            list(keys),
            reason="Without the option source_keys, manifests may be encrypted with any key of this account whose key "
            "policy allows the access.",
            condition=build_via_service_condition(service),
        )

    def _allow(
        self,
        role: iam.Role,
        actions: Iterable[str],
        resources: list[str],
        *,
        reason: str = "",
        condition: Mapping[str, Any] | None = None,
    ) -> None:
        role.add_to_policy(
            iam.PolicyStatement(
                actions=list(actions),
                resources=resources,
                conditions=condition,
            )
        )
        acknowledge_wildcards(role, reason, *resources)

    def _format_folder_arn(self, prefix: Prefix) -> str:
        return self.storage.bucket.arn_for_objects(f"{prefix.value}/*")
