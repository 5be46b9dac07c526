"""Who may do what: every permission in Twofold, beside those for a function's own log group and traces.

What is not listed here is denied; so only one role may delete an object, and only five may write the table.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_iam as iam

from infra.acknowledgements import wildcards
from infra.functions import Functions
from infra.options import ANY_BUCKET, Options
from infra.partitions import touched
from infra.rules import Rules
from infra.storage import Storage, only_through
from infra.workflows import STEPS, Workflows
from twofold.settings import Function, Prefix, Workflow, state_machine_name

_READ = ("s3:GetObject",)
_READ_ANY_VERSION = ("s3:GetObject", "s3:GetObjectVersion")
_WRITE = ("s3:PutObject",)
_DELETE = ("s3:DeleteObject",)

_SAME_ACCOUNT = {"StringEquals": {"aws:ResourceAccount": Aws.ACCOUNT_ID}}

# What S3 and DynamoDB ask of a key in the caller's name; a multipart upload needs to read what it wrote.
_UNLOCK = ("kms:Decrypt",)
_LOCK = ("kms:Decrypt", "kms:GenerateDataKey")
_LOCK_TABLE = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """`give` gives each function and each state machine its permissions."""

    stack: Stack
    storage: Storage
    functions: Functions
    workflows: Workflows
    rules: Rules
    options: Options

    def give(self) -> None:
        self._give_api()
        self._give_workers()
        self._give_finishers()
        self._give_collector()
        for workflow in Workflow:
            self._give_machine(workflow)

    def _give_api(self) -> None:
        self._table(Function.API)
        self._objects(Function.API, _READ, Prefix.CONTENTS, Prefix.REPORTS, Prefix.SCRATCH)
        self._list_scratch(Function.API)
        self._objects(Function.API, _WRITE, Prefix.SCRATCH)
        self._sources(Function.API)
        self._start(Function.API)

    def _give_workers(self) -> None:
        """Workers turn objects into new objects and know nothing of the table."""
        for function in (Function.INDEX, Function.RESOLVE, Function.MOVE):
            self._sources(function)
        for function in (Function.PLAN, Function.INDEX, Function.GROUP):
            self._objects(function, _WRITE, Prefix.SCRATCH)
        for function in (Function.PLAN, Function.GROUP):
            self._objects(function, _READ, Prefix.CONTENTS)
        self._objects(Function.RESOLVE, _READ, Prefix.SCRATCH)
        self._objects(Function.RESOLVE, _WRITE, Prefix.CONTENTS, Prefix.SCRATCH)
        self._objects(Function.SELECT, _READ, Prefix.CONTENTS, Prefix.SCRATCH)
        self._objects(Function.SELECT, _WRITE, Prefix.CONTENTS, Prefix.SCRATCH)
        self._objects(Function.MERGE, _READ, Prefix.CONTENTS, Prefix.SCRATCH)
        self._objects(Function.MERGE, _WRITE, Prefix.CONTENTS, Prefix.SCRATCH)
        self._objects(Function.MOVE, (*_READ, *_WRITE), Prefix.CONTENTS, Prefix.SCRATCH)

    def _give_finishers(self) -> None:
        """The three that end an operation: they update datasets and delete the mark of the operation."""
        for function in (Function.PUBLISH, Function.ABANDON, Function.SETTLE):
            self._table(function)
            self._allow(self.functions.roles[function], ("events:PutEvents",), [self._bus()])
        self._sources(Function.PUBLISH)
        self._objects(Function.PUBLISH, _READ, Prefix.CONTENTS, Prefix.SCRATCH)
        self._objects(Function.PUBLISH, _WRITE, Prefix.CONTENTS, Prefix.REPORTS)
        self._start(Function.SETTLE)
        undelivered = self.rules.undelivered.queue_arn
        self._allow(self.functions.roles[Function.SETTLE], ("sqs:SendMessage",), [undelivered])
        self._allow(
            self.functions.roles[Function.SETTLE],
            ("states:DescribeExecution",),
            [self._executions(workflow) for workflow in Workflow],
            why="An execution is named after its operation, so only the state machine can be named.",
        )

    def _give_collector(self) -> None:
        """The only one that deletes objects, and only contents; it reads who points where, and deletes its own notes."""
        self._table(Function.COLLECT)
        self._objects(Function.COLLECT, _DELETE, Prefix.CONTENTS)

    def _give_machine(self, workflow: Workflow) -> None:
        """Its own functions, its lists of shards, and what AWS documents for a Distributed Map's children."""
        role = self.workflows.roles[workflow]
        children = "Child executions and map runs are named while the workflow runs."
        steps = [f"{self.functions[step].function_arn}:*" for step in STEPS[workflow]]
        versions = "An execution invokes the versions of its functions that it began with."
        self._allow(role, ("lambda:InvokeFunction",), steps, why=versions)
        self._allow(
            role,
            _READ,
            [self._folder(Prefix.SCRATCH)],
            why="The list of shards is named after the operation.",
        )
        self._use_own_key(role, _UNLOCK, "s3")
        self._allow(role, ("states:StartExecution",), [self._machine(workflow)])
        self._allow(
            role,
            ("states:DescribeExecution", "states:StopExecution"),
            [self._executions(workflow)],
            why=children,
        )
        self._allow(
            role, ("states:RedriveExecution",), [self._map_executions(workflow)], why=children
        )

    def _table(self, function: Function) -> None:
        """All of a request's partition keys must match; what has none, such as a Scan, is granted to nobody."""
        role = self.functions.roles[function]
        reached = touched(function, counts_calls=self.options.counts_calls)
        for action, partitions in reached.items():
            patterns = sorted(partition.pattern for partition in partitions)
            self._allow(
                role,
                (action,),
                [self.storage.table.table_arn],
                condition={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": patterns}},
            )
        self._use_own_key(role, _LOCK_TABLE, "dynamodb")

    def _objects(self, function: Function, actions: Sequence[str], *folders: Prefix) -> None:
        role = self.functions.roles[function]
        self._allow(
            role,
            actions,
            [self._folder(folder) for folder in folders],
            why="Objects are named after datasets and operations; the folder is the boundary.",
        )
        if actions != _DELETE:
            self._use_own_key(role, _LOCK if set(_WRITE) & set(actions) else _UNLOCK, "s3")

    def _bus(self) -> str:
        return self.stack.format_arn(
            service="events", resource="event-bus", resource_name="default"
        )

    def _list_scratch(self, function: Function) -> None:
        """To see how far an operation is."""
        self._allow(
            self.functions.roles[function],
            ("s3:ListBucket",),
            [self.storage.bucket.bucket_arn],
            condition={"StringLike": {"s3:prefix": f"{Prefix.SCRATCH}/*"}},
        )

    def _start(self, function: Function) -> None:
        machines = [self._machine(workflow) for workflow in Workflow]
        self._allow(self.functions.roles[function], ("states:StartExecution",), machines)

    def _sources(self, function: Function) -> None:
        """Manifests in the stack's own folder for them, and in the buckets named at deployment."""
        self._objects(function, _READ_ANY_VERSION, Prefix.SOURCES)
        buckets = self.options.source_buckets
        if not buckets:
            return
        self._allow(
            self.functions.roles[function],
            _READ_ANY_VERSION,
            [f"arn:{Aws.PARTITION}:s3:::{bucket}/*" for bucket in buckets],
            why="A manifest's key is chosen by the caller; the buckets are named at deployment, or all of the "
            "account's are allowed by a star.",
            condition=_SAME_ACCOUNT if ANY_BUCKET in buckets else None,
        )
        keys = self.options.source_keys or (self._every_key(),)
        self._use_keys(self.functions.roles[function], _UNLOCK, keys, "s3")

    def _use_own_key(self, role: iam.Role, actions: Iterable[str], service: str) -> None:
        if self.options.kms_key:
            self._use_keys(role, actions, [self.options.kms_key], service)

    def _use_keys(
        self, role: iam.Role, actions: Iterable[str], keys: Iterable[str], service: str
    ) -> None:
        self._allow(
            role,
            actions,
            list(keys),
            why="Without names of keys, those of this account open manifests, as far as each key's policy lets them.",
            condition=only_through(service),
        )

    def _every_key(self) -> str:
        return self.stack.format_arn(service="kms", resource="key", resource_name="*")

    def _allow(
        self,
        role: iam.Role,
        actions: Iterable[str],
        resources: list[str],
        *,
        why: str = "",
        condition: Mapping[str, Any] | None = None,
    ) -> None:
        role.add_to_policy(
            iam.PolicyStatement(
                actions=list(actions),
                resources=resources,
                conditions=condition,
            )
        )
        wildcards(role, why, *resources)

    def _folder(self, prefix: Prefix) -> str:
        return self.storage.bucket.arn_for_objects(f"{prefix.value}/*")

    # These ARNs are spelt from names: a role that referred to its own state machine would be a circle.

    def _machine(self, workflow: Workflow) -> str:
        return self._states("stateMachine", state_machine_name(self.options.stage, workflow))

    def _executions(self, workflow: Workflow) -> str:
        return self._states("execution", f"{state_machine_name(self.options.stage, workflow)}:*")

    def _map_executions(self, workflow: Workflow) -> str:
        return self._states("execution", f"{state_machine_name(self.options.stage, workflow)}/*:*")

    def _states(self, resource: str, name: str) -> str:
        return self.stack.format_arn(
            service="states",
            resource=resource,
            resource_name=name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
