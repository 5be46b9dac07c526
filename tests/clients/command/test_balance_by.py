"""`twofold split --balance-by`: members of the lines are balanced like labels, and verified."""

import json
from pathlib import Path
from random import Random

import pytest

from tests.clients.command.terminal import make_labelled_lines, run_twofold, write_manifest
from twofold_command import indexing

MEMBERS = "camera,weather,age:4"


def make_lines(count: int, seed: int = 0) -> list[str]:
    random = Random(seed)
    return [
        line.replace(
            "{",
            f'{{"camera":"{random.choice("xyz")}","weather":{random.choice(["true", "null"])},"age":{random.random()},',
            1,
        )
        for line in make_labelled_lines(count, seed)
    ]


def read_bytes(folder: Path) -> list[bytes]:
    return [
        (folder / name).read_bytes() for name in ("test.manifest", "report.json", "report.html")
    ]


@pytest.mark.parametrize(
    "options",
    [(), ("--group-by", r"/(video-\d+)/"), ("--objective", "labels-and-boxes")],
    ids=["entries", "groups", "boxes"],
)
def test_a_balanced_split_is_the_same_for_any_order_and_any_ranges(
    options: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = make_lines(200)
    manifest = write_manifest(tmp_path, lines)
    arguments = ("--balance-by", MEMBERS, *options)
    assert run_twofold("split", manifest, "-o", tmp_path / "one", *arguments) == 0
    assert run_twofold("verify", tmp_path / "one", "--source", manifest) == 0
    report = json.loads((tmp_path / "one" / "report.json").read_bytes())
    assert report["parameters"]["balanceBy"] == ["age:4", "camera", "weather"]
    assert [row["level"] for row in report["levels"]][4:] == ["x", "y", "z", "true", None]
    monkeypatch.setattr(indexing, "RANGE_BYTES", 3_000)
    arguments = ("--balance-by", "age:4,weather,camera", *options, "--processes", "2")
    assert run_twofold("split", manifest, "-o", tmp_path / "two", *arguments) == 0
    assert read_bytes(tmp_path / "two") == read_bytes(tmp_path / "one")
    manifest.write_text("".join(f"{line}\n" for line in reversed(lines)))
    assert run_twofold("split", manifest, "-o", tmp_path / "three", *arguments) == 0
    test, *_ = read_bytes(tmp_path / "three")
    assert sorted(test.splitlines()) == sorted(read_bytes(tmp_path / "one")[0].splitlines())


def test_a_grown_dataset_keeps_the_previous_split(tmp_path: Path) -> None:
    lines = make_lines(200)
    manifest = write_manifest(tmp_path, lines[:180])
    assert run_twofold("split", manifest, "-o", tmp_path / "old", "--balance-by", MEMBERS) == 0
    manifest = write_manifest(tmp_path, lines)
    arguments = ("--balance-by", MEMBERS, "--previous", tmp_path / "old")
    assert run_twofold("split", manifest, "-o", tmp_path / "new", *arguments) == 0
    assert run_twofold("verify", tmp_path / "new", "--previous", tmp_path / "old") == 0


def test_lines_with_a_wrong_value_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = make_lines(40)
    lines[6] = lines[6].replace('"camera":"', '"camera":1.5,"old":"')
    lines.insert(3, "{")
    manifest = write_manifest(tmp_path, lines)
    assert run_twofold("split", manifest, "-o", tmp_path / "out", "--balance-by", MEMBERS) == 1
    message = capsys.readouterr().err
    assert (
        "1 entry has a value that cannot be balanced. line 8: The member 'camera' is 1.5" in message
    )
    assert not (tmp_path / "out").exists()
    assert run_twofold("split", manifest, "-o", tmp_path / "out", "--balance-by", "age:0") == 2
    assert "--balance-by 'age:0': The number of quantiles is from 2" in capsys.readouterr().err
