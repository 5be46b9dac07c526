"""CloudWatch alarms and the SNS topic of a stage. docs/operations.md has a runbook entry for each alarm, by name."""

from collections.abc import Iterator
from dataclasses import dataclass

from aws_cdk import ArnFormat, Aws, CfnOutput, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.metrics import Metrics
from infra.options import Options
from twofold.metrics import Dimension, Metric, Outcome
from twofold.settings import PRODUCT, Function

RUNBOOK = "docs/operations.md"

STUCK_AFTER = Duration.minutes(135)
"""A workflow times out after two hours and Settle runs every minute, so an older operation is stuck."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm on a metric that is at or above a threshold.

    name                    suffix of the alarm's name, and the anchor in docs/operations.md
    meaning                 first sentence of the alarm's description
    datapoints_to_alarm     breaching periods among the last `evaluation_periods`
    alerts_on_missing_data  whether a metric without values notifies the topic ("insufficient data"); every alarm begins in
                            this state, so a new stage notifies nobody before the first value
    """

    name: str
    meaning: str
    metric: cloudwatch.IMetric
    threshold: float
    datapoints_to_alarm: int = 1
    evaluation_periods: int = 1
    alerts_on_missing_data: bool = False


def build_alarms(metrics: Metrics, undelivered_queue_name: str) -> Iterator[Alarm]:
    """Yield all alarms of a stage; `undelivered_queue_name` names the dead-letter queue of events."""
    yield from _build_operation_alarms(metrics)
    yield from _build_function_alarms(metrics)
    yield Alarm(
        "undelivered-events",
        "EventBridge could not invoke Settle or Collect, or Settle failed three times on the event of an ended execution.",
        metrics.get_queue_metric("ApproximateNumberOfMessagesVisible", undelivered_queue_name),
        threshold=1,
    )


def _build_operation_alarms(metrics: Metrics) -> Iterator[Alarm]:
    yield Alarm(
        "stuck-operations",
        "An operation has been in progress for longer than the timeout of a workflow, or Settle does not run.",
        metrics.get_twofold_metric(Metric.OLDEST_OPERATION, statistic="Maximum"),
        threshold=STUCK_AFTER.to_seconds(),
        datapoints_to_alarm=3,
        evaluation_periods=3,
        alerts_on_missing_data=True,
    )
    yield Alarm(
        "unsettled-operations",
        "Settle fails repeatedly, so datasets of ended workflows stay in progress.",
        metrics.get_function_metric(Function.SETTLE, "Errors", period=Duration.minutes(15)),
        threshold=5,
    )
    yield Alarm(
        "failed-operations",
        "An operation ended with SERVICE_ERROR: the contents are unchanged, and the requested change was not made.",
        metrics.get_twofold_metric(
            Metric.OPERATIONS, {Dimension.OUTCOME: Outcome.SERVICE_ERROR.value}
        ),
        threshold=1,
    )
    yield Alarm(
        "failed-publishes",
        "Publish failed: line counts or digests do not match, the record of a shard is missing, or S3 or DynamoDB refused.",
        metrics.get_function_metric(Function.PUBLISH, "Errors"),
        threshold=1,
    )


def _build_function_alarms(metrics: Metrics) -> Iterator[Alarm]:
    yield Alarm(
        "server-errors",
        "The API responds with 5xx errors.",
        metrics.get_api_metric("5XXError"),
        threshold=5,
        datapoints_to_alarm=2,
        evaluation_periods=3,
    )
    yield Alarm(
        "throttled-functions",
        "The account's concurrent executions are exhausted: Lambda throttles the API, Index or Move.",
        cloudwatch.MathExpression(
            expression="api + index + move",
            label="Throttles",
            using_metrics={
                function.value: metrics.get_function_metric(function, "Throttles")
                for function in (Function.API, Function.INDEX, Function.MOVE)
            },
        ),
        threshold=10,
        datapoints_to_alarm=3,
        evaluation_periods=3,
    )
    yield Alarm(
        "uncollected-contents",
        "Collect has failed for three days: no data is lost, but unreferenced contents accumulate in the bucket.",
        metrics.get_function_metric(Function.COLLECT, "Errors", period=Duration.days(1)),
        threshold=1,
        datapoints_to_alarm=3,
        evaluation_periods=3,
    )


class Alarms(Construct):
    """All alarms notify one SNS topic; the address `options.alarm_email` is subscribed to the topic."""

    def __init__(
        self, scope: Construct, id: str, *, options: Options, undelivered: sqs.IQueue
    ) -> None:
        super().__init__(scope, id)
        self._name_prefix = f"{PRODUCT}-{options.stage}"
        self.topic = sns.Topic(self, "Topic", enforce_ssl=True)
        self._allow_alarms_to_publish()
        if options.alarm_email:
            self.topic.add_subscription(subscriptions.EmailSubscription(options.alarm_email))
        for alarm in build_alarms(Metrics(options.stage), undelivered.queue_name):
            self._add_alarm(alarm)
        CfnOutput(
            scope,
            "AlarmTopic",
            value=self.topic.topic_arn,
            description="SNS topic of the alarms",
        )

    def _allow_alarms_to_publish(self) -> None:
        """Allow the alarms of this stage to publish: `enforce_ssl` replaces the default topic policy, which allows alarms."""
        alarm = Stack.of(self).format_arn(
            service="cloudwatch",
            resource="alarm",
            resource_name=f"{self._name_prefix}-*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AllowAlarmsOfThisStage",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                    "ArnLike": {"aws:SourceArn": alarm},
                },
            )
        )

    def _add_alarm(self, alarm: Alarm) -> None:
        missing = cloudwatch.TreatMissingData
        cloudwatch_alarm = cloudwatch.Alarm(
            self,
            "".join(word.capitalize() for word in alarm.name.split("-")),
            alarm_name=f"{self._name_prefix}-{alarm.name}",
            alarm_description=f"{alarm.meaning} What to do: {RUNBOOK}#{alarm.name}",
            metric=alarm.metric,
            threshold=alarm.threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            datapoints_to_alarm=alarm.datapoints_to_alarm,
            evaluation_periods=alarm.evaluation_periods,
            treat_missing_data=missing.MISSING
            if alarm.alerts_on_missing_data
            else missing.NOT_BREACHING,
        )
        action = actions.SnsAction(self.topic)
        cloudwatch_alarm.add_alarm_action(action)
        cloudwatch_alarm.add_ok_action(action)
        if alarm.alerts_on_missing_data:
            cloudwatch_alarm.add_insufficient_data_action(action)
