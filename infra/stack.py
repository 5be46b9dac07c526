"""The CloudFormation stack: creates the constructs and connects them."""

from aws_cdk import CfnOutput, Stack, Tags
from constructs import Construct

from infra import nist
from infra.alarms import Alarms
from infra.api import Api
from infra.bundling import build_code_asset
from infra.dashboard import Dashboard
from infra.firewall import Firewall
from infra.functions import Functions
from infra.grants import Grants
from infra.options import Options
from infra.policies import Policies
from infra.record import write_record
from infra.rules import Rules
from infra.storage import Storage
from infra.workflows import Workflows
from twofold.access import Guard
from twofold.settings import PRODUCT, STATE_MACHINES, Function, Variable


class TwofoldStack(Stack):
    """One stage of Twofold, without context lookups: the template fits any account and region."""

    def __init__(self, scope: Construct, id: str, *, options: Options) -> None:
        super().__init__(
            scope,
            id,
            description="Twofold: exact, balanced train/test splits of labelled datasets",
            termination_protection=options.termination_protection,
        )
        # W3005 reports redundant dependencies, which CDK's constructs write into every function and state machine.
        linting = {"cfn-lint": {"config": {"ignore_checks": ["W3005"]}}}
        self.template_options.metadata = linting | write_record(options)
        self.storage = Storage(self, "Storage", key_arn=options.kms_key)
        self.functions = Functions(
            self,
            "Functions",
            options=options,
            code=build_code_asset(self),
            variables=self._build_variables(options),
        )
        for variable, value in options.access.to_environment().items():
            self.functions[Function.API].add_environment(variable, value)
        self.workflows = Workflows(self, "Workflows", options=options, functions=self.functions)
        self.api = Api(self, "Api", options=options, function=self.functions.aliases[Function.API])
        self._add_access_control(options)
        self._connect_workflows()
        self.rules = Rules(self, "Rules", functions=self.functions, workflows=self.workflows)
        Grants(
            stack=self,
            storage=self.storage,
            functions=self.functions,
            workflows=self.workflows,
            rules=self.rules,
            options=options,
        ).grant_all()
        self._add_monitoring(options)
        self._add_outputs(options)
        Tags.of(self).add(f"{PRODUCT}:stage", options.stage)
        nist.acknowledge_all(self)

    def _build_variables(self, options: Options) -> dict[Variable, str]:
        """Return the values of environment variables; each function gets the variables that it declares."""
        return {
            Variable.TABLE: self.storage.table.table_name,
            Variable.BUCKET: self.storage.bucket.bucket_name,
            Variable.QUOTAS: options.quotas.value,
            Variable.RETENTION: str(options.retention_days),
        }

    def _add_monitoring(self, options: Options) -> None:
        Alarms(self, "Alarms", options=options, undelivered=self.rules.undelivered)
        if options.dashboard:
            Dashboard(
                self,
                "Dashboard",
                options=options,
                workflows=self.workflows,
                table=self.storage.table,
            )

    def _add_access_control(self, options: Options) -> None:
        """Add the managed policies for callers, and the web ACL if `waf_rate` is set."""
        rest_api = self.api.rest_api
        Policies(self, "Policies", options=options, rest_api=rest_api, storage=self.storage)
        if options.waf_rate:
            Firewall(
                self, "Firewall", stage=options.stage, rest_api=rest_api, rate=options.waf_rate
            )

    def _connect_workflows(self) -> None:
        for workflow, variable in STATE_MACHINES.items():
            self.functions.set_variable(variable, self.workflows.aliases[workflow].attr_arn)

    def _add_outputs(self, options: Options) -> None:
        url, bucket = self.api.rest_api.url, self.storage.bucket.bucket_name
        CfnOutput(self, "Endpoint", value=url, description="Endpoint for Rekognition clients")
        CfnOutput(self, "Bucket", value=bucket, description="Bucket of manifests and indexes")
        CfnOutput(
            self,
            "Export",
            value=f"export AWS_ENDPOINT_URL_REKOGNITION={url} AWS_DEFAULT_REGION={self.region} "
            "AWS_DATA_PATH=$PWD/clients/aws-models",
            description="Paste into a shell in this folder to use boto3 and the AWS CLI unchanged",
        )
        CfnOutput(
            self,
            "Smoke",
            # With guard=owner a manifest must be in the caller's own folder; the smoke test does not know this folder.
            value=f"make smoke URL={url}"
            + ("" if options.guard is Guard.OWNER else f" BUCKET={bucket}"),
            description="Smoke test: runs a distribution, verifies it and cleans up",
        )
