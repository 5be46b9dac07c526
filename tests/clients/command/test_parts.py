"""`twofold split --parts` and `--folds` on files: exact, joint, whole, and refused where they cannot be."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.clients.command.terminal import run_twofold, write_manifest
from tests.clients.verify.test_mutations import make_varied_lines
from tests.report.test_page import PageReader
from tests.support.job import make_line

THREE = "train=70,val=15,test=15"


def read_files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def read_lines(folder: Path, names: Iterable[str]) -> list[bytes]:
    return [
        line for name in names for line in (folder / f"{name}.manifest").read_bytes().splitlines()
    ]


@pytest.mark.parametrize("parts", ["train=80,test=20", "test=0.2,train=4/5", "train=80%,test=20%"])
def test_train_and_test_are_the_split_into_two_byte_for_byte(parts: str, tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path, make_varied_lines(60))
    assert run_twofold("split", manifest, "-o", tmp_path / "two") == 0
    assert run_twofold("split", manifest, "-o", tmp_path / "parts", "--parts", parts) == 0
    assert read_files(tmp_path / "two") == read_files(tmp_path / "parts")


@pytest.mark.parametrize(
    ("option", "names", "counts"),
    [
        (("--parts", THREE), ("train", "val", "test"), (40, 9, 9)),
        (("--folds", "4"), ("fold-1", "fold-2", "fold-3", "fold-4"), (14, 14, 15, 15)),
        (("--parts", "A=1/2,b_2=1/3,c-3=1/6"), ("A", "b_2", "c-3"), (29, 19, 10)),
    ],
)
def test_every_entry_is_in_one_part_and_the_files_do_not_depend_on_the_order_of_lines(
    option: tuple[str, str], names: tuple[str, ...], counts: tuple[int, ...], tmp_path: Path
) -> None:
    lines = [make_line(f"{i}", *"abcd"[i % 3 : i % 5]) for i in range(58)]
    manifest = write_manifest(tmp_path, lines)
    assert run_twofold("split", manifest, "-o", tmp_path / "out", *option, "--keep-index") == 0
    assert tuple(len(read_lines(tmp_path / "out", [name])) for name in names) == counts
    assert sorted(read_lines(tmp_path / "out", names)) == sorted(line.encode() for line in lines)
    expected = {f"{name}.{kind}" for name in names for kind in ("manifest", "index")}
    assert read_files(tmp_path / "out").keys() == {*expected, "report.json", "report.html"}
    assert run_twofold("verify", tmp_path / "out", "--source", manifest) == 0
    reverse = write_manifest(tmp_path, lines[::-1])
    assert run_twofold("split", reverse, "-o", tmp_path / "again", *option, "--processes", 2) == 0
    for name in names:
        assert read_lines(tmp_path / "again", [name]) == read_lines(tmp_path / "out", [name])[::-1]


def test_groups_stay_whole_and_sizes_that_groups_do_not_reach_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [make_line(f"video-{i // 7}/{i}", "abc"[i % 3]) for i in range(49)]
    manifest, out = write_manifest(tmp_path, lines), tmp_path / "out"
    option = ("--parts", "train=60,val=20,test=20", "--group-by", r"(video-\d+)")
    assert run_twofold("split", manifest, "-o", out, *option) == 0
    shown = capsys.readouterr().out
    assert "Parts: train 28 (29 requested)" in shown or "train 35 (29 requested)" in shown
    assert "whole groups do not add up to the requested numbers" in shown
    videos = [
        {video for line in read_lines(out, [name]) for video in re.findall(rb"video-\d", line)}
        for name in ("train", "val", "test")
    ]
    assert sum(map(len, videos)) == len(set.union(*videos)) == 7
    assert run_twofold("verify", out, "--source", manifest) == 0
    report = json.loads((out / "report.json").read_bytes())
    report["certificate"]["entriesReached"] = report["certificate"]["entriesWanted"]
    (out / "report.json").write_text(json.dumps(report))
    assert run_twofold("verify", out) == 1


def test_the_page_has_a_column_for_each_part_and_reproduces_the_split(tmp_path: Path) -> None:
    lines = [make_line(f"{i}", "<b>&", *"abcd"[i % 3 : i % 5]) for i in range(58)]
    manifest, out = write_manifest(tmp_path, lines), tmp_path / "out"
    assert run_twofold("split", manifest, "-o", out, "--folds", 3) == 0
    text = (out / "report.html").read_text(encoding="utf-8")
    page = PageReader(text)
    assert "<b>&" not in text
    report = json.loads((out / "report.json").read_bytes())
    for row in report["labels"]:
        cells = " ".join(map(str, (row["before"], *row["parts"])))
        assert f"{row['label']} {cells} " in page.text
    for words in ("Label Images fold-1 fold-2 fold-3 Off by", "Proven best", "--folds 3 --seed 0"):
        assert words in page.text
    assert run_twofold("report", out, "-o", tmp_path / "page") == 0
    assert (tmp_path / "page" / "report.html").read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--parts", "train=70,val=15,test=10"), "add up to 95; let them add up to 100 or to 1"),
        (("--parts", "a=50,A=50"), "occurs twice"),
        (("--parts", "../x=50,y=50"), "is not a name of a part"),
        (("--parts", "con=50,y=50"), "is not a name of a part"),
        (("--parts", "a=100"), "2 to 100 parts"),
        (("--parts", "a=0,b=100"), "write a positive number"),
        (("--parts", "a=-5,b=105"), "write a positive number"),
        (("--parts", "a=1/0,b=1"), "write a positive number"),
        (("--parts", ""), "is not a name of a part"),
        (("--parts", "a=0.3333333,b=0.6666667"), "common denominator"),
        (("--folds", "1"), "--folds must be an integer from 2 to 100"),
        (("--folds", "3", "--parts", THREE), "exclude each other"),
        (("--parts", THREE, "--test-fraction", "0.2"), "exclude each other"),
        (("--parts", THREE, "--objective", "labels-and-boxes"), "train and test alone"),
        (("--parts", THREE, "--previous", "out"), "train and test alone"),
        (("--parts", THREE, "--balance-by", "camera"), "train and test alone"),
        (("--parts", THREE, "--min-per-label", "2"), "train and test alone"),
    ],
)
def test_a_wrong_option_is_named_with_its_remedy(
    options: tuple[str, ...], problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = write_manifest(tmp_path, make_varied_lines(30))
    assert run_twofold("split", manifest, "-o", tmp_path / "out", *options) == 2
    message = capsys.readouterr().err
    assert problem in message
    assert options[0] in message
    assert not (tmp_path / "out").exists()


def test_too_few_entries_or_groups_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = write_manifest(tmp_path, [make_line(f"a/{i}", "x") for i in range(6)])
    assert run_twofold("split", manifest, "-o", tmp_path / "out", "--folds", 7) == 1
    assert "6 entries are too few for 7 parts: fold-1 would be empty" in capsys.readouterr().err
    group_by = ("--group-by", "(a)/")
    assert run_twofold("split", manifest, "-o", tmp_path / "out", "--folds", 2, *group_by) == 1
    assert "1 groups are too few for 2 parts" in capsys.readouterr().err


def test_a_manifest_of_an_earlier_split_is_never_left_beside_other_parts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, out = write_manifest(tmp_path, make_varied_lines(40)), tmp_path / "out"
    assert run_twofold("split", manifest, "-o", out, "--parts", THREE) == 0
    before = read_files(out)
    assert run_twofold("split", manifest, "-o", out, "--folds", 3) == 1
    assert "train.manifest, val.manifest, test.manifest" in capsys.readouterr().err
    assert run_twofold("split", manifest, "-o", out) == 1
    assert "val.manifest, which this split does not replace" in capsys.readouterr().err
    assert read_files(out) == before
    (out / "val.manifest").unlink()
    assert run_twofold("split", manifest, "-o", out) == 0
    assert run_twofold("split", manifest, "-o", out, "--parts", THREE, "--seed", 3) == 0
    assert run_twofold("verify", out, "--source", manifest) == 0
