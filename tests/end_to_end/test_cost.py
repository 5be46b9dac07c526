"""The AWS usage of a small distribution."""

import time
from collections import Counter
from dataclasses import replace

import pytest

from bench.recording import Recording, record
from bench.usage import compute_idle_month, count_by_operation, count_read_units, count_write_units
from local.emulator.call_recorder import Call, CallRecorder
from tests.support.job import Job, make_two_label_lines
from twofold.settings import Function


@pytest.fixture
def hundred(job: Job, call_recorder: CallRecorder) -> Recording:
    train, test = job.create_pair(make_two_label_lines(100))
    return record(job.emulator, call_recorder, lambda: job.start_distribution(train, test))


def test_distributing_100_entries_takes_12_transitions_and_40_calls_at_most(
    hundred: Recording,
) -> None:
    assert hundred.usage.transitions + hundred.usage.children <= 12
    assert 0 < len(hundred.calls) <= 40, count_by_operation(hundred.calls)


def test_messages_between_states_stay_small(hundred: Recording) -> None:
    """The test of a quota-size job holds 2,500 times the entries to the same bound."""
    assert 0 < max(hundred.measure_payloads()) < 8_000


def test_a_sweep_of_nothing_is_two_queries(job: Job, call_recorder: CallRecorder) -> None:
    """Sweeps repeat until one has nothing to do: other tests on this emulator leave unsent events and active operations."""
    sweep, end = Counter[str](), time.monotonic() + 60
    while len(sweep) != 1 and time.monotonic() < end:
        with call_recorder.record() as calls:
            job.emulator.functions.invoke(Function.SETTLE, b"{}")
        sweep = count_by_operation(calls)
    assert sweep == {"DynamoDB Query": 2}


def test_a_month_of_sweeps_costs_cents() -> None:
    assert compute_idle_month() < 0.06


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
def test_capacity_units_are_computed_as_by_dynamodb(
    operation: str, request_: dict[str, object], sent: int, received: int, reads: int, writes: int
) -> None:
    """A transaction's writes count double."""
    call = Call("DynamoDB", operation, sent, received, request_)
    assert (count_read_units(call), count_write_units(call)) == (reads, writes)


def test_twice_the_work_costs_twice_as_much(hundred: Recording) -> None:
    usage = hundred.usage
    doubled = replace(
        usage,
        s3_writes=2 * usage.s3_writes,
        s3_reads=2 * usage.s3_reads,
        transitions=2 * usage.transitions,
        api_requests=2 * usage.api_requests,
    )
    assert doubled.compute_costs()["S3 requests"] == pytest.approx(
        2 * usage.compute_costs()["S3 requests"]
    )
    assert doubled.total > usage.total
