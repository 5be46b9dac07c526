"""What grows with a dataset: each range and each shard makes the calls that are listed, and nothing else makes more."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import moto.s3.models
import pytest

from bench import counts
from bench.counts import Calls
from bench.recording import Recorded, record
from bench.usage import by_operation
from local.meter import Meter
from local.stack import Stack
from tests import small_worker
from tests.backstage import Backstage
from tests.job import Job, two_labels
from tests.steps import steps_run_by
from twofold.settings import Function

PAGE = (Path(__file__).parents[1] / "docs" / "cost.md").read_text(encoding="utf-8")
ENTRIES = (5, 80, 120, 210)


@dataclass(frozen=True, slots=True)
class Work:
    """An operation's recorded calls, with the number of ranges and shards that it had."""

    recorded: Recorded

    @property
    def ranges(self) -> int:
        return self.recorded.usage.invocations.get(Function.INDEX, 0)

    @property
    def shards(self) -> int:
        return self.recorded.usage.invocations[Function.MOVE]

    def beyond(self, shard: Calls) -> Counter[str]:
        """Calls that are of no range and no shard; none is missing for those that are."""
        found = Counter(by_operation(self.recorded.calls))
        for calls, times in ((counts.OF_A_RANGE, self.ranges), (shard, self.shards)):
            found.subtract({name: number * times for name, number in calls.items()})
        assert min(found.values()) >= 0, found
        return +found


@pytest.fixture(scope="module")
def small_stack(stack: Stack) -> Iterator[Stack]:
    """The session's stack with workers of small sizes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moto.s3.models, "S3_UPLOAD_PART_MIN_SIZE", small_worker.LEAST_PART)
        with steps_run_by(stack, Path(small_worker.__file__), 2):
            yield stack


@pytest.fixture(scope="module")
def done(small_stack: Stack, backstage: Backstage) -> list[tuple[Work, Work]]:
    """Of each number of entries the ingest and the distribution."""
    assert isinstance(backstage.behind, Meter)
    return [_done(Job.begin(small_stack), backstage.behind, entries) for entries in ENTRIES]


def _done(job: Job, meter: Meter, entries: int) -> tuple[Work, Work]:
    source, arns = job.source(two_labels(entries)), []

    def create() -> None:
        arns.append(job.create_from("TRAIN", source))

    taken_in = record(job.stack, meter, create)
    test = job.create("TEST")
    distributed = record(job.stack, meter, lambda: job.distribute(arns[0], test))
    assert len(job.entries(test)) == (2 * entries + 5) // 10
    return Work(taken_in), Work(distributed)


def test_there_is_one_shard_and_there_are_several(done: list[tuple[Work, Work]]) -> None:
    for works in zip(*done, strict=True):
        number = [work.shards for work in works]
        assert number[0] == 1
        assert number[-1] >= 8
        assert len(set(number)) == len(ENTRIES)


@pytest.mark.parametrize(
    ("which", "shard"), [(0, counts.OF_A_SHARD), (1, counts.OF_A_SHARD_IN_TWO)]
)
def test_all_else_is_the_same_whatever_the_number_of_shards(
    done: list[tuple[Work, Work]], which: int, shard: Calls
) -> None:
    """One shard alone writes its objects at once, without uploads, and makes fewer calls than the formula says."""
    first, *several = [works[which] for works in done]
    for one, other in combinations(several, 2):
        assert one.beyond(shard) == other.beyond(shard), (one.shards, other.shards)
        assert one.recorded.usage.transitions == other.recorded.usage.transitions
        assert one.recorded.usage.write_units == other.recorded.usage.write_units
        assert one.recorded.usage.read_units == other.recorded.usage.read_units
        for work in (one, other):
            assert work.recorded.usage.children == work.ranges + work.shards
    assert 0 < len(first.recorded.calls) < len(several[0].recorded.calls)


def test_the_page_shows_what_each_takes() -> None:
    """`python -m bench.counts` prints it."""
    assert counts.table() in PAGE
