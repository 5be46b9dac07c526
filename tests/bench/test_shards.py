"""The measurement of sizes, and the page about the chosen sizes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import shards
from bench.calibration import INDEX_SECONDS_PER_BYTE, MOVE_SECONDS_PER_BYTE
from bench.shards import MIB, SizeRun, measure_sizes, render_table
from bench.simulate import AS_DEPLOYED, simulate_distribution, simulate_ingest
from twofold.manifest.digests import DIGEST_MODULUS
from twofold.workflow import move

PAGE = (Path(__file__).parents[2] / "docs" / "performance.md").read_text(encoding="utf-8")


def test_each_size_is_measured_on_all_lines() -> None:
    runs = measure_sizes(4_000, (1, 2), rounds=1)
    assert [run.size for run in runs] == [1, 2]
    assert all(0 < run.move < 1e-6 and 0 < run.index < 1e-5 for run in runs)


def test_a_line_that_was_not_moved_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    transfer_shard = move.transfer_shard

    def transfer_lossily(*arguments: Any) -> object:
        record = transfer_shard(*arguments)
        first = record.sides[0]
        changed = first.model_copy(
            update={"digest": f"{(int(first.digest, 16) - 1) % DIGEST_MODULUS:x}"}
        )
        return record.model_copy(update={"sides": (changed, *record.sides[1:])})

    monkeypatch.setattr(move, "transfer_shard", transfer_lossily)
    with pytest.raises(ValueError, match="lines"):
        measure_sizes(1_000, (1,), rounds=1)


def test_smaller_shards_cost_more_and_larger_ones_take_longer() -> None:
    sizes = [
        replace(AS_DEPLOYED, range_bytes=size * MIB, shard_bytes=size * MIB) for size in (8, 128)
    ]
    for work in (simulate_ingest, simulate_distribution):
        small, large = (work(1_000_000, cut=cut) for cut in sizes)
        assert small.usage.total > large.usage.total
        assert small.seconds < large.seconds


def test_a_job_of_quota_size_stays_within_its_cost_limit_only_with_shards_of_this_size() -> None:
    smaller = replace(AS_DEPLOYED, shard_bytes=48 * MIB)
    assert (
        simulate_distribution(250_000).usage.total
        <= 0.0005
        < simulate_distribution(250_000, cut=smaller).usage.total
    )


def test_the_table_has_a_row_for_each_size() -> None:
    rows = render_table([SizeRun(32, 1e-8, 2e-9), SizeRun(64, 1e-8, 2e-9)]).splitlines()
    assert [row.split("|")[1:4] for row in rows[2:]] == [
        [" 32 ", " 100 ", " 500 "],
        [" 64 ", " 100 ", " 500 "],
    ]


def test_the_page_has_the_calibration_of_the_model() -> None:
    index_rate, move_rate = 1e-6 / INDEX_SECONDS_PER_BYTE, 1e-6 / MOVE_SECONDS_PER_BYTE
    assert (
        f"Index takes in {index_rate:.0f} MB/s, Move transfers {move_rate:.0f} MB/s"
        in PAGE.replace("\n", " ")
    )
    assert shards.BEGIN in PAGE
    assert shards.END in PAGE
