"""EventBridge rules that invoke Settle and Collect: schedules and failed executions.

Invocations are asynchronous: Lambda queues the event and responds at once. Events can therefore be lost between EventBridge and
Lambda, and when the function fails. This module sets the retries for both cases.
"""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.functions import Functions
from infra.workflows import Workflows
from twofold.settings import Function, Workflow

SWEEP_INTERVAL = Duration.minutes(1)
COLLECTION_INTERVAL = Duration.days(1)

MAX_EVENT_AGE = Duration.hours(2)
"""The timeout of every workflow. After two hours no execution runs, and a sweep ends the operation without this event."""

_MAX_RETRIES = 2
"""Lambda's maximum; the retries follow after one and two minutes."""


class Rules(Construct):
    """Rules, and the dead-letter queue `undelivered`: events that reached no function, and failed-execution events on which
    Settle failed.

    Failed sweeps are neither retried nor queued: a sweep has no input, and the next sweep follows within a minute.
    """

    def __init__(
        self, scope: Construct, id: str, *, functions: Functions, workflows: Workflows
    ) -> None:
        super().__init__(scope, id)
        self._functions = functions
        self.undelivered = self._build_queue()
        settle, collect = functions.aliases[Function.SETTLE], functions.aliases[Function.COLLECT]
        events.Rule(
            self,
            "Unsettled",
            description="Settle operations of failed executions",
            event_pattern=_build_failed_execution_pattern(workflows),
            targets=[self._build_target(functions.settle_retried, MAX_EVENT_AGE, retries=185)],
        )
        events.Rule(
            self,
            "Sweep",
            description="Settle operations without a running execution",
            schedule=events.Schedule.rate(SWEEP_INTERVAL),
            targets=[self._build_target(settle, SWEEP_INTERVAL, retries=_MAX_RETRIES)],
        )
        events.Rule(
            self,
            "Collection",
            description="Delete contents that were unreferenced for the retention time",
            schedule=events.Schedule.rate(COLLECTION_INTERVAL),
            targets=[self._build_target(collect, MAX_EVENT_AGE, retries=185)],
        )
        self._configure_invocation("Sweeps", Function.SETTLE, settle, SWEEP_INTERVAL, retries=0)
        self._configure_invocation(
            "Collections", Function.COLLECT, collect, MAX_EVENT_AGE, retries=_MAX_RETRIES
        )
        self._configure_invocation(
            "Endings",
            Function.SETTLE,
            functions.settle_retried,
            MAX_EVENT_AGE,
            retries=_MAX_RETRIES,
            with_failure_queue=True,
        )

    def _build_queue(self) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            "Undelivered",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        acknowledge(
            queue,
            "This queue is the dead-letter queue; an alarm monitors its messages.",
            "AwsSolutions-SQS3",
        )
        return queue

    def _build_target(
        self, alias: lambda_.IFunction, age: Duration, *, retries: int
    ) -> targets.LambdaFunction:
        """Return a rule target with EventBridge's own retries, and the dead-letter queue for undelivered events."""
        return targets.LambdaFunction(
            alias, dead_letter_queue=self.undelivered, max_event_age=age, retry_attempts=retries
        )

    def _configure_invocation(
        self,
        id: str,
        function: Function,
        alias: lambda_.Alias,
        age: Duration,
        *,
        retries: int,
        with_failure_queue: bool = False,
    ) -> None:
        """Configure asynchronous invocations of an alias; `with_failure_queue` sends failed events to the queue."""
        queue = lambda_.CfnEventInvokeConfig.OnFailureProperty(
            destination=self.undelivered.queue_arn
        )
        config = lambda_.CfnEventInvokeConfig(
            self,
            id,
            function_name=self._functions[function].function_name,
            qualifier=alias.alias_name,
            maximum_retry_attempts=retries,
            maximum_event_age_in_seconds=age.to_seconds(),
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=queue
            )
            if with_failure_queue
            else None,
        )
        # On creation Lambda checks that the function's role may send to the queue.
        config.node.add_dependency(
            alias, self._functions.roles[function].node.find_child("DefaultPolicy")
        )


def _build_failed_execution_pattern(workflows: Workflows) -> events.EventPattern:
    return events.EventPattern(
        source=["aws.states"],
        detail_type=["Step Functions Execution Status Change"],
        detail={
            "status": ["FAILED", "TIMED_OUT", "ABORTED"],
            "stateMachineArn": [workflows[w].state_machine_arn for w in Workflow],
        },
    )
