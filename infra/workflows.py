"""The state machines, read from their ASL files as literal text so that linters see what runs."""

import re
from collections.abc import Callable
from pathlib import Path

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.acknowledgements import acknowledge, wildcards
from infra.functions import LIVE, Functions
from infra.logs import log_group
from infra.options import Options
from twofold.settings import PRODUCT, Function, Workflow, state_machine_name

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
    """`self[Workflow.INGEST]` is the state machine, `live` has the alias under which each is started, `roles` its role.

    Every change of a definition, or of a function that it names, is a version; versions stay, so that what runs ends with it.
    """

    def __init__(
        self, scope: Construct, id: str, *, options: Options, functions: Functions
    ) -> None:
        super().__init__(scope, id)
        self.roles = {workflow: self._role(workflow) for workflow in Workflow}
        self._machines = {
            workflow: self._machine(workflow, options=options, functions=functions)
            for workflow in Workflow
        }
        self.live = {workflow: self._alias(workflow) for workflow in Workflow}

    def __getitem__(self, workflow: Workflow) -> sfn.StateMachine:
        return self._machines[workflow]

    def _role(self, workflow: Workflow) -> iam.Role:
        role = iam.Role(
            self,
            f"{workflow.value.capitalize()}Role",
            assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
            description=f"What the state machine '{workflow.value}' may do",
        )
        wildcards(
            role, "Log deliveries and traces have no resource to which they could be limited.", "*"
        )
        return role

    def _machine(
        self, workflow: Workflow, *, options: Options, functions: Functions
    ) -> sfn.StateMachine:
        machine = sfn.StateMachine(
            self,
            workflow.value.capitalize(),
            state_machine_name=state_machine_name(options.stage, workflow),
            definition_body=sfn.DefinitionBody.from_string(
                set_workers(definition(workflow), options.workers)
            ),
            definition_substitutions=substitutions(
                workflow,
                lambda function: functions.version(function).function_arn,
                partition=Aws.PARTITION,
            ),
            role=self.roles[workflow],
            logs=sfn.LogOptions(
                destination=self._logs(workflow, options),
                level=sfn.LogLevel.ERROR,
                include_execution_data=False,
            ),
            tracing_enabled=True,
        )
        acknowledge(
            machine,
            "Failures are logged, those of a Map's EXPRESS children too, which have no history. Step Functions keeps "
            "the history of the execution itself for 90 days after its end, and each function logs one line for each "
            "outcome; logging every event of thousands of children would only cost.",
            "AwsSolutions-SF1",
        )
        return machine

    def _alias(self, workflow: Workflow) -> sfn.CfnStateMachineAlias:
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

    def _logs(self, workflow: Workflow, options: Options) -> logs.LogGroup:
        # Names under /aws/vendedlogs do not count against CloudWatch's resource policy of 5,120 characters.
        name = f"/aws/vendedlogs/states/{PRODUCT}-{options.stage}-{workflow.value}"
        return log_group(self, f"{workflow.value.capitalize()}Logs", name=name, options=options)


def definition(workflow: Workflow) -> str:
    return Path(__file__).with_name(f"{workflow.value}.asl.json").read_text(encoding="utf-8")


def set_workers(text: str, workers: int) -> str:
    """The definition with `workers` as MaxConcurrency of each of its Maps; every other letter stays.

    A definition substitution cannot do it: `${Workers}` in place of a number is no JSON before it is substituted.
    """
    return _MAX_CONCURRENCY.sub(rf"\g<1>{workers}", text)


def substitutions(
    workflow: Workflow, arn: Callable[[Function], str], *, partition: str
) -> dict[str, str]:
    """What the `${...}` of a definition stand for: `${SelectFunctionArn}` is the function `select`."""
    functions = {f"{step.value.capitalize()}FunctionArn": arn(step) for step in STEPS[workflow]}
    return {"Partition": partition, **functions}
