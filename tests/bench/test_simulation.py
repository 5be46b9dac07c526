"""The model of the deployed stack, and the page that shows it."""

from collections.abc import Callable
from itertools import pairwise
from math import inf
from pathlib import Path

import pytest

from bench import limits, simulate
from bench.simulate import SIZES, SimulatedJob, simulate_distribution, simulate_ingest
from twofold.quotas import get_quotas
from twofold.settings import SOLVER_MEMORY_MB, QuotaProfile
from twofold.workflow.memory import estimate_max_entries

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "performance.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("work", [simulate_ingest, simulate_distribution])
def test_more_entries_take_more_of_everything(work: Callable[[int], SimulatedJob]) -> None:
    for job, ten_times in pairwise(work(size) for size in SIZES):
        assert job.seconds < ten_times.seconds
        assert job.usage.total < ten_times.usage.total <= job.usage.total * 10
        assert job.workers <= ten_times.workers
        assert job.memory_mb < ten_times.memory_mb


def test_a_million_entries_are_distributed_for_a_third_of_a_cent() -> None:
    assert simulate_distribution(1_000_000).usage.total <= 0.003
    assert all(simulate_distribution(size).usage.total <= 0.003 * size / 1e6 for size in SIZES[1:])


def test_within_the_quotas_only_memory_can_be_exceeded() -> None:
    allowed = get_quotas(QuotaProfile.TWOFOLD).manifest_lines
    binding = [
        limit for limit in limits.iterate_limits(SOLVER_MEMORY_MB) if limit.entries < allowed
    ]
    assert [limit.entries for limit in binding] == [estimate_max_entries(SOLVER_MEMORY_MB)]


def test_the_first_limit_is_named_with_its_remedy() -> None:
    assert limits.describe_first_limit(1_000_000, SOLVER_MEMORY_MB) == "-"
    assert "solver_memory_mb" in limits.describe_first_limit(50_000_000, SOLVER_MEMORY_MB)
    assert limits.describe_first_limit(50_000_000, 10_240) == "-"


@pytest.mark.parametrize(
    "name", ["256 KiB", "25,000 events", "28 s", "6 MB", "15 minutes", "10,000 children"]
)
def test_each_limit_of_aws_has_its_line(name: str) -> None:
    (limit,) = [
        limit for limit in limits.iterate_limits(SOLVER_MEMORY_MB) if limit.name.startswith(name)
    ]
    assert limit.entries == inf or limit.entries > get_quotas(QuotaProfile.TWOFOLD).manifest_lines


@pytest.mark.parametrize(
    "table", [simulate.render_table(), limits.render_table()], ids=["model", "limits"]
)
def test_the_page_shows_the_tables_of_the_model(table: str) -> None:
    """`python -m bench simulate` prints both."""
    assert table in PAGE


def test_the_page_on_cost_shows_the_table_of_the_model() -> None:
    assert simulate.render_cost_table() in (DOCS / "cost.md").read_text(encoding="utf-8")
