import inspect
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.command.terminal import labelled, read, twofold, written
from twofold.report import warnings as told

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "algorithm.md").read_text(encoding="utf-8")
REPORT = (DOCS / "report.md").read_text(encoding="utf-8")
COMMANDS = [line.split() for line in PAGE.splitlines() if line.startswith("    twofold ")]


def test_the_commands_of_the_page_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [one.replace("/video-", "/patient") for one in labelled(200)]
    written(tmp_path, lines)
    more = [one.replace("/video-", "/new/patient") for one in labelled(20, seed=1)]
    (tmp_path / "grown.manifest").write_text("".join(f"{one}\n" for one in lines + more))
    monkeypatch.chdir(tmp_path)
    assert {command[1] for command in COMMANDS} == {"split", "verify"}
    for command in COMMANDS:
        assert twofold(*shlex.split(" ".join(command))[1:]) == 0


def test_the_page_explains_every_member_of_the_certificate(tmp_path: Path) -> None:
    assert twofold("split", written(tmp_path, labelled(50)), "-o", tmp_path) == 0
    report: Any = read(tmp_path)[2]
    for member in report["certificate"]:
        assert f"`{member}`" in PAGE, member


def test_the_page_on_the_report_explains_every_member_and_every_warning(tmp_path: Path) -> None:
    copies = [one.replace("video-", "copies/video-") for one in labelled(20)]
    manifest = written(tmp_path, [*labelled(200), *copies])
    grouped = ("--group-by", "/(video-[0-9]+)/")
    assert twofold("split", manifest, "-o", tmp_path, *grouped) == 0
    members = {*read(tmp_path)[2], "operation", "project", "created", "run"}
    codes = set(re.findall(r'"([A-Z_]{6,})",', Path(inspect.getfile(told)).read_text()))
    assert len(codes) == 12
    for word in members | codes:
        assert f"`{word}`" in REPORT, word


def test_the_pictures_of_the_page_are_there_and_small() -> None:
    pictures = re.findall(r"\]\((images/[^)]+)\)", REPORT)
    assert len(pictures) == 5
    assert all((DOCS / picture).stat().st_size < 250_000 for picture in pictures)
