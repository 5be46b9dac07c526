"""Every failure of the command ends with a one-line message and an exit code."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.clients.command.terminal import make_labelled_lines, run_twofold, write_manifest
from tests.support.job import make_line
from twofold_command import split

TWOFOLD = Path(sys.executable).with_name("twofold")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("AWS_ENDPOINT_URL", "127.0.0.1:8000", "is '127.0.0.1:8000', which is not a URL"),
        ("AWS_ENDPOINT_URL", "http://two_fold:8000", "letters, digits, hyphens and dots"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:8000,", "Example: http://127.0.0.1:8000."),
        (
            "AWS_ENDPOINT_URL_REKOGNITION",
            "http://127.0.0.1:99999",
            "AWS_ENDPOINT_URL_REKOGNITION is",
        ),
        ("AWS_ENDPOINT_URL", "http://[::1", "is not a URL"),
        ("AWS_ENDPOINT_URL", "ftp://127.0.0.1", "is not a URL"),
        (
            "AWS_ENDPOINT_URL",
            "http://127.0.0.1:1",
            "Start the service with `make serve`, or set another",
        ),
        ("AWS_MAX_ATTEMPTS", "x", "AWS_MAX_ATTEMPTS is 'x'; set it to an integer, or unset it."),
        ("AWS_MAX_ATTEMPTS", "0", "max_attempts"),
        ("AWS_RETRY_MODE", "x", "must be one of"),
        ("AWS_METADATA_SERVICE_TIMEOUT", "x", "AWS_METADATA_SERVICE_TIMEOUT is 'x'"),
        ("AWS_DEFAULT_REGION", "us east 1", "Check the AWS_ variables and ~/.aws/config."),
        ("AWS_PROFILE", "nobody", "nobody"),
        ("HTTP_PROXY", "http://127.0.0.1:1", "Check HTTP_PROXY, or name the host"),
        (
            "http_proxy",
            "http://[",
            "Check http_proxy, or name the host of the endpoint in NO_PROXY.",
        ),
    ],
)
def test_invalid_settings_give_a_one_line_message(
    name: str,
    value: str,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for variable in [one for one in os.environ if one.startswith("AWS_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv(name, value)
    assert run_twofold("status") == 1
    told = capsys.readouterr().err
    assert told.startswith("twofold: ")
    assert told.count("\n") == 1
    assert reason in told
    assert "Unexpected" not in told


@pytest.mark.parametrize(
    "name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
)
@pytest.mark.parametrize("value", ["PROBE\nPROBE", "PROBE\r", "PROBE\xe9"])
def test_an_invalid_secret_is_named_and_not_printed(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(variable, "any")
    monkeypatch.setenv(name, value)
    assert run_twofold("status", "--endpoint", "http://127.0.0.1:1") == 1
    message = capsys.readouterr().err
    assert message.startswith(f"twofold: {name} has a line feed or another character")
    assert "PROBE" not in message


def test_a_fault_of_the_program_keeps_its_trace_for_debug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = write_manifest(tmp_path, make_labelled_lines(40))

    def raise_key_error(*_: object, **__: object) -> None:
        raise KeyError("\x1b[31m")

    monkeypatch.setattr(split, "read_entries", raise_key_error)
    assert run_twofold("split", manifest, "-o", tmp_path / "out") == 1
    told = capsys.readouterr().err
    assert told.startswith("twofold: Unexpected KeyError: ")
    assert "--debug" in told
    assert told.count("\n") == 1
    assert run_twofold("split", manifest, "-o", tmp_path / "out", "--debug") == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_file_name_that_is_not_utf_8_is_spelled_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = write_manifest(tmp_path, make_labelled_lines(40)).rename(
        tmp_path / os.fsdecode(b"caf\xe9.manifest")
    )
    out = tmp_path / os.fsdecode(b"o\xfft")
    assert run_twofold("split", manifest, "-o", out) == 0
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report["source"]["manifest"] == r"caf\xe9.manifest"
    capsys.readouterr()
    assert run_twofold("report", out) == 0
    assert (
        run_twofold("push", manifest, "camera", "--bucket", "b", "--endpoint=http://127.0.0.1:1")
        == 1
    )
    assert r"caf\\xe9.manifest' is not UTF-8" in capsys.readouterr().err
    assert run_twofold("report", tmp_path / os.fsdecode(b"\xff")) == 1


def test_an_option_that_is_not_utf_8_is_bad_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = write_manifest(tmp_path, make_labelled_lines(40))
    with pytest.raises(SystemExit, match="2"):
        run_twofold("split", manifest, "-o", tmp_path, "--group-by", os.fsdecode(b"\xff"))
    assert "group-by: '\\\\xff' is not UTF-8" in capsys.readouterr().err


def test_the_command_starts_without_the_imports_of_subcommands() -> None:
    """NumPy alone takes longer to import than `twofold --help` takes."""
    program = "import sys, twofold_command.main; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "twofold_command.console" in loaded
    assert not loaded & {"numpy", "boto3", "highspy", "orjson", "twofold.report", "twofold.split"}


HIDDEN = "\x1b[31m\x9b2J\u202eevil"


def test_nothing_from_a_file_acts_on_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [make_line(number, *(HIDDEN if number % 3 else "a",)) for number in range(40)]
    assert run_twofold("split", write_manifest(tmp_path, lines), "-o", tmp_path) == 0
    report = json.loads((tmp_path / "report.json").read_bytes())
    report["certificate"]["proof"] = HIDDEN
    (tmp_path / "report.json").write_text(json.dumps(report))
    assert run_twofold("report", tmp_path, "-o", tmp_path / "page") == 0
    assert run_twofold("report", tmp_path, "--json") == 0
    with pytest.raises(SystemExit, match="2"):
        run_twofold("split", "a", "-o", "b", HIDDEN)
    assert run_twofold("split", tmp_path / HIDDEN, "-o", tmp_path / "out", "--json") == 1
    assert run_twofold("split", tmp_path, "-o", tmp_path / "out", "--seed", HIDDEN) == 2
    told = capsys.readouterr()
    assert "evil" in told.out + told.err
    assert not set(told.out + told.err) & set(HIDDEN[:1] + "\x9b\u202e")


@pytest.mark.parametrize(
    "changed",
    [
        {"labels": []},
        {"labels": [{"deviation": "x"}]},
        {"labels": [{"deviation": "1e99999999", "before": 1, "label": "a"}]},
        {"certificate": {"deviation": "1/0"}},
        {"certificate": 3},
        {"unlabelled": [[]]},
    ],
)
def test_a_malformed_report_is_named(
    changed: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        run_twofold("split", write_manifest(tmp_path, make_labelled_lines(40)), "-o", tmp_path) == 0
    )
    report = json.loads((tmp_path / "report.json").read_bytes()) | changed
    (tmp_path / "report.json").write_text(json.dumps(report))
    assert run_twofold("report", tmp_path) == 1
    told = capsys.readouterr().err
    assert str(tmp_path) in told
    assert "Unexpected" not in told


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("pause", [0, 0.05, 0.1, 0.2, 0.4, 0.8])
def test_an_interrupt_during_startup_gives_a_one_line_message(pause: float, tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path, make_labelled_lines(20_000))
    command: list[str | Path] = [TWOFOLD, "split", manifest, "-o", tmp_path / "out"]
    command += ["--processes", "2"]
    running = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    while not _has_handler(running.pid, signal.SIGTERM) and running.poll() is None:
        time.sleep(0.001)
    time.sleep(pause)
    if running.poll() is None:
        os.killpg(running.pid, signal.SIGINT)
    _, told = running.communicate(timeout=60)
    assert told in (b"", b"Stopped; nothing was written.\n") or b"are complete" in told
    assert b"Traceback" not in told
    if told.startswith(b"Stopped; nothing"):
        assert running.returncode == 130
        assert [path.name for path in tmp_path.iterdir()] == ["all.manifest"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize("module", ["signals", "streams", "threading"])
def test_an_interrupt_before_the_handlers_ends_without_a_traceback(module: str) -> None:
    program = (
        "import os, signal, sys\n"
        "class Interrupter:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name.split('.')[-1] == {module!r}:\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupter())\n"
        "from twofold_command.entry import main\n"
        "sys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")


def _has_handler(process: int, number: int) -> bool:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False
    caught = int(status.split("SigCgt:")[1].split()[0], 16)
    return bool(caught >> (number - 1) & 1)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_change_nothing(tmp_path: Path, closed: str) -> None:
    """Otherwise the next opened file would get the descriptor of the stream, and its output."""
    manifest = write_manifest(tmp_path, make_labelled_lines(100))
    out = tmp_path / "out"
    assert run_twofold("split", manifest, "-o", tmp_path / "expected") == 0
    for command, code in [
        (f'{TWOFOLD} split "{manifest}" -o "{out}"', 0),
        (f'{TWOFOLD} verify "{out}"', 0),
        (f'{sys.executable} -m twofold_verify "{out}"', 0),
        (f'{TWOFOLD} split "{tmp_path}/none" -o "{tmp_path}/other"', 1),
        (f"{TWOFOLD} nonsense", 2),
    ]:
        assert subprocess.run(["sh", "-c", f"{command} {closed}"]).returncode == code, command
    for file in (tmp_path / "expected").iterdir():
        assert (out / file.name).read_bytes() == file.read_bytes()


@pytest.mark.parametrize("name", ["train.manifest", "test.manifest"])
def test_a_previous_split_that_has_been_changed_is_not_kept(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, old, new = (
        write_manifest(tmp_path, make_labelled_lines(100)),
        tmp_path / "old",
        tmp_path / "new",
    )
    assert run_twofold("split", manifest, "-o", old) == 0
    lines = (old / name).read_bytes().splitlines(keepends=True)
    for damaged in (b"", b"".join(lines[1:]), b"[" + b"".join(lines)):
        (old / name).write_bytes(damaged)
        assert run_twofold("split", manifest, "-o", new, "--previous", old) == 1
        assert "has been changed since the split" in capsys.readouterr().err
    assert not new.exists()


def test_a_pipe_is_refused_without_blocking(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, old = write_manifest(tmp_path, make_labelled_lines(100)), tmp_path / "old"
    assert run_twofold("split", manifest, "-o", old) == 0
    os.mkfifo(tmp_path / "pipe")
    assert run_twofold("split", tmp_path / "pipe", "-o", tmp_path / "new") == 1
    (old / "test.manifest").unlink()
    os.mkfifo(old / "test.manifest")
    assert run_twofold("split", manifest, "-o", tmp_path / "new", "--previous", old) == 1
    assert capsys.readouterr().err.count("is not a regular file") == 2


def test_an_empty_name_of_a_folder_is_bad_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run_twofold("split", write_manifest(tmp_path, make_labelled_lines(20)), "-o", "")
    assert "the folder is empty; name a folder, such as out" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["split", "", "-o", "out"],
        ["split", "m", "-o", "out", "--previous", ""],
        ["verify", ""],
        ["verify", "out", "--previous", ""],
        ["verify", "out", "--source", ""],
        ["report", ""],
        ["status", ""],
        ["push", "", "project", "--bucket", "b"],
        ["push", "m", "", "--bucket", "b"],
        ["push", "m", "project", "--bucket", ""],
        ["push", "m", "project", "--bucket", "b", "--folder", ""],
        ["distribute", ""],
        ["distribute", "project", "--endpoint", ""],
        ["pull", "", "-o", "out"],
        ["pull", "project", "-o", ""],
        ["history", ""],
        ["revert", ""],
    ],
    ids=" ".join,
)
def test_an_empty_argument_is_bad_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """An unset shell variable would name the current folder, or all projects."""
    with pytest.raises(SystemExit, match="2"):
        run_twofold(*arguments)
    assert " empty" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[""], ["out", "--previous", ""], ["out", "--source", ""]])
def test_an_empty_path_is_bad_usage_of_the_bare_verifier(
    arguments: list[str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "twofold_verify", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "the path is empty" in done.stderr


def test_an_output_folder_below_a_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = write_manifest(tmp_path, make_labelled_lines(20))
    assert run_twofold("split", manifest, "-o", manifest / "out") == 1
    message = f"twofold: {manifest} is not a folder; choose another output folder.\n"
    assert capsys.readouterr().err == message


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on memory")
@pytest.mark.parametrize("kibibytes", [130_000, 150_000, 170_000])
def test_too_little_memory_is_not_reported_as_a_bug(tmp_path: Path, kibibytes: int) -> None:
    """Python reports failed allocations during imports as errors of the imported modules."""
    manifest = write_manifest(tmp_path, make_labelled_lines(50))
    command = f'ulimit -v {kibibytes}; exec "{TWOFOLD}" split "{manifest}" -o "{tmp_path}/out"'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert "bug in Twofold" not in done.stderr
    assert (tmp_path / "out").exists() is (done.returncode == 0)
    if done.returncode:
        assert "memory" in done.stderr.lower()


@pytest.mark.parametrize(("command", "advised"), [("split", True), ("verify", False)])
def test_the_advice_for_short_memory_names_options_of_the_command_only(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    advised: bool,
) -> None:
    def run_out_of_memory(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("twofold_command.split.split_manifest", run_out_of_memory)
    monkeypatch.setattr("twofold_verify.__main__.verify", run_out_of_memory)
    arguments = {"split": ("m", "-o", tmp_path / "out"), "verify": (tmp_path,)}[command]
    assert run_twofold(command, *arguments) == 1
    message = capsys.readouterr().err
    assert message.startswith("twofold: Out of memory. Use a machine with more memory")
    assert ("--processes" in message) is advised


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Only Linux has it.")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "arguments",
    [
        'split "{0}" -o "{1}"',
        'split "{0}" -o "{1}" --json',
        "--help",
        "split --help",
        "--version",
        "",
    ],
)
def test_a_full_disk_under_standard_output_is_one_line(
    tmp_path: Path, arguments: str, unbuffered: str
) -> None:
    manifest = write_manifest(tmp_path, make_labelled_lines(50))
    command = f"{TWOFOLD} {arguments.format(manifest, tmp_path / 'out')} > /dev/full"
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    outcome = (
        f"the files in {tmp_path / 'out'} are complete"
        if 'split "' in arguments
        else "nothing was written"
    )
    assert done.stderr.splitlines()[-1] == (
        f"twofold: Standard output cannot be written: No space left on device; {outcome}."
    )
    assert "Traceback" not in done.stderr


def test_a_deleted_current_folder_is_named_as_the_reason(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path, make_labelled_lines(50))
    command = f'mkdir "{tmp_path}/gone"; cd "{tmp_path}/gone"; rmdir "{tmp_path}/gone"; {TWOFOLD} split "{manifest}" -o out'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "twofold: out: No such file or directory. The current folder has been deleted; change to one that exists."
    )


def test_a_journal_that_would_remove_a_manifest_is_no_journal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run_twofold("split", write_manifest(tmp_path, make_labelled_lines(50)), "-o", out) == 0
    journal = out / ".twofold-commit"
    journal.mkdir()
    plan = {"written": [], "removed": ["test.manifest"], "old": []}
    (journal / "plan.json").write_text(json.dumps(plan))
    capsys.readouterr()
    assert run_twofold("verify", out) == 1
    assert (out / "test.manifest").exists()
