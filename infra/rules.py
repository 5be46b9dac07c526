"""What wakes Settle and Collect: schedules, and executions that end badly.

Lambda takes an event into a queue of its own and answers at once, so an event can be lost in two places: on its way to Lambda,
and when the function fails. How often each is tried again, and for how long, is set here.
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

SWEEP = Duration.minutes(1)
COLLECTION = Duration.days(1)

WORTH_TELLING = Duration.hours(2)
"""After that no execution runs any more, so a sweep ends its operation whatever Step Functions says of it."""

_RETRIES = 2
"""Lambda's most, after one minute and after two more."""


class Rules(Construct):
    """`undelivered` is the queue of events that did not reach a function, and of ends of executions that Settle failed on.

    A sweep carries nothing, and the next comes within a minute: Lambda does not repeat or keep one that Settle fails on.
    """

    def __init__(
        self, scope: Construct, id: str, *, functions: Functions, workflows: Workflows
    ) -> None:
        super().__init__(scope, id)
        self._functions = functions
        self.undelivered = self._queue()
        settle, collect = functions.doors[Function.SETTLE], functions.doors[Function.COLLECT]
        events.Rule(
            self,
            "Unsettled",
            description="An execution ended without settling its datasets",
            event_pattern=_failed_executions(workflows),
            targets=[self._target(functions.settle_retried, WORTH_TELLING, retries=185)],
        )
        events.Rule(
            self,
            "Sweep",
            description="Look for operations that nothing works on any more",
            schedule=events.Schedule.rate(SWEEP),
            targets=[self._target(settle, SWEEP, retries=_RETRIES)],
        )
        events.Rule(
            self,
            "Collection",
            description="Remove contents that no dataset has pointed to for the retention time",
            schedule=events.Schedule.rate(COLLECTION),
            targets=[self._target(collect, WORTH_TELLING, retries=185)],
        )
        self._invoke("Sweeps", Function.SETTLE, settle, SWEEP, retries=0)
        self._invoke("Collections", Function.COLLECT, collect, WORTH_TELLING, retries=_RETRIES)
        self._invoke(
            "Endings",
            Function.SETTLE,
            functions.settle_retried,
            WORTH_TELLING,
            retries=_RETRIES,
            kept=True,
        )

    def _queue(self) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            "Undelivered",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        acknowledge(
            queue,
            "This is the queue that dead letters go to; an alarm watches it.",
            "AwsSolutions-SQS3",
        )
        return queue

    def _target(
        self, alias: lambda_.IFunction, age: Duration, *, retries: int
    ) -> targets.LambdaFunction:
        """EventBridge's way to Lambda."""
        return targets.LambdaFunction(
            alias, dead_letter_queue=self.undelivered, max_event_age=age, retry_attempts=retries
        )

    def _invoke(
        self,
        id: str,
        function: Function,
        alias: lambda_.Alias,
        age: Duration,
        *,
        retries: int,
        kept: bool = False,
    ) -> None:
        """Lambda's way to the function; with `kept`, an event that it fails on goes to the queue."""
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
            if kept
            else None,
        )
        # Lambda looks whether the function's role may send to the queue.
        config.node.add_dependency(
            alias, self._functions.roles[function].node.find_child("DefaultPolicy")
        )


def _failed_executions(workflows: Workflows) -> events.EventPattern:
    return events.EventPattern(
        source=["aws.states"],
        detail_type=["Step Functions Execution Status Change"],
        detail={
            "status": ["FAILED", "TIMED_OUT", "ABORTED"],
            "stateMachineArn": [workflows[w].state_machine_arn for w in Workflow],
        },
    )
