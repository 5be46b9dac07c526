"""The Lambda functions: one per handler module, each with a role and a log group."""

from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.acknowledgements import acknowledge, acknowledge_wildcards
from infra.logs import build_log_group
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
    make_function_name,
)

LOG_LEVEL = "POWERTOOLS_LOG_LEVEL"
"""Environment variable of Powertools' Logger."""

LIVE = "live"
"""Alias of the deployed version; an operator can point the alias back to an earlier version."""

LIVE_RETRIED = "live-retried"
"""Second alias of Settle, with retries of asynchronous invocations: Lambda configures retries per alias."""

_WITH_ALIAS = (Function.API, Function.SETTLE, Function.COLLECT)
"""Functions invoked by API Gateway and EventBridge; state machines invoke versions instead."""


class Functions(Construct):
    """All functions: `self[Function.API]` is the function, `roles[Function.API]` the role, `aliases[Function.API]` the alias.

    `settle_retried` is the alias of Settle for events that must not be lost.

    A deployment that changes a function publishes a new version. Old versions are retained, so a running execution ends with
    the versions with which it began.

    `variables` are set on construction; `set_variable` adds values that depend on the functions, such as state machine ARNs.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        options: Options,
        code: lambda_.Code,
        variables: Mapping[Variable, str],
    ) -> None:
        super().__init__(scope, id)
        self._options = options
        self.roles = {function: self._build_role(function) for function in Function}
        self._functions = {
            function: self._build_function(function, code=code) for function in Function
        }
        for variable, value in variables.items():
            self.set_variable(variable, value)

        self.aliases = {
            function: lambda_.Alias(
                self,
                f"{function.value.capitalize()}Live",
                alias_name=LIVE,
                version=self.get_version(function),
            )
            for function in _WITH_ALIAS
        }
        self.settle_retried = lambda_.Alias(
            self,
            "SettleLiveRetried",
            alias_name=LIVE_RETRIED,
            version=self.get_version(Function.SETTLE),
        )

    def get_version(self, function: Function) -> lambda_.Version:
        return self._functions[function].current_version

    def __getitem__(self, function: Function) -> lambda_.Function:
        return self._functions[function]

    def set_variable(self, variable: Variable, value: str) -> None:
        """Set a variable on each function that declares it."""
        for name, function in self._functions.items():
            if variable in VARIABLES[name]:
                function.add_environment(variable.value, value)

    def _build_role(self, function: Function) -> iam.Role:
        role = iam.Role(
            self,
            f"{function.value.capitalize()}Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"Permissions of the function '{function.value}'",
        )
        acknowledge_wildcards(role, "X-Ray has no resource to which traces could be limited.", "*")
        return role

    def _build_function(self, function: Function, *, code: lambda_.Code) -> lambda_.Function:
        level = self._options.log_level
        lambda_function = lambda_.Function(
            self,
            function.value.capitalize(),
            function_name=make_function_name(self._options.stage, function),
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
            log_group=self._build_log_group(function),
            logging_format=lambda_.LoggingFormat.JSON,
            # Metrics are lines of level INFO, which Lambda must not drop; Powertools' Logger filters the other lines.
            application_log_level_v2=lambda_.ApplicationLogLevel.DEBUG
            if level is LogLevel.DEBUG
            else lambda_.ApplicationLogLevel.INFO,
            tracing=lambda_.Tracing.ACTIVE,
            # Lambda publishes no second version of the same code, so an old version must survive an update.
            current_version_options=lambda_.VersionOptions(
                removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
            ),
        )
        acknowledge(
            lambda_function,
            f"The release is built and tested for Python {RUNTIME}, which Lambda supports until 2029.",
            "AwsSolutions-L1",
        )
        return lambda_function

    def _build_log_group(self, function: Function) -> logs.LogGroup:
        name = f"/aws/lambda/{make_function_name(self._options.stage, function)}"
        id = f"{function.value.capitalize()}Logs"
        group = build_log_group(self, id, name=name, options=self._options)
        group.grant_write(self.roles[function])
        return group
