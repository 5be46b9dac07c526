"""The Step Functions state machines, built from the ASL files as literal text, so linters check the deployed definition."""

import re
from collections.abc import Callable
from pathlib import Path

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.acknowledgements import acknowledge, acknowledge_wildcards
from infra.functions import LIVE, Functions
from infra.logs import build_log_group
from infra.options import Options
from twofold.settings import PRODUCT, Function, Workflow, make_state_machine_name

_MAX_CONCURRENCY = re.compile(r'("MaxConcurrency": )\d+')

STEPS = {
    Workflow.INGEST: (
        Function.PLAN,
        Function.INDEX,
        Function.RESOLVE,
        Function.MOVE,
        Function.PUBLISH,
        Function.ABANDON,
    ),
    Workflow.DISTRIBUTE: (
        Function.PLAN,
        Function.GROUP,
        Function.SELECT,
        Function.MOVE,
        Function.PUBLISH,
        Function.ABANDON,
    ),
    Workflow.UPDATE: (Function.MERGE, Function.MOVE, Function.PUBLISH, Function.ABANDON),
}


class Workflows(Construct):
    """State machines: `self[Workflow.INGEST]`, `roles[Workflow.INGEST]`, and `aliases[Workflow.INGEST]` for StartExecution.

    A change of a definition or of a function creates a new version. Old versions are retained, so running executions end with
    their own version.
    """

    def __init__(
        self, scope: Construct, id: str, *, options: Options, functions: Functions
    ) -> None:
        super().__init__(scope, id)
        self.roles = {workflow: self._build_role(workflow) for workflow in Workflow}
        self._machines = {
            workflow: self._build_state_machine(workflow, options=options, functions=functions)
            for workflow in Workflow
        }
        self.aliases = {workflow: self._build_alias(workflow) for workflow in Workflow}

    def __getitem__(self, workflow: Workflow) -> sfn.StateMachine:
        return self._machines[workflow]

    def _build_role(self, workflow: Workflow) -> iam.Role:
        role = iam.Role(
            self,
            f"{workflow.value.capitalize()}Role",
            assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
            description=f"Permissions of the state machine '{workflow.value}'",
        )
        acknowledge_wildcards(
            role, "Log deliveries and traces have no resource to which they could be limited.", "*"
        )
        return role

    def _build_state_machine(
        self, workflow: Workflow, *, options: Options, functions: Functions
    ) -> sfn.StateMachine:
        machine = sfn.StateMachine(
            self,
            workflow.value.capitalize(),
            state_machine_name=make_state_machine_name(options.stage, workflow),
            definition_body=sfn.DefinitionBody.from_string(
                set_workers(read_definition(workflow), options.workers)
            ),
            definition_substitutions=build_substitutions(
                workflow,
                lambda function: functions.get_version(function).function_arn,
                partition=Aws.PARTITION,
            ),
            role=self.roles[workflow],
            logs=sfn.LogOptions(
                destination=self._build_log_group(workflow, options),
                level=sfn.LogLevel.ERROR,
                include_execution_data=False,
            ),
            tracing_enabled=True,
        )
        acknowledge(
            machine,
            "Failures are logged, including failures of a Map's EXPRESS children, which have no history. Step Functions keeps "
            "the history of an execution for 90 days, and each function logs a line for each outcome; logs of every event "
            "of thousands of children would only add cost.",
            "AwsSolutions-SF1",
        )
        return machine

    def _build_alias(self, workflow: Workflow) -> sfn.CfnStateMachineAlias:
        name, machine = workflow.value.capitalize(), self._machines[workflow]
        version = sfn.CfnStateMachineVersion(
            self,
            f"{name}Version",
            state_machine_arn=machine.state_machine_arn,
            state_machine_revision_id=machine.state_machine_revision_id,
        )
        version.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        return sfn.CfnStateMachineAlias(
            self,
            f"{name}Live",
            name=LIVE,
            routing_configuration=[
                sfn.CfnStateMachineAlias.RoutingConfigurationVersionProperty(
                    state_machine_version_arn=version.attr_arn, weight=100
                )
            ],
        )

    def _build_log_group(self, workflow: Workflow, options: Options) -> logs.LogGroup:
        # Log groups under /aws/vendedlogs do not count towards the limit of 5,120 characters of CloudWatch's resource policy.
        name = f"/aws/vendedlogs/states/{PRODUCT}-{options.stage}-{workflow.value}"
        return build_log_group(
            self, f"{workflow.value.capitalize()}Logs", name=name, options=options
        )


def read_definition(workflow: Workflow) -> str:
    return Path(__file__).with_name(f"{workflow.value}.asl.json").read_text(encoding="utf-8")


def set_workers(text: str, workers: int) -> str:
    """Return the definition with MaxConcurrency set to `workers` in each Map, otherwise unchanged.

    A definition substitution is impossible: `${Workers}` in place of a number is not valid JSON.
    """
    return _MAX_CONCURRENCY.sub(rf"\g<1>{workers}", text)


def build_substitutions(
    workflow: Workflow, arn: Callable[[Function], str], *, partition: str
) -> dict[str, str]:
    """Return the values of the `${...}` in a definition, such as `SelectFunctionArn`; `arn` maps a function to its ARN."""
    functions = {f"{step.value.capitalize()}FunctionArn": arn(step) for step in STEPS[workflow]}
    return {"Partition": partition, **functions}
