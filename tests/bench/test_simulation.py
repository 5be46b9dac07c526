"""The model of the deployed stack, and the page that shows it."""

from collections.abc import Callable
from itertools import pairwise
from math import inf
from pathlib import Path

import pytest

from bench import limits, simulate
from bench.simulate import SIZES, Simulated, distribute, ingest
from twofold.quotas import limits as quotas
from twofold.settings import SOLVER_MEMORY_MB, Quotas
from twofold.workflow.room import entries_in

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "performance.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("work", [ingest, distribute])
def test_more_entries_take_more_of_everything(work: Callable[[int], Simulated]) -> None:
    for one, ten_times in pairwise(work(size) for size in SIZES):
        assert one.seconds < ten_times.seconds
        assert one.usage.total < ten_times.usage.total <= one.usage.total * 10
        assert one.workers <= ten_times.workers
        assert one.memory_mb < ten_times.memory_mb


def test_a_million_entries_are_distributed_for_a_third_of_a_cent() -> None:
    assert distribute(1_000_000).usage.total <= 0.003
    assert all(distribute(size).usage.total <= 0.003 * size / 1e6 for size in SIZES[1:])


def test_nothing_breaks_within_the_quotas_that_memory_does_not_explain() -> None:
    allowed = quotas(Quotas.TWOFOLD).manifest_lines
    binding = [one for one in limits.all_limits(SOLVER_MEMORY_MB) if one.entries < allowed]
    assert [one.entries for one in binding] == [entries_in(SOLVER_MEMORY_MB)]


def test_the_first_limit_to_bind_is_named_with_what_lifts_it() -> None:
    assert limits.first_to_bind(1_000_000, SOLVER_MEMORY_MB) == "-"
    assert "solver_memory_mb" in limits.first_to_bind(50_000_000, SOLVER_MEMORY_MB)
    assert limits.first_to_bind(50_000_000, 10_240) == "-"


@pytest.mark.parametrize(
    "limit", ["256 KiB", "25,000 events", "28 s", "6 MB", "15 minutes", "10,000 children"]
)
def test_each_limit_of_aws_has_its_line(limit: str) -> None:
    (line,) = [one for one in limits.all_limits(SOLVER_MEMORY_MB) if one.name.startswith(limit)]
    assert line.entries == inf or line.entries > quotas(Quotas.TWOFOLD).manifest_lines


@pytest.mark.parametrize("table", [simulate.table(), limits.table()], ids=["model", "limits"])
def test_the_page_shows_what_the_model_prints(table: str) -> None:
    """`make simulate` prints both."""
    assert table in PAGE


def test_the_page_on_cost_shows_what_the_model_prints() -> None:
    assert simulate.cost_table() in (DOCS / "cost.md").read_text(encoding="utf-8")
