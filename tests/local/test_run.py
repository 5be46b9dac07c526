"""`make run`: the outcome of good manifests, and one clear message for every bad one."""

import json
import os
import signal
import subprocess
import sys
import time
import webbrowser
from contextlib import nullcontext
from pathlib import Path
from uuid import uuid4

import pytest

from local import command
from local.job import BUCKET
from local.run import main
from local.stack import Stack
from tests.backstage import Backstage, s3, s3_error
from tests.job import line, two_labels
from tests.manifests import any_manifest
from twofold_command.outputs import FILES

ROOT = Path(__file__).parents[2]


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A path whose name no other test gives a project."""
    return tmp_path / f"Mein Datensatz {uuid4().hex[:8]}.manifest"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def run(stack: Stack, manifest: Path, out: Path) -> int:
    return command.run(manifest, out, lambda: nullcontext(stack))


def test_a_manifest_becomes_two_and_a_report(
    stack: Stack, manifest: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest.write_bytes(any_manifest(251, seed=3))
    assert run(stack, manifest, out) == 0
    supplied = manifest.read_bytes().splitlines()
    train, test = ((out / name).read_bytes().splitlines() for name in FILES[:2])
    assert len(test) == 50
    assert sorted(train + test) == sorted(supplied)
    report = json.loads((out / "report.json").read_text())
    assert report["certificate"]["optimal"] is True
    assert report["dropped"] == {"lines": 0, "reasons": []}
    told = capsys.readouterr()
    assert "Exactly 50 of 251 entries are tested" in told.out
    assert all(row["label"] in told.out for row in report["labels"])
    assert told.err == ""


def test_the_report_is_opened_if_asked_for(
    stack: Stack,
    manifest: Path,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda asked: asked.startswith("https"))
    manifest.write_text("\n".join(two_labels(10)))
    assert command.run(manifest, out, lambda: nullcontext(stack), open_page=True) == 0
    page = out / "report.html"
    assert manifest.name in page.read_text()
    assert f"There is no browser here to open {page}." in capsys.readouterr().err


def test_dropped_lines_are_told_with_their_reasons(
    stack: Stack, manifest: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = two_labels(40)
    bad = ["{", good[0], '{"no": "source-ref"}', ""]
    text = "\r\n".join([*good[:20], *bad, *good[20:]])
    manifest.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert run(stack, manifest, out) == 0
    told = capsys.readouterr().out
    assert "4 lines were dropped:" in told
    assert "line 22: ERROR_DUPLICATE_SOURCE_REF The source-ref is already on line 1." in told
    held = (out / "train.manifest").read_text() + (out / "test.manifest").read_text()
    assert sorted(held.splitlines()) == sorted(good)
    dropped = json.loads((out / "report.json").read_text())["dropped"]
    assert [one["line"] for one in dropped["reasons"]] == [21, 22, 23, 24]


def test_entries_with_errors_are_counted(
    stack: Stack, manifest: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = (
        '{"source-ref":"s3://example-images/wrong","a":1,"a-metadata":{"type":"groundtruth/none"}}'
    )
    manifest.write_text("\n".join([*two_labels(20), wrong]))
    assert run(stack, manifest, out) == 0
    assert "1 entry has errors and stays" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(
            b"\n".join([b"{"] * 9),
            "cannot become a dataset (CREATE_FAILED): The manifest file has too many terminal errors.",
            id="too many bad lines",
        ),
        pytest.param(
            "\n".join(line(number, f"label{number}") for number in range(9)).encode(),
            "cannot be distributed (UPDATE_FAILED): The manifest file doesn't have enough labeled images",
            id="no label twice",
        ),
    ],
)
def test_a_manifest_that_the_service_refuses_ends_with_its_reason(
    stack: Stack,
    manifest: Path,
    out: Path,
    content: bytes,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    manifest.write_bytes(content)
    assert run(stack, manifest, out) == 1
    told = capsys.readouterr()
    assert told.err.startswith(f"{manifest} {message}")
    assert told.err.endswith("Correct the manifest and run again.\n")
    assert told.out == ""
    assert list(out.parent.iterdir()) == [manifest]


def test_a_fault_of_the_service_shows_its_log(
    stack: Stack,
    backstage: Backstage,
    manifest: Path,
    out: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    manifest.write_text("\n".join(two_labels(10)))
    with backstage.scene(
        s3("GET", f"/{BUCKET}/{manifest.stem.replace(' ', '-')}"), s3_error(500, "InternalError")
    ):
        assert run(stack, manifest, out) == 1
    told = capsys.readouterr().err
    assert "(CREATE_FAILED): An internal error occurred; nothing was changed." in told
    assert "The last lines of the functions' log:" in told
    assert "ConservationError" in told
    assert not out.exists()


def test_a_call_that_fails_is_told_without_a_traceback(
    stack: Stack, manifest: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest.write_text("\n".join(two_labels(10)))
    assert run(stack, manifest, out) == 0
    assert run(stack, manifest, out.with_name("again")) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"{manifest} was not split: An error occurred (ResourceInUseException)")
    assert not out.with_name("again").exists()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing", "cannot be read: No such file or directory."),
        ("folder", "is a folder."),
        ("empty", "is empty."),
        ("empty/inside", "cannot be read: Not a directory."),
        ("loop", "cannot be read: Too many levels of symbolic links."),
    ],
)
def test_a_manifest_that_cannot_be_read_is_named_before_anything_starts(
    tmp_path: Path, name: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").touch()
    (tmp_path / "loop").symlink_to("loop")
    before = set(tmp_path.iterdir())
    arguments = ["--manifest", str(tmp_path / name), "--out", str(tmp_path / "out")]
    assert main(arguments) == 1
    told = capsys.readouterr()
    assert (
        told.err
        == f"{tmp_path / name} {reason} Name a JSON Lines file: make run MANIFEST=path/to/file\n"
    )
    assert told.out == ""
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("arguments", [[], ["--out", "out", "--sideways"], ["--out"]])
def test_bad_usage_has_an_exit_code_of_its_own(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "usage: make run [MANIFEST=file] [OUT=folder] [OPEN=1]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 128 + signal.SIGTERM)]
)
def test_a_run_that_is_stopped_leaves_nothing(tmp_path: Path, number: int, code: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "local.run", "--out", str(tmp_path / "out")],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not list(tmp_path.iterdir()):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    told = process.communicate(timeout=60)
    assert process.returncode == code, told
    assert "Traceback" not in "".join(told)
    assert list(tmp_path.iterdir()) == []
