"""Metrics that alarms and the dashboard look at: Twofold's own, and those that AWS publishes about its parts."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from twofold.metrics import NAMESPACE, Dimension, Metric
from twofold.settings import PRODUCT, Function, Workflow, function_name

PERIOD = Duration.minutes(5)


@dataclass(frozen=True, slots=True)
class Metrics:
    """Those of one stage; each is over five minutes unless told otherwise."""

    stage: str

    def own(
        self, metric: Metric, by: dict[Dimension, str] | None = None, statistic: str = "Sum"
    ) -> cloudwatch.Metric:
        dimensions = {Dimension.STAGE: self.stage} | (by or {})
        return self._metric(
            NAMESPACE, metric.value, {k.value: v for k, v in dimensions.items()}, statistic
        )

    def function(
        self, function: Function, name: str, statistic: str = "Sum", period: Duration = PERIOD
    ) -> cloudwatch.Metric:
        dimensions = {"FunctionName": function_name(self.stage, function)}
        return self._metric("AWS/Lambda", name, dimensions, statistic, period)

    def api(self, name: str, statistic: str = "Sum") -> cloudwatch.Metric:
        dimensions = {"ApiName": f"{PRODUCT}-{self.stage}"}
        return self._metric("AWS/ApiGateway", name, dimensions, statistic)

    def machine(self, arn: str, workflow: Workflow, name: str) -> cloudwatch.Metric:
        return self._metric("AWS/States", name, {"StateMachineArn": arn}, "Sum", label=workflow)

    def queue(self, name: str, queue_name: str) -> cloudwatch.Metric:
        return self._metric("AWS/SQS", name, {"QueueName": queue_name}, "Maximum")

    def table(self, name: str, table_name: str) -> cloudwatch.Metric:
        return self._metric("AWS/DynamoDB", name, {"TableName": table_name}, "Sum")

    @staticmethod
    def _metric(
        namespace: str,
        name: str,
        dimensions: dict[str, str],
        statistic: str,
        period: Duration = PERIOD,
        label: str | None = None,
    ) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=namespace,
            metric_name=name,
            dimensions_map=dimensions,
            statistic=statistic,
            period=period,
            label=label,
        )
