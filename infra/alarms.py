"""What wakes someone, and only what needs someone. docs/operations.md has an entry for each, by its name."""

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
"""A workflow times out after two hours, and Settle comes every minute: older than this, nobody ends it."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Goes off when `metric` is at `threshold` or above in `due` of the last `periods` periods.

    Where `silence_is_bad` it also tells of data that stop: then its state changes to "insufficient data". It begins in that
    state, so it is quiet until the first value of a new stage has come.
    """

    name: str
    meaning: str
    metric: cloudwatch.IMetric
    threshold: float
    due: int = 1
    periods: int = 1
    silence_is_bad: bool = False


def alarms(metrics: Metrics, undelivered: str) -> Iterator[Alarm]:
    """`undelivered` is the name of the queue of events that nobody has taken."""
    yield from _of_operations(metrics)
    yield from _of_functions(metrics)
    yield Alarm(
        "undelivered-events",
        "EventBridge could not reach Settle or Collect, or Settle failed on the news of an execution's end three times.",
        metrics.queue("ApproximateNumberOfMessagesVisible", undelivered),
        threshold=1,
    )


def _of_operations(metrics: Metrics) -> Iterator[Alarm]:
    yield Alarm(
        "stuck-operations",
        "An operation has been under way for longer than any workflow may take, or Settle does not run.",
        metrics.own(Metric.OLDEST_OPERATION, statistic="Maximum"),
        threshold=STUCK_AFTER.to_seconds(),
        due=3,
        periods=3,
        silence_is_bad=True,
    )
    yield Alarm(
        "unsettled-operations",
        "Settle fails again and again, so operations whose workflow has ended keep their datasets in progress.",
        metrics.function(Function.SETTLE, "Errors", period=Duration.minutes(15)),
        threshold=5,
    )
    yield Alarm(
        "failed-operations",
        "An operation ended with SERVICE_ERROR: contents are as before, but what was asked for was not done.",
        metrics.own(Metric.OPERATIONS, {Dimension.OUTCOME: Outcome.SERVICE_ERROR.value}),
        threshold=1,
    )
    yield Alarm(
        "failed-publishes",
        "Publish failed: lines did not add up, a shard left no record, or the store refused.",
        metrics.function(Function.PUBLISH, "Errors"),
        threshold=1,
    )


def _of_functions(metrics: Metrics) -> Iterator[Alarm]:
    yield Alarm(
        "server-errors",
        "Callers are answered with 5xx.",
        metrics.api("5XXError"),
        threshold=5,
        due=2,
        periods=3,
    )
    yield Alarm(
        "throttled-functions",
        "The account's concurrency is used up: Lambda throttles the API, Index or Move.",
        cloudwatch.MathExpression(
            expression="api + index + move",
            label="Throttles",
            using_metrics={
                function.value: metrics.function(function, "Throttles")
                for function in (Function.API, Function.INDEX, Function.MOVE)
            },
        ),
        threshold=10,
        due=3,
        periods=3,
    )
    yield Alarm(
        "uncollected-contents",
        "Collect has failed for three days: nothing is lost, and storage of contents that nobody points to grows.",
        metrics.function(Function.COLLECT, "Errors", period=Duration.days(1)),
        threshold=1,
        due=3,
        periods=3,
    )


class Alarms(Construct):
    """Each alarm tells one topic, which anything may subscribe to; `options.alarm_email` is subscribed."""

    def __init__(
        self, scope: Construct, id: str, *, options: Options, undelivered: sqs.IQueue
    ) -> None:
        super().__init__(scope, id)
        self._names = f"{PRODUCT}-{options.stage}"
        self.topic = sns.Topic(self, "Topic", enforce_ssl=True)
        self._let_alarms_publish()
        if options.alarm_email:
            self.topic.add_subscription(subscriptions.EmailSubscription(options.alarm_email))
        for alarm in alarms(Metrics(options.stage), undelivered.queue_name):
            self._alarm(alarm)
        CfnOutput(
            scope,
            "AlarmTopic",
            value=self.topic.topic_arn,
            description="What alarms are published to",
        )

    def _let_alarms_publish(self) -> None:
        """A topic with a policy of its own has lost the default one, which lets the account's alarms publish."""
        alarm = Stack.of(self).format_arn(
            service="cloudwatch",
            resource="alarm",
            resource_name=f"{self._names}-*",
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

    def _alarm(self, alarm: Alarm) -> None:
        missing = cloudwatch.TreatMissingData
        built = cloudwatch.Alarm(
            self,
            "".join(word.capitalize() for word in alarm.name.split("-")),
            alarm_name=f"{self._names}-{alarm.name}",
            alarm_description=f"{alarm.meaning} What to do: {RUNBOOK}#{alarm.name}",
            metric=alarm.metric,
            threshold=alarm.threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            datapoints_to_alarm=alarm.due,
            evaluation_periods=alarm.periods,
            treat_missing_data=missing.MISSING if alarm.silence_is_bad else missing.NOT_BREACHING,
        )
        action = actions.SnsAction(self.topic)
        built.add_alarm_action(action)
        built.add_ok_action(action)
        if alarm.silence_is_bad:
            built.add_insufficient_data_action(action)
