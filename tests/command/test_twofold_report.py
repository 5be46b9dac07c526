"""`twofold report` of a folder."""

import json
import webbrowser
from pathlib import Path

import pytest

from tests.command.terminal import labelled, twofold, written


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    assert twofold("split", written(tmp_path, labelled(100)), "-o", folder) == 0
    return folder


def test_a_folder_is_told_as_it_was_when_it_was_split(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert twofold("split", written(tmp_path, labelled(100)), "-o", out) == 0
    split = capsys.readouterr().out.splitlines()
    assert twofold("report", out) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[:-1] == split[:-4]
    assert told[-1].strip() == str(out / "report.html")


def test_the_page_is_made_again_from_the_data(out: Path) -> None:
    before = (out / "report.html").read_bytes()
    (out / "report.html").unlink()
    assert twofold("report", out) == 0
    assert (out / "report.html").read_bytes() == before


def test_json_is_the_report(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert twofold("report", out, "--json") == 0
    assert json.loads(capsys.readouterr().out) == json.loads((out / "report.json").read_bytes())


def test_the_page_is_opened_where_there_is_a_browser(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (out / "report.html").as_uri()
    monkeypatch.setattr(webbrowser, "open", lambda asked: asked == page)
    assert twofold("report", out, "--open") == 0
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    assert twofold("report", out, "--open") == 1
    assert "There is no browser here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "reason"),
    [("{", "is not JSON"), ("[]", "is not a report"), ("{}", "is not a report")],
)
def test_what_is_no_report_is_named(
    content: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "report.json").write_text(content)
    assert twofold("report", tmp_path) == 1
    assert f"{tmp_path / 'report.json'} {reason}" in capsys.readouterr().err
