import inspect
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.clients.command.terminal import (
    make_labelled_lines,
    read_split,
    run_twofold,
    write_manifest,
)
from twofold.report import find_warnings as told

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "algorithm.md").read_text(encoding="utf-8")
REPORT = (DOCS / "report.md").read_text(encoding="utf-8")
COMMANDS = [line.split() for line in PAGE.splitlines() if line.startswith("    twofold ")]


def test_the_commands_of_the_page_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [one.replace("/video-", "/patient") for one in make_labelled_lines(200)]
    write_manifest(tmp_path, lines)
    more = [one.replace("/video-", "/new/patient") for one in make_labelled_lines(20, seed=1)]
    (tmp_path / "grown.manifest").write_text("".join(f"{one}\n" for one in lines + more))
    monkeypatch.chdir(tmp_path)
    assert {command[1] for command in COMMANDS} == {"split", "verify"}
    for command in COMMANDS:
        assert run_twofold(*shlex.split(" ".join(command))[1:]) == 0


def test_the_page_explains_every_member_of_the_certificate(tmp_path: Path) -> None:
    assert (
        run_twofold("split", write_manifest(tmp_path, make_labelled_lines(50)), "-o", tmp_path) == 0
    )
    report: Any = read_split(tmp_path)[2]
    for member in report["certificate"]:
        assert f"`{member}`" in PAGE, member


def test_the_page_on_the_report_explains_every_member_and_every_warning(tmp_path: Path) -> None:
    copies = [one.replace("video-", "copies/video-") for one in make_labelled_lines(20)]
    manifest = write_manifest(tmp_path, [*make_labelled_lines(200), *copies])
    grouped = ("--group-by", "/(video-[0-9]+)/")
    assert run_twofold("split", manifest, "-o", tmp_path, *grouped) == 0
    members = {*read_split(tmp_path)[2], "operation", "project", "created", "run"}
    codes = set(re.findall(r'"([A-Z_]{6,})",', Path(inspect.getfile(told)).read_text()))
    assert len(codes) == 12
    for word in members | codes:
        assert f"`{word}`" in REPORT, word


def test_the_images_of_the_page_exist_and_are_small() -> None:
    pictures = re.findall(r"\]\((images/[^)]+)\)", REPORT)
    assert len(pictures) == 5
    assert all((DOCS / picture).stat().st_size < 250_000 for picture in pictures)
