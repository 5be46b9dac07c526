"""CloudWatch metrics of alarms and dashboard: Twofold's namespace and the namespaces of AWS services."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from twofold.metrics import NAMESPACE, Dimension, Metric
from twofold.settings import PRODUCT, Function, Workflow, make_function_name

PERIOD = Duration.minutes(5)


@dataclass(frozen=True, slots=True)
class Metrics:
    """Metrics of one stage, with a period of five minutes by default."""

    stage: str

    def get_twofold_metric(
        self, metric: Metric, dimensions: dict[Dimension, str] | None = None, statistic: str = "Sum"
    ) -> cloudwatch.Metric:
        all_dimensions = {Dimension.STAGE: self.stage} | (dimensions or {})
        return self._build_metric(
            NAMESPACE, metric.value, {k.value: v for k, v in all_dimensions.items()}, statistic
        )

    def get_function_metric(
        self, function: Function, name: str, statistic: str = "Sum", period: Duration = PERIOD
    ) -> cloudwatch.Metric:
        dimensions = {"FunctionName": make_function_name(self.stage, function)}
        return self._build_metric("AWS/Lambda", name, dimensions, statistic, period)

    def get_api_metric(self, name: str, statistic: str = "Sum") -> cloudwatch.Metric:
        dimensions = {"ApiName": f"{PRODUCT}-{self.stage}"}
        return self._build_metric("AWS/ApiGateway", name, dimensions, statistic)

    def get_state_machine_metric(
        self, arn: str, workflow: Workflow, name: str
    ) -> cloudwatch.Metric:
        return self._build_metric(
            "AWS/States", name, {"StateMachineArn": arn}, "Sum", label=workflow
        )

    def get_queue_metric(self, name: str, queue_name: str) -> cloudwatch.Metric:
        return self._build_metric("AWS/SQS", name, {"QueueName": queue_name}, "Maximum")

    def get_table_metric(self, name: str, table_name: str) -> cloudwatch.Metric:
        return self._build_metric("AWS/DynamoDB", name, {"TableName": table_name}, "Sum")

    @staticmethod
    def _build_metric(
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
