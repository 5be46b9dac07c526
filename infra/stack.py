"""The stack: composes the rooms, and wires what happens between them."""

from aws_cdk import CfnOutput, Stack, Tags
from constructs import Construct

from infra import nist
from infra.alarms import Alarms
from infra.api import Api
from infra.bundling import code
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
    """One stage of Twofold; it looks nothing up, so it can be synthesized for any account and region."""

    def __init__(self, scope: Construct, id: str, *, options: Options) -> None:
        super().__init__(
            scope,
            id,
            description="Twofold: exact, balanced train/test splits of labelled datasets",
            termination_protection=options.termination_protection,
        )
        # W3005 finds dependencies redundant that CDK's constructs write into every function and state machine.
        linting = {"cfn-lint": {"config": {"ignore_checks": ["W3005"]}}}
        self.template_options.metadata = linting | write_record(options)
        self.storage = Storage(self, "Storage", key_arn=options.kms_key)
        self.functions = Functions(
            self, "Functions", options=options, code=code(self), known=self._known(options)
        )
        for variable, value in options.access.environment().items():
            self.functions[Function.API].add_environment(variable, value)
        self.workflows = Workflows(self, "Workflows", options=options, functions=self.functions)
        self.api = Api(self, "Api", options=options, function=self.functions.doors[Function.API])
        self._guard(options)
        self._connect()
        self.rules = Rules(self, "Rules", functions=self.functions, workflows=self.workflows)
        Grants(
            stack=self,
            storage=self.storage,
            functions=self.functions,
            workflows=self.workflows,
            rules=self.rules,
            options=options,
        ).give()
        self._watch(options)
        self._report(options)
        Tags.of(self).add(f"{PRODUCT}:stage", options.stage)
        nist.acknowledge_all(self)

    def _known(self, options: Options) -> dict[Variable, str]:
        """What functions are told by their environment; each gets what it needs of it."""
        return {
            Variable.TABLE: self.storage.table.table_name,
            Variable.BUCKET: self.storage.bucket.bucket_name,
            Variable.QUOTAS: options.quotas.value,
            Variable.RETENTION: str(options.retention_days),
        }

    def _watch(self, options: Options) -> None:
        Alarms(self, "Alarms", options=options, undelivered=self.rules.undelivered)
        if options.dashboard:
            Dashboard(
                self,
                "Dashboard",
                options=options,
                workflows=self.workflows,
                table=self.storage.table,
            )

    def _guard(self, options: Options) -> None:
        """Who may call the API, and how often."""
        rest = self.api.rest
        Policies(self, "Policies", options=options, rest=rest, storage=self.storage)
        if options.waf_rate:
            Firewall(self, "Firewall", stage=options.stage, rest=rest, rate=options.waf_rate)

    def _connect(self) -> None:
        for workflow, variable in STATE_MACHINES.items():
            self.functions.tell(variable, self.workflows.live[workflow].attr_arn)

    def _report(self, options: Options) -> None:
        url, bucket = self.api.rest.url, self.storage.bucket.bucket_name
        CfnOutput(self, "Endpoint", value=url, description="Where Rekognition clients are pointed")
        CfnOutput(self, "Bucket", value=bucket, description="Contents")
        CfnOutput(
            self,
            "Export",
            value=f"export AWS_ENDPOINT_URL_REKOGNITION={url} AWS_DEFAULT_REGION={self.region} "
            "AWS_DATA_PATH=$PWD/clients/aws-models",
            description="Paste into a shell in this folder, to use boto3 and the AWS CLI unchanged",
        )
        CfnOutput(
            self,
            "Smoke",
            # Behind the guard a manifest must be in the caller's own folder, which the smoke test does not know.
            value=f"make smoke URL={url}"
            + ("" if options.guard is Guard.OWNER else f" BUCKET={bucket}"),
            description="Try the main job, see that it is right, and clean up",
        )
