"""CloudWatch dashboard of a stage: API calls, operations, shards and errors."""

from aws_cdk import Aws
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.metrics import Metrics
from infra.options import Options
from infra.workflows import Workflows
from twofold.metrics import Dimension, Metric, Outcome
from twofold.settings import PRODUCT, ApiOperation, Function, Workflow

_STATUSES = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
_SHARDED = (Function.INDEX, Function.GROUP, Function.MOVE)
_TABLE_METRICS = ("ReadThrottleEvents", "WriteThrottleEvents", "TransactionConflict")


class Dashboard(Construct):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        options: Options,
        workflows: Workflows,
        table: dynamodb.ITable,
    ) -> None:
        super().__init__(scope, id)
        self._metrics = Metrics(options.stage)
        # Dashboard names are unique per account, not per region.
        name = f"{PRODUCT}-{options.stage}-{Aws.REGION}"
        board = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=name)
        board.add_widgets(*self._build_call_widgets())
        board.add_widgets(*self._build_operation_widgets())
        board.add_widgets(*self._build_shard_widgets())
        board.add_widgets(*self._build_error_widgets(workflows, table))

    def _build_call_widgets(self) -> list[cloudwatch.IWidget]:
        metric = self._metrics.get_twofold_metric
        operations = [{Dimension.OPERATION: operation.value} for operation in ApiOperation]
        return [
            _build_graph("Calls", [metric(Metric.CALLS, operation) for operation in operations]),
            _build_graph(
                "Latency, p99",
                [metric(Metric.LATENCY, operation, "p99") for operation in operations],
            ),
            _build_graph(
                "Answers of the gateway",
                [self._metrics.get_api_metric(n) for n in ("4XXError", "5XXError")],
            ),
        ]

    def _build_operation_widgets(self) -> list[cloudwatch.IWidget]:
        metric = self._metrics.get_twofold_metric
        statuses = [{Dimension.STATUS: status} for status in _STATUSES]
        outcomes = [{Dimension.OUTCOME: outcome.value} for outcome in Outcome]
        workflows = [{Dimension.WORKFLOW: workflow.value} for workflow in Workflow]
        return [
            _build_graph(
                "Operations by outcome",
                [metric(Metric.OPERATIONS, outcome) for outcome in outcomes],
            ),
            _build_graph(
                "Operations by workflow",
                [metric(Metric.OPERATIONS, workflow) for workflow in workflows],
            ),
            _build_graph(
                "Time in each status, p50 and p99",
                [
                    metric(Metric.TIME_IN_PROGRESS, status, statistic)
                    for status in statuses
                    for statistic in ("p50", "p99")
                ],
            ),
            _build_graph(
                "Under way, and the age of the oldest in seconds",
                [
                    metric(Metric.ACTIVE_OPERATIONS, statistic="Maximum"),
                    metric(Metric.OLDEST_OPERATION, statistic="Maximum"),
                ],
            ),
        ]

    def _build_shard_widgets(self) -> list[cloudwatch.IWidget]:
        functions = [{Dimension.FUNCTION: function.value} for function in _SHARDED]
        return [
            _build_graph(
                metric.value,
                [self._metrics.get_twofold_metric(metric, function) for function in functions],
            )
            for metric in (Metric.SHARDS, Metric.ENTRIES, Metric.BYTES)
        ]

    def _build_error_widgets(
        self, workflows: Workflows, table: dynamodb.ITable
    ) -> list[cloudwatch.IWidget]:
        metrics = self._metrics
        return [
            _build_graph(
                "Errors of functions", [metrics.get_function_metric(f, "Errors") for f in Function]
            ),
            _build_graph(
                "Throttles of functions",
                [metrics.get_function_metric(f, "Throttles") for f in Function],
            ),
            _build_graph(
                "Duration of functions, maximum",
                [metrics.get_function_metric(f, "Duration", "Maximum") for f in Function],
            ),
            _build_graph(
                "Executions that failed",
                [
                    metrics.get_state_machine_metric(
                        workflows[w].state_machine_arn, w, "ExecutionsFailed"
                    )
                    for w in Workflow
                ],
            ),
            _build_graph(
                "Table",
                [metrics.get_table_metric(name, table.table_name) for name in _TABLE_METRICS],
            ),
        ]


def _build_graph(title: str, metrics: list[cloudwatch.Metric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=6, height=6)
