"""What indexing a line costs, told part by part."""

import sys
from pathlib import Path

import pytest

from bench import lines
from bench.manifests import write_manifest


def test_the_parts_and_the_whole_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "all.manifest"
    write_manifest(manifest, 3000)
    monkeypatch.setattr(sys, "argv", ["bench.lines", str(manifest)])
    lines.main()
    first, *rows = capsys.readouterr().out.splitlines()
    assert first.startswith("3000 lines")
    told = {
        row.split(" | ")[0].lstrip("| "): float(row.split(" | ")[1].rstrip(" |"))
        for row in rows[2:]
    }
    assert list(told) == [
        "cutting lines",
        "reading them by their shape",
        "hashes",
        "label sets and columns",
        "together",
        "together, by the rules alone",
    ]
    parts = list(told)[:4]
    assert told["together"] == pytest.approx(sum(told[part] for part in parts), abs=0.03)
    assert told["together"] < told["together, by the rules alone"]
