"""What a small distribution asks of AWS."""

from dataclasses import replace

import pytest

from bench.recording import Recorded, record
from bench.usage import by_operation, idle_month, read_units, write_units
from local.meter import Call, Meter
from tests.job import Job, two_labels
from twofold.settings import Function


@pytest.fixture
def hundred(job: Job, meter: Meter) -> Recorded:
    train, test = job.pair(two_labels(100))
    return record(job.stack, meter, lambda: job.distribute(train, test))


def test_distributing_100_entries_takes_12_transitions_and_40_calls_at_most(
    hundred: Recorded,
) -> None:
    assert hundred.usage.transitions + hundred.usage.children <= 12
    assert 0 < len(hundred.calls) <= 40, by_operation(hundred.calls)


def test_what_states_tell_each_other_stays_small(hundred: Recorded) -> None:
    """The test of a quota-size job holds 2,500 times the entries to the same bound."""
    assert 0 < max(hundred.payloads()) < 8_000


def test_a_sweep_of_nothing_is_two_queries(job: Job, meter: Meter) -> None:
    """The first sweep sends what other tests on this stack have left to be told."""
    job.stack.functions.invoke(Function.SETTLE, b"{}")
    with meter.recording() as calls:
        job.stack.functions.invoke(Function.SETTLE, b"{}")
    assert by_operation(calls) == {"DynamoDB Query": 2}


def test_a_month_of_sweeps_costs_cents() -> None:
    assert idle_month() < 0.06


@pytest.mark.parametrize(
    ("operation", "request_", "sent", "received", "reads", "writes"),
    [
        ("GetItem", {}, 100, 700, 1, 0),
        ("GetItem", {}, 100, 4097, 2, 0),
        ("BatchGetItem", {"RequestItems": {"t": {"Keys": [{}, {}, {}]}}}, 100, 700, 3, 0),
        ("UpdateItem", {}, 100, 700, 0, 1),
        ("TransactWriteItems", {"TransactItems": [{}, {}, {}]}, 900, 2, 0, 6),
        ("TransactWriteItems", {"TransactItems": [{}, {}]}, 3000, 2, 0, 6),
    ],
)
def test_units_are_reckoned_as_dynamodb_does(
    operation: str, request_: dict[str, object], sent: int, received: int, reads: int, writes: int
) -> None:
    """A transaction's writes count double."""
    call = Call("DynamoDB", operation, sent, received, request_)
    assert (read_units(call), write_units(call)) == (reads, writes)


def test_twice_the_work_costs_twice_as_much(hundred: Recorded) -> None:
    one = hundred.usage
    two = replace(
        one,
        s3_writes=2 * one.s3_writes,
        s3_reads=2 * one.s3_reads,
        transitions=2 * one.transitions,
        api_requests=2 * one.api_requests,
    )
    assert two.dollars()["S3 requests"] == pytest.approx(2 * one.dollars()["S3 requests"])
    assert two.total > one.total
