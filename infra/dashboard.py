"""One page that shows a stage at a glance: calls, operations, shards, and what went wrong."""

from aws_cdk import Aws
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.metrics import Metrics
from infra.options import Options
from infra.workflows import Workflows
from twofold.metrics import Dimension, Metric, Outcome
from twofold.settings import PRODUCT, Function, Operation, Workflow

_STATUSES = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
_SHARDED = (Function.INDEX, Function.GROUP, Function.MOVE)
_DATABASE_LIMITS = ("ReadThrottleEvents", "WriteThrottleEvents", "TransactionConflict")


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
        # The names of dashboards are the account's, whatever region they show.
        name = f"{PRODUCT}-{options.stage}-{Aws.REGION}"
        board = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=name)
        board.add_widgets(*self._calls())
        board.add_widgets(*self._operations())
        board.add_widgets(*self._work())
        board.add_widgets(*self._trouble(workflows, table))

    def _calls(self) -> list[cloudwatch.IWidget]:
        own = self._metrics.own
        by = [{Dimension.OPERATION: operation.value} for operation in Operation]
        return [
            _graph("Calls", [own(Metric.CALLS, one) for one in by]),
            _graph("Latency, p99", [own(Metric.LATENCY, one, "p99") for one in by]),
            _graph(
                "Answers of the gateway", [self._metrics.api(n) for n in ("4XXError", "5XXError")]
            ),
        ]

    def _operations(self) -> list[cloudwatch.IWidget]:
        own = self._metrics.own
        statuses = [{Dimension.STATUS: status} for status in _STATUSES]
        outcomes = [{Dimension.OUTCOME: outcome.value} for outcome in Outcome]
        kinds = [{Dimension.WORKFLOW: workflow.value} for workflow in Workflow]
        return [
            _graph("Operations by outcome", [own(Metric.OPERATIONS, one) for one in outcomes]),
            _graph("Operations by workflow", [own(Metric.OPERATIONS, one) for one in kinds]),
            _graph(
                "Time in each status, p50 and p99",
                [
                    own(Metric.TIME_IN_PROGRESS, one, statistic)
                    for one in statuses
                    for statistic in ("p50", "p99")
                ],
            ),
            _graph(
                "Under way, and the age of the oldest in seconds",
                [
                    own(Metric.ACTIVE_OPERATIONS, statistic="Maximum"),
                    own(Metric.OLDEST_OPERATION, statistic="Maximum"),
                ],
            ),
        ]

    def _work(self) -> list[cloudwatch.IWidget]:
        own = self._metrics.own
        sharded = [{Dimension.FUNCTION: function.value} for function in _SHARDED]
        return [
            _graph(metric.value, [own(metric, one) for one in sharded])
            for metric in (Metric.SHARDS, Metric.ENTRIES, Metric.BYTES)
        ]

    def _trouble(self, workflows: Workflows, table: dynamodb.ITable) -> list[cloudwatch.IWidget]:
        metrics = self._metrics
        return [
            _graph("Errors of functions", [metrics.function(f, "Errors") for f in Function]),
            _graph("Throttles of functions", [metrics.function(f, "Throttles") for f in Function]),
            _graph(
                "Duration of functions, maximum",
                [metrics.function(f, "Duration", "Maximum") for f in Function],
            ),
            _graph(
                "Executions that failed",
                [
                    metrics.machine(workflows[w].state_machine_arn, w, "ExecutionsFailed")
                    for w in Workflow
                ],
            ),
            _graph("Table", [metrics.table(name, table.table_name) for name in _DATABASE_LIMITS]),
        ]


def _graph(title: str, metrics: list[cloudwatch.Metric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=6, height=6)
