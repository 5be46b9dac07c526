"""Managed policies for those who call the API: for readers, for editors, and for each operation alone.

`POST /` takes every operation, so a policy that lets some of them in names their own paths and not the root: a caller who is
held to it uses `POST /<Operation>`.

Their names are fixed, so that what attaches them can name them, and have the region, because IAM's names are the account's.
None has a description or a path: CloudFormation replaces a policy for another of these, and cannot replace what has a name.
"""

from collections.abc import Iterable
from typing import cast

from aws_cdk import Aws
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.acknowledgements import wildcards
from infra.options import Options
from infra.storage import Storage, only_through
from twofold.access import Guard
from twofold.settings import PRODUCT, Operation, Prefix

_USER_ID = "${aws:userid}"
"""The policy variable by which the guard names a caller's folder of sources."""

READ_ONLY = tuple(operation for operation in Operation if not operation.changes)


class Policies(Construct):
    """Attach them to users, groups and roles; none is attached to anybody by the stack."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        options: Options,
        rest: apigateway.RestApi,
        storage: Storage,
    ) -> None:
        super().__init__(scope, id)
        self._stage, self._rest = options.stage, rest
        self._policy("ReadOnly", READ_ONLY)
        editor = self._policy("Editor", [*Operation], root=True)
        self._bring_manifests(editor, storage, options)
        for operation in Operation:
            self._policy(operation.value, [operation])

    def _bring_manifests(
        self, editor: iam.ManagedPolicy, storage: Storage, options: Options
    ) -> None:
        key_arn = options.kms_key
        own = f"{_USER_ID}/" if options.guard is Guard.OWNER else ""
        sources = storage.bucket.arn_for_objects(f"{Prefix.SOURCES}/{own}*")
        editor.add_statements(iam.PolicyStatement(actions=["s3:PutObject"], resources=[sources]))
        wildcards(editor, "Editors name the manifests that they put there as they like.", sources)
        if key_arn:
            editor.add_statements(
                iam.PolicyStatement(
                    actions=["kms:Decrypt", "kms:GenerateDataKey"],
                    resources=[key_arn],
                    conditions=only_through("s3"),
                )
            )

    def _policy(
        self, name: str, operations: Iterable[Operation], *, root: bool = False
    ) -> iam.ManagedPolicy:
        paths = [f"/{operation.value}" for operation in operations] + (["/"] if root else [])
        policy = iam.ManagedPolicy(
            self,
            name,
            managed_policy_name=f"{PRODUCT}-{self._stage}-{Aws.REGION}-{name}",
            statements=[
                iam.PolicyStatement(
                    actions=["execute-api:Invoke"],
                    resources=[
                        self._rest.arn_for_execute_api("POST", path, self._stage) for path in paths
                    ],
                )
            ],
        )
        for default in ("Description", "Path"):
            cast(iam.CfnManagedPolicy, policy.node.default_child).add_property_deletion_override(
                default
            )
        return policy
