"""EventBridge: send events at least once, in no particular order. Repetitions have the same `eventId`."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from twofold.arns import Scope
from twofold.operation_event import DETAIL_TYPE, SOURCE, OperationEvent
from twofold.settings import Service
from twofold.stores.clients import create_client
from twofold.stores.table import Table, history

_CONFIG = Config(retries={"mode": "standard", "max_attempts": 2}, connect_timeout=2, read_timeout=5)


@cache
def get_client() -> Any:
    return create_client(Service.EVENTS, _CONFIG)


class EventNotSentError(Exception):
    """EventBridge rejected an event. The next run of Settle sends the event again."""


@dataclass(frozen=True, slots=True)
class Events:
    """The default event bus of the account, and the outbox of unsent events in the table."""

    table: Table
    scope: Scope

    def send(self, event: OperationEvent) -> None:
        """Send an event and delete it from the outbox. Raises EventNotSentError, ClientError, BotoCoreError."""
        detail = event.build_detail(self.scope)
        entry = {
            "Source": SOURCE,
            "DetailType": DETAIL_TYPE,
            "Time": datetime.fromtimestamp(event.ended / 1000, UTC),
            "Resources": [dataset["arn"] for dataset in detail["datasets"]],
            "Detail": json.dumps(detail),
        }
        response = get_client().put_events(Entries=[entry])
        if response.get("FailedEntryCount"):
            raise EventNotSentError(f"{event.event}: {response['Entries'][0].get('ErrorCode')}")
        history.delete_event(self.table, event)

    def try_to_send(self, event: OperationEvent) -> None:
        """Send the event of an operation that has just ended. If sending fails, the event stays in the outbox."""
        try:
            self.send(event)
        except (ClientError, BotoCoreError, EventNotSentError):
            return

    def send_unsent(self) -> None:
        """Send all events of the outbox. Raises an ExceptionGroup of all errors, after the last event."""
        errors = []
        for event in history.list_unsent_events(self.table):
            try:
                self.send(event)
            except (ClientError, BotoCoreError, EventNotSentError) as error:
                errors.append(error)
        if errors:
            raise ExceptionGroup("Some events could not be sent", errors)
