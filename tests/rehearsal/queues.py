"""SQS queues as subscribers of a stage's events and alarms."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.rehearsal.account import Account
from tests.rehearsal.datasets import PATIENCE_SECONDS


@dataclass(slots=True)
class Queue:
    """A queue; `bodies` are the messages received so far."""

    sqs: Any
    url: str
    arn: str
    bodies: list[str] = field(default_factory=list)

    @classmethod
    def create(cls, account: Account, name: str, *, principal: str) -> "Queue":
        """Create a queue with a policy for a sending service, such as `events.amazonaws.com`."""
        sqs = account.create_client("sqs")
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": principal},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        return cls(sqs, url, arn)

    def receive_until(self, complete: Callable[[list[str]], bool]) -> list[str]:
        """Receive messages until `complete` accepts all bodies or PATIENCE_SECONDS have passed; return all bodies."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not complete(self.bodies) and time.monotonic() < end:
            received = self.sqs.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=1
            )
            for message in received.get("Messages", ()):
                self.bodies.append(message["Body"])
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return self.bodies
