"""The cost of indexing a line, by part."""

import sys
from pathlib import Path

import pytest

from bench import lines
from bench.manifests import write_manifest


def test_the_parts_and_the_whole_are_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "all.manifest"
    write_manifest(manifest, 3000)
    monkeypatch.setattr(sys, "argv", ["bench.lines", str(manifest)])
    lines.main()
    first, *rows = capsys.readouterr().out.splitlines()
    assert first.startswith("3000 lines")
    ratios = {
        row.split(" | ")[0].lstrip("| "): float(row.split(" | ")[1].rstrip(" |"))
        for row in rows[2:]
    }
    assert list(ratios) == [
        "cutting lines",
        "reading lines of known form",
        "hashes",
        "label sets and columns",
        "total",
        "total, by the rules alone",
    ]
    parts = list(ratios)[:4]
    assert ratios["total"] == pytest.approx(sum(ratios[part] for part in parts), abs=0.03)
    assert ratios["total"] < ratios["total, by the rules alone"]
