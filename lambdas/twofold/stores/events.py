"""EventBridge: the only module that sends events. Each is sent at least once, in no order; `eventId` tells repetitions."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from twofold.arns import Scope
from twofold.settings import Service
from twofold.settled import DETAIL_TYPE, SOURCE, Settled
from twofold.stores.clients import client
from twofold.stores.table import Table, outbox

_CONFIG = Config(retries={"mode": "standard", "max_attempts": 2}, connect_timeout=2, read_timeout=5)


@cache
def _client() -> Any:
    return client(Service.EVENTS, _CONFIG)


class NotSentError(Exception):
    """EventBridge did not take an event; it waits for the next sweep."""


@dataclass(frozen=True, slots=True)
class Events:
    """The account's default bus, and what waits to be sent there."""

    table: Table
    scope: Scope

    def send(self, settled: Settled) -> None:
        """Raises NotSentError, ClientError, BotoCoreError; the event waits then."""
        detail = settled.detail(self.scope)
        entry = {
            "Source": SOURCE,
            "DetailType": DETAIL_TYPE,
            "Time": datetime.fromtimestamp(settled.ended / 1000, UTC),
            "Resources": [one["arn"] for one in detail["datasets"]],
            "Detail": json.dumps(detail),
        }
        answer = _client().put_events(Entries=[entry])
        if answer.get("FailedEntryCount"):
            raise NotSentError(f"{settled.event}: {answer['Entries'][0].get('ErrorCode')}")
        outbox.forget(self.table, settled)

    def try_to_send(self, settled: Settled) -> None:
        """For whoever has just settled an operation: that is done, whatever becomes of the event now."""
        try:
            self.send(settled)
        except (ClientError, BotoCoreError, NotSentError):
            return

    def send_waiting(self) -> None:
        """What nobody has sent yet. One that cannot be sent does not keep the others waiting."""
        failures = []
        for settled in outbox.waiting(self.table):
            try:
                self.send(settled)
            except (ClientError, BotoCoreError, NotSentError) as failure:
                failures.append(failure)
        if failures:
            raise ExceptionGroup("Some events could not be sent", failures)
