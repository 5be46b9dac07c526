"""Managed policies for callers of the API: ReadOnly, Editor, and a policy for each operation.

`POST /` accepts every operation, so policies for selected operations allow only the paths `/<Operation>`; such callers use
`POST /<Operation>`.

Policy names are fixed for use in other templates, and contain the region because IAM names are unique per account. The policies
have neither description nor path: CloudFormation replaces a policy if either changes, and cannot replace a named resource.
"""

from collections.abc import Iterable
from typing import cast

from aws_cdk import Aws
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.acknowledgements import acknowledge_wildcards
from infra.options import Options
from infra.storage import Storage, build_via_service_condition
from twofold.access import Guard
from twofold.settings import PRODUCT, ApiOperation, Prefix

_USER_ID = "${aws:userid}"
"""Policy variable for a caller's source folder under guard=owner."""

READ_ONLY = tuple(operation for operation in ApiOperation if not operation.is_mutation)


class Policies(Construct):
    """Managed policies for users, groups and roles; the stack itself attaches none."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        options: Options,
        rest_api: apigateway.RestApi,
        storage: Storage,
    ) -> None:
        super().__init__(scope, id)
        self._stage, self._rest_api = options.stage, rest_api
        self._build_policy("ReadOnly", READ_ONLY)
        editor = self._build_policy("Editor", [*ApiOperation], root=True)
        self._grant_manifest_uploads(editor, storage, options)
        for operation in ApiOperation:
            self._build_policy(operation.value, [operation])

    def _grant_manifest_uploads(
        self, editor: iam.ManagedPolicy, storage: Storage, options: Options
    ) -> None:
        key_arn = options.kms_key
        own = f"{_USER_ID}/" if options.guard is Guard.OWNER else ""
        sources = storage.bucket.arn_for_objects(f"{Prefix.SOURCES}/{own}*")
        editor.add_statements(iam.PolicyStatement(actions=["s3:PutObject"], resources=[sources]))
        acknowledge_wildcards(editor, "Editors choose the keys of their manifests.", sources)
        if key_arn:
            editor.add_statements(
                iam.PolicyStatement(
                    actions=["kms:Decrypt", "kms:GenerateDataKey"],
                    resources=[key_arn],
                    conditions=build_via_service_condition("s3"),
                )
            )

    def _build_policy(
        self, name: str, operations: Iterable[ApiOperation], *, root: bool = False
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
                        self._rest_api.arn_for_execute_api("POST", path, self._stage)
                        for path in paths
                    ],
                )
            ],
        )
        for default in ("Description", "Path"):
            cast(iam.CfnManagedPolicy, policy.node.default_child).add_property_deletion_override(
                default
            )
        return policy
