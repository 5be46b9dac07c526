"""One Lambda function for each door of the runtime, each with a role and a log group of its own."""

from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.acknowledgements import acknowledge, wildcards
from infra.logs import log_group
from infra.options import Options
from twofold.settings import (
    MEMORY_MB,
    RUNTIME,
    SOLVERS,
    TIMEOUT_SECONDS,
    VARIABLES,
    Function,
    LogLevel,
    Variable,
    function_name,
)

LOG_LEVEL = "POWERTOOLS_LOG_LEVEL"
"""The environment variable that Powertools' Logger reads."""


LIVE = "live"
"""The alias that points to what is deployed; an operator can point it back."""

LIVE_RETRIED = "live-retried"
"""Another, with which Lambda repeats what Settle fails on: how often it does is a setting of an alias."""

_DOORS = (Function.API, Function.SETTLE, Function.COLLECT)
"""What is invoked from outside of a workflow; a state machine names the versions of its own functions."""


class Functions(Construct):
    """`self[Function.API]` is the function and `roles[Function.API]` its role; `doors` are aliases of versions.

    `settle_retried` is for what Settle must not miss.

    Every deployment that changes a function publishes a version of it, and versions stay: what has begun with one ends with it.

    `known` gives the variables whose values do not depend on the functions themselves; `tell` sets the others.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        options: Options,
        code: lambda_.Code,
        known: Mapping[Variable, str],
    ) -> None:
        super().__init__(scope, id)
        self._options = options
        self.roles = {function: self._role(function) for function in Function}
        self._functions = {function: self._function(function, code=code) for function in Function}
        for variable, value in known.items():
            self.tell(variable, value)

        self.doors = {
            function: lambda_.Alias(
                self,
                f"{function.value.capitalize()}Live",
                alias_name=LIVE,
                version=self.version(function),
            )
            for function in _DOORS
        }
        self.settle_retried = lambda_.Alias(
            self,
            "SettleLiveRetried",
            alias_name=LIVE_RETRIED,
            version=self.version(Function.SETTLE),
        )

    def version(self, function: Function) -> lambda_.Version:
        return self._functions[function].current_version

    def __getitem__(self, function: Function) -> lambda_.Function:
        return self._functions[function]

    def tell(self, variable: Variable, value: str) -> None:
        """Set a variable on each function that declares it."""
        for name, function in self._functions.items():
            if variable in VARIABLES[name]:
                function.add_environment(variable.value, value)

    def _role(self, function: Function) -> iam.Role:
        role = iam.Role(
            self,
            f"{function.value.capitalize()}Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"What the function '{function.value}' may do",
        )
        wildcards(role, "X-Ray has no resource to which traces could be limited.", "*")
        return role

    def _function(self, function: Function, *, code: lambda_.Code) -> lambda_.Function:
        level = self._options.log_level
        built = lambda_.Function(
            self,
            function.value.capitalize(),
            function_name=function_name(self._options.stage, function),
            code=code,
            handler=function.handler,
            runtime=lambda_.Runtime(f"python{RUNTIME}", lambda_.RuntimeFamily.PYTHON),
            architecture=lambda_.Architecture.ARM_64,
            memory_size=self._options.solver_memory_mb
            if function in SOLVERS
            else MEMORY_MB[function],
            timeout=Duration.seconds(TIMEOUT_SECONDS[function]),
            role=self.roles[function],
            environment={LOG_LEVEL: level.value},
            log_group=self._logs(function),
            logging_format=lambda_.LoggingFormat.JSON,
            # Lambda would drop the lines that carry metrics, which are of level INFO; the Logger knows better.
            application_log_level_v2=lambda_.ApplicationLogLevel.DEBUG
            if level is LogLevel.DEBUG
            else lambda_.ApplicationLogLevel.INFO,
            tracing=lambda_.Tracing.ACTIVE,
            # One that a failed update made goes with it; Lambda would not publish the same code as another version.
            current_version_options=lambda_.VersionOptions(
                removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
            ),
        )
        acknowledge(
            built,
            f"Python {RUNTIME} is what the release is built and tested for; Lambda supports it until 2029.",
            "AwsSolutions-L1",
        )
        return built

    def _logs(self, function: Function) -> logs.LogGroup:
        name = f"/aws/lambda/{function_name(self._options.stage, function)}"
        id = f"{function.value.capitalize()}Logs"
        group = log_group(self, id, name=name, options=self._options)
        group.grant_write(self.roles[function])
        return group
