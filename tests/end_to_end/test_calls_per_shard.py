"""The calls that grow with a dataset: each range and each shard makes the listed calls, and no other calls grow."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import moto.s3.models
import pytest

from bench import counts
from bench.counts import Calls
from bench.recording import Recording, record
from bench.usage import count_by_operation
from local.emulator.call_recorder import CallRecorder
from local.emulator.server import Emulator
from tests.support import small_worker
from tests.support.job import Job, make_two_label_lines
from tests.support.request_interceptor import RequestInterceptor
from tests.support.step_workers import use_step_workers
from twofold.settings import Function

PAGE = (Path(__file__).parents[2] / "docs" / "cost.md").read_text(encoding="utf-8")
ENTRIES = (5, 80, 120, 210)


@dataclass(frozen=True, slots=True)
class Work:
    """The recorded calls of an operation, with its number of ranges and shards."""

    recorded: Recording

    @property
    def ranges(self) -> int:
        return self.recorded.usage.invocations.get(Function.INDEX, 0)

    @property
    def shards(self) -> int:
        return self.recorded.usage.invocations[Function.MOVE]

    def count_other_calls(self, shard: Calls) -> Counter[str]:
        """Return the calls beyond those of ranges and shards. Fails if a range or shard made fewer calls."""
        remaining = Counter(count_by_operation(self.recorded.calls))
        for calls, times in ((counts.RANGE_CALLS, self.ranges), (shard, self.shards)):
            remaining.subtract({name: number * times for name, number in calls.items()})
        assert min(remaining.values()) >= 0, remaining
        return +remaining


@pytest.fixture(scope="module")
def small_emulator(emulator: Emulator) -> Iterator[Emulator]:
    """The emulator of the session, with step workers that use small sizes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moto.s3.models, "S3_UPLOAD_PART_MIN_SIZE", small_worker.LEAST_PART)
        with use_step_workers(emulator, Path(small_worker.__file__), 2):
            yield emulator


@pytest.fixture(scope="module")
def recorded_work(
    small_emulator: Emulator, request_interceptor: RequestInterceptor
) -> list[tuple[Work, Work]]:
    """The ingest and the distribution for each number of entries."""
    assert isinstance(request_interceptor.application, CallRecorder)
    return [
        _record_work(Job.start(small_emulator), request_interceptor.application, entries)
        for entries in ENTRIES
    ]


def _record_work(job: Job, call_recorder: CallRecorder, entries: int) -> tuple[Work, Work]:
    source, arns = job.upload_source(make_two_label_lines(entries)), []

    def create() -> None:
        arns.append(job.create_dataset_from("TRAIN", source))

    taken_in = record(job.emulator, call_recorder, create)
    test = job.create_dataset("TEST")
    distributed = record(job.emulator, call_recorder, lambda: job.start_distribution(arns[0], test))
    assert len(job.list_entries(test)) == (2 * entries + 5) // 10
    return Work(taken_in), Work(distributed)


def test_there_is_one_shard_and_there_are_several(recorded_work: list[tuple[Work, Work]]) -> None:
    for works in zip(*recorded_work, strict=True):
        number = [work.shards for work in works]
        assert number[0] == 1
        assert number[-1] >= 8
        assert len(set(number)) == len(ENTRIES)


@pytest.mark.parametrize(
    ("which", "shard"), [(0, counts.SHARD_CALLS), (1, counts.DISTRIBUTED_SHARD_CALLS)]
)
def test_all_else_is_the_same_whatever_the_number_of_shards(
    recorded_work: list[tuple[Work, Work]], which: int, shard: Calls
) -> None:
    """A single shard writes its objects without multipart uploads, and makes fewer calls than the formula."""
    first, *several = [works[which] for works in recorded_work]
    for first_work, second_work in combinations(several, 2):
        assert first_work.count_other_calls(shard) == second_work.count_other_calls(shard)
        assert first_work.recorded.usage.transitions == second_work.recorded.usage.transitions
        assert first_work.recorded.usage.write_units == second_work.recorded.usage.write_units
        assert first_work.recorded.usage.read_units == second_work.recorded.usage.read_units
        for work in (first_work, second_work):
            assert work.recorded.usage.children == work.ranges + work.shards
    assert 0 < len(first.recorded.calls) < len(several[0].recorded.calls)


def test_docs_cost_shows_the_calls_of_each_range_and_shard() -> None:
    """`python -m bench counts` prints it."""
    assert counts.render_table() in PAGE
