"""`twofold report` of a folder."""

import json
import webbrowser
from pathlib import Path

import pytest

from tests.clients.command.terminal import make_labelled_lines, run_twofold, write_manifest


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    assert (
        run_twofold("split", write_manifest(tmp_path, make_labelled_lines(100)), "-o", folder) == 0
    )
    return folder


def test_report_prints_the_same_text_as_split(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run_twofold("split", write_manifest(tmp_path, make_labelled_lines(100)), "-o", out) == 0
    split = capsys.readouterr().out.splitlines()
    assert run_twofold("report", out) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[:-1] == split[:-4]
    assert told[-1].strip() == str(out / "report.html")


def test_the_page_is_rendered_again_from_the_report(out: Path) -> None:
    before = (out / "report.html").read_bytes()
    (out / "report.html").unlink()
    assert run_twofold("report", out) == 0
    assert (out / "report.html").read_bytes() == before


def test_json_is_the_report(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run_twofold("report", out, "--json") == 0
    assert json.loads(capsys.readouterr().out) == json.loads((out / "report.json").read_bytes())


def test_the_page_is_opened_in_a_browser(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (out / "report.html").as_uri()
    monkeypatch.setattr(webbrowser, "open", lambda asked: asked == page)
    assert run_twofold("report", out, "--open") == 0
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    assert run_twofold("report", out, "--open") == 1
    assert "No browser found" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "reason"),
    [("{", "is not JSON"), ("[]", "is not the report"), ("{}", "is not the report")],
)
def test_what_is_no_report_is_named(
    content: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "report.json").write_text(content)
    assert run_twofold("report", tmp_path) == 1
    assert f"{tmp_path / 'report.json'} {reason}" in capsys.readouterr().err
