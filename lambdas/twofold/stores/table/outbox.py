"""Events that are still to be sent: each is written in the transaction that it tells of, and deleted when it has been sent."""

from twofold.settings import Partition
from twofold.settled import Settled
from twofold.stores.table.connection import ConditionFailedError, Table, Write

OUTBOX = Partition.OUTBOX.value


def put(table: Table, settled: Settled) -> Write:
    """A write for the transaction that settles the operation."""
    text = settled.model_dump_json(by_alias=True)
    return table.update(
        OUTBOX, settled.event, change="SET #Settled = :settled", values={":settled": text}
    )


def waiting(table: Table) -> list[Settled]:
    items = table.query_all(OUTBOX)
    return [Settled.model_validate_json(item["Settled"]) for item in items]


def forget(table: Table, settled: Settled) -> None:
    """What another has sent, too, is gone already."""
    try:
        table.transact([table.delete(OUTBOX, settled.event)])
    except ConditionFailedError:
        return
