"""The sweep of sizes, and what the page says of the sizes that were chosen."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench import shards
from bench.calibrated import INDEX_SECONDS_PER_BYTE, MOVE_SECONDS_PER_BYTE
from bench.shards import MIB, Swept, sweep, table
from bench.simulate import AS_DEPLOYED, distribute, ingest
from twofold.manifest.carve import DIGEST_MODULUS
from twofold.workflow import move

PAGE = (Path(__file__).parents[2] / "docs" / "performance.md").read_text(encoding="utf-8")


def test_each_size_is_measured_on_all_lines() -> None:
    found = sweep(4_000, (1, 2), rounds=1)
    assert [one.size for one in found] == [1, 2]
    assert all(0 < one.move < 1e-6 and 0 < one.index < 1e-5 for one in found)


def test_a_line_that_was_not_moved_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = move.move

    def lossy(*given: object) -> object:
        record = whole(*given)  # type: ignore[arg-type]
        first = record.sides[0]
        less = first.model_copy(
            update={"digest": f"{(int(first.digest, 16) - 1) % DIGEST_MODULUS:x}"}
        )
        return record.model_copy(update={"sides": (less, *record.sides[1:])})

    monkeypatch.setattr(move, "move", lossy)
    with pytest.raises(ValueError, match="lines"):
        sweep(1_000, (1,), rounds=1)


def test_smaller_shards_cost_more_and_larger_ones_take_longer() -> None:
    sizes = [
        replace(AS_DEPLOYED, range_bytes=size * MIB, shard_bytes=size * MIB) for size in (8, 128)
    ]
    for work in (ingest, distribute):
        small, large = (work(1_000_000, cut=cut) for cut in sizes)
        assert small.usage.total > large.usage.total
        assert small.seconds < large.seconds


def test_a_quota_size_job_costs_no_more_than_it_may_because_shards_are_this_large() -> None:
    smaller = replace(AS_DEPLOYED, shard_bytes=48 * MIB)
    assert distribute(250_000).usage.total <= 0.0005 < distribute(250_000, cut=smaller).usage.total


def test_the_table_has_a_row_for_each_size() -> None:
    rows = table([Swept(32, 1e-8, 2e-9), Swept(64, 1e-8, 2e-9)]).splitlines()
    assert [row.split("|")[1:4] for row in rows[2:]] == [
        [" 32 ", " 100 ", " 500 "],
        [" 64 ", " 100 ", " 500 "],
    ]


def test_the_page_says_what_the_model_reckons_with() -> None:
    index, carved = (1e-6 / one for one in (INDEX_SECONDS_PER_BYTE, MOVE_SECONDS_PER_BYTE))
    assert f"Index takes in {index:.0f} MB/s, Move carves {carved:.0f} MB/s" in PAGE.replace(
        "\n", " "
    )
    assert shards.BEGIN in PAGE
    assert shards.END in PAGE
