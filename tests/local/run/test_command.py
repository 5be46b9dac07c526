"""`make run`: the result for valid manifests, and one message for an invalid manifest."""

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

from local.emulator.server import Emulator
from local.run import command
from local.run.__main__ import main
from local.run.job import BUCKET
from tests.support.generated_manifests import generate_varied_manifest
from tests.support.job import make_line, make_two_label_lines
from tests.support.request_interceptor import RequestInterceptor, answer_s3_error, match_s3
from twofold_command.split_files import FILES

ROOT = Path(__file__).parents[3]


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A path with a unique name, since the file name becomes the name of the project."""
    return tmp_path / f"Mein Datensatz {uuid4().hex[:8]}.manifest"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def run(emulator: Emulator, manifest: Path, out: Path) -> int:
    return command.run(manifest, out, lambda: nullcontext(emulator))


def test_a_manifest_is_split_into_two_and_a_report(
    emulator: Emulator, manifest: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest.write_bytes(generate_varied_manifest(251, seed=3))
    assert run(emulator, manifest, out) == 0
    supplied = manifest.read_bytes().splitlines()
    train, test = ((out / name).read_bytes().splitlines() for name in FILES[:2])
    assert len(test) == 50
    assert sorted(train + test) == sorted(supplied)
    report = json.loads((out / "report.json").read_text())
    assert report["certificate"]["optimal"] is True
    assert report["dropped"] == {"lines": 0, "reasons": []}
    output = capsys.readouterr()
    assert "Test set: 50 of 251 images" in output.out
    assert all(row["label"] in output.out for row in report["labels"])
    assert output.err == ""


def test_open_opens_the_report_in_a_browser(
    emulator: Emulator,
    manifest: Path,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda url: url.startswith("https"))
    manifest.write_text("\n".join(make_two_label_lines(10)))
    assert command.run(manifest, out, lambda: nullcontext(emulator), open_page=True) == 0
    page = out / "report.html"
    assert manifest.name in page.read_text()
    assert f"No browser found. Open {page}." in capsys.readouterr().err


def test_rejected_lines_are_printed_with_their_reasons(
    emulator: Emulator, manifest: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = make_two_label_lines(40)
    bad = ["{", good[0], '{"no": "source-ref"}', ""]
    text = "\r\n".join([*good[:20], *bad, *good[20:]])
    manifest.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert run(emulator, manifest, out) == 0
    output = capsys.readouterr().out
    assert "Skipped 4 invalid lines: " in output
    assert "line 22: ERROR_DUPLICATE_SOURCE_REF The source-ref is already on line 1." in output
    manifests = (out / "train.manifest").read_text() + (out / "test.manifest").read_text()
    assert sorted(manifests.splitlines()) == sorted(good)
    dropped = json.loads((out / "report.json").read_text())["dropped"]
    assert [line["line"] for line in dropped["reasons"]] == [21, 22, 23, 24]


def test_entries_with_errors_are_counted(
    emulator: Emulator, manifest: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = (
        '{"source-ref":"s3://example-images/wrong","a":1,"a-metadata":{"type":"groundtruth/none"}}'
    )
    manifest.write_text("\n".join([*make_two_label_lines(20), wrong]))
    assert run(emulator, manifest, out) == 0
    assert "Kept 1 image with label errors" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(
            b"\n".join([b"{"] * 9),
            "cannot become a dataset (CREATE_FAILED): The manifest file has too many terminal errors.",
            id="too many bad lines",
        ),
        pytest.param(
            "\n".join(make_line(number, f"label{number}") for number in range(9)).encode(),
            "cannot be distributed (UPDATE_FAILED): The manifest file doesn't have enough labeled images",
            id="no label twice",
        ),
    ],
)
def test_a_manifest_that_the_service_rejects_fails_with_the_reason(
    emulator: Emulator,
    manifest: Path,
    out: Path,
    content: bytes,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    manifest.write_bytes(content)
    assert run(emulator, manifest, out) == 1
    output = capsys.readouterr()
    assert output.err.startswith(f"{manifest} {message}")
    assert output.err.endswith("Correct the manifest and run again.\n")
    assert output.out == ""
    assert list(out.parent.iterdir()) == [manifest]


def test_a_service_error_shows_the_log_of_the_functions(
    emulator: Emulator,
    request_interceptor: RequestInterceptor,
    manifest: Path,
    out: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    manifest.write_text("\n".join(make_two_label_lines(10)))
    with request_interceptor.add_rule(
        match_s3("GET", f"/{BUCKET}/{manifest.stem.replace(' ', '-')}"),
        answer_s3_error(500, "InternalError"),
    ):
        assert run(emulator, manifest, out) == 1
    told = capsys.readouterr().err
    assert "(CREATE_FAILED): An internal error occurred; nothing was changed." in told
    assert "The last lines of the functions' log:" in told
    assert "ConservationError" in told
    assert not out.exists()


def test_a_failed_call_is_reported_without_a_traceback(
    emulator: Emulator, manifest: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest.write_text("\n".join(make_two_label_lines(10)))
    assert run(emulator, manifest, out) == 0
    assert run(emulator, manifest, out.with_name("again")) == 1
    output = capsys.readouterr().err
    assert output.startswith(
        f"{manifest} was not split: An error occurred (ResourceInUseException)"
    )
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
def test_an_unreadable_manifest_is_reported_before_the_emulator_starts(
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
def test_invalid_arguments_exit_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "usage: make run [MANIFEST=file] [OUT=folder] [OPEN=1]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 128 + signal.SIGTERM)]
)
def test_a_stopped_run_leaves_no_files(tmp_path: Path, number: int, code: int) -> None:
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
