"""`twofold split --min-per-label`: images of each label on each side, or an error with labels and a number that works."""

import json
from pathlib import Path

import pytest

from tests.clients.command.terminal import make_labelled_lines, run_twofold, write_manifest
from tests.support.job import make_line


@pytest.mark.parametrize(
    "options",
    [(), ("--group-by", r"/(video-\d+/\d)", "--ungrouped", "single"), ("--balance-by", "label0")],
    ids=["entries", "groups", "levels"],
)
def test_a_covered_split_is_verified_and_tells_its_cost(
    options: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = make_labelled_lines(200)
    lines += [make_line(f"video-{i}/seldom", "seldom") for i in range(9)]
    lines += [make_line(f"video-{i}/rare", "rare") for i in range(7)]
    manifest = write_manifest(tmp_path, lines)
    arguments = (*options, "--min-per-label", 4)
    assert run_twofold("split", manifest, "-o", tmp_path / "out", *arguments) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_bytes())
    told = capsys.readouterr().out
    assert "Each label with 8 images or more has at least 4 on each side; cost: " in told
    assert "Labels with fewer than 8 images, not covered: rare." in told
    assert report["parameters"]["minPerLabel"] == 4
    row = next(row for row in report["labels"] if row["label"] == "seldom")
    assert 4 <= row["test"] <= 5
    assert run_twofold("verify", tmp_path / "out", "--source", manifest) == 0
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "--min-per-label 4" in page
    assert "1 label has too few images: rare." in page
    # The next split of the same entries keeps every side.
    arguments = (*arguments, "--previous", tmp_path / "out")
    assert run_twofold("split", manifest, "-o", tmp_path / "next", *arguments) == 0
    again = json.loads((tmp_path / "next" / "report.json").read_bytes())
    assert again["previous"]["leftTest"] == again["previous"]["enteredTest"] == 0
    assert run_twofold("verify", tmp_path / "next", "--previous", tmp_path / "out") == 0


def test_an_impossible_demand_is_refused_with_a_number_that_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ten labels of ten images each: 20 test entries have two images of each."""
    manifest = write_manifest(tmp_path, [make_line(i, f"label {i % 10}") for i in range(100)])
    assert run_twofold("split", manifest, "-o", tmp_path / "out", "--min-per-label", 5) == 1
    error = capsys.readouterr().err
    assert "There is no test set of 20 entries with at least 5 images of every label" in error
    assert "of 10 images in the test set" in error
    assert "The largest minimum below 5 that works is 2." in error
    assert not (tmp_path / "out").exists()
    assert run_twofold("split", manifest, "-o", tmp_path / "out", "--min-per-label", 2) == 0
    assert run_twofold("split", manifest, "-o", tmp_path / "out", "--min-per-label", 0) == 2
    assert "--min-per-label must be an integer from 1" in capsys.readouterr().err
