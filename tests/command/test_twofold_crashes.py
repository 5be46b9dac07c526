"""A sample of `make crashes`, and two commands that write to one folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command.terminal import FILES, labelled, read, twofold, written
from twofold_command.disk import locked

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(sys.platform != "linux", reason="the checker reads /proc")
def test_a_split_that_is_stopped_or_killed_anywhere_leaves_all_files_or_the_old_ones() -> None:
    command = [sys.executable, "-W", "ignore", "-m", "tests.command.crashes", "--every", "17"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    kinds = [line.split()[0] for line in done.stdout.splitlines()]
    assert kinds == ["killed", "interrupted", "terminated", "refused", "power"] * 2


def test_a_second_command_is_refused_while_one_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, out = written(tmp_path, labelled(50)), tmp_path / "out"
    assert twofold("split", manifest, "-o", out) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with locked(out):
        assert twofold("split", manifest, "-o", out, "--seed", 1) == 1
    assert f"Another command is writing to {out}. Wait" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert twofold("split", manifest, "-o", out, "--seed", 1) == 0


def test_many_splits_into_one_folder_at_once_leave_the_files_of_one(tmp_path: Path) -> None:
    manifest, out = written(tmp_path, labelled(200)), tmp_path / "out"
    command: list[str | Path] = [sys.executable, "-m", "twofold_command", "split", manifest]
    command += ["-o", out, "--seed"]
    running = [
        subprocess.Popen([*command, str(seed)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for seed in range(6)
    ]
    codes = []
    for process in running:
        _, errors = process.communicate()
        codes.append(process.returncode)
        assert process.returncode == 0 or b"twofold: Another command" in errors
    assert 0 in codes
    assert sorted(path.name for path in out.iterdir()) == FILES
    assert twofold("verify", out) == 0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("command", ["verify", "report"])
def test_readers_complete_what_a_killed_command_has_published(command: str, tmp_path: Path) -> None:
    manifest, out, new = written(tmp_path, labelled(50)), tmp_path / "out", tmp_path / "new"
    assert twofold("split", manifest, "-o", out, "--keep-index") == 0
    assert twofold("split", manifest, "-o", new, "--seed", 1) == 0
    expected = {path.name: path.read_bytes() for path in new.iterdir()}
    _leave_half_published(new, out)
    assert twofold(command, out) == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == expected


def test_a_previous_split_is_completed_before_it_is_kept(tmp_path: Path) -> None:
    manifest, out, new = written(tmp_path, labelled(50)), tmp_path / "out", tmp_path / "new"
    assert twofold("split", manifest, "-o", out) == 0
    assert twofold("split", manifest, "-o", new, "--seed", 1) == 0
    test = read(new)[1]
    _leave_half_published(new, out)
    assert twofold("split", manifest, "-o", tmp_path / "next", "--previous", out) == 0
    assert read(tmp_path / "next")[1] == test


@pytest.mark.parametrize("journal", [".twofold-commit", ".twofold-undo"])
@pytest.mark.parametrize("previous", [False, True])
def test_the_bare_verifier_refuses_a_folder_with_files_of_two_splits(
    previous: bool, journal: str, tmp_path: Path
) -> None:
    manifest, out, new = written(tmp_path, labelled(50)), tmp_path / "out", tmp_path / "new"
    for folder, seed in ((out, 0), (new, 1), (tmp_path / "whole", 0)):
        assert twofold("split", manifest, "-o", folder, "--seed", seed) == 0
    _leave_half_published(new, out)
    (out / ".twofold-commit").rename(out / journal)
    before = sorted(path.relative_to(out) for path in out.rglob("*"))
    folders = [tmp_path / "whole", "--previous", out] if previous else [out]
    command = [sys.executable, "-m", "twofold_verify", *folders]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    (failure,) = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
    assert f"{out} has files of two splits" in failure
    assert "`twofold verify` completes the move" in failure
    assert sorted(path.relative_to(out) for path in out.rglob("*")) == before


def _leave_half_published(new: Path, out: Path) -> None:
    """As a command leaves `out` that is killed after it has moved the first of four files; `new` goes."""
    plan = {"written": FILES[::-1], "removed": ["train.index", "test.index"], "old": []}
    (new / "plan.json").write_text(json.dumps(plan))
    (new / "train.manifest").replace(out / "train.manifest")
    new.rename(out / ".twofold-commit")


def test_a_file_that_cannot_be_moved_gives_the_old_ones_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, out = written(tmp_path, labelled(50)), tmp_path / "out"
    assert twofold("split", manifest, "-o", out, "--keep-index") == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    replace = os.replace

    def refused(source: Path, target: Path) -> None:
        if Path(source) == out / ".twofold-commit" / "report.json":
            raise PermissionError(1, "Operation not permitted", str(source), None, str(target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", refused)
    assert twofold("split", manifest, "-o", out, "--seed", 1) == 1
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_staging_folders_of_killed_commands_are_removed(tmp_path: Path) -> None:
    manifest, out = written(tmp_path, labelled(50)), tmp_path / "out"
    for folder in (tmp_path / ".twofold-new-0123456789abcdef", out / ".twofold-new"):
        folder.mkdir(parents=True)
        (folder / "train.manifest").write_text("half")
    assert twofold("split", manifest, "-o", out) == 0
    assert sorted(path.name for path in out.iterdir()) == FILES
    assert twofold("split", manifest, "-o", tmp_path / "other") == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.manifest", "other", "out"]


def test_a_journal_that_no_command_has_written_moves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out" / ".twofold-commit").mkdir(parents=True)
    plan = {"written": [], "removed": ["../notes.txt"], "old": []}
    (tmp_path / "out" / ".twofold-commit" / "plan.json").write_text(json.dumps(plan))
    (tmp_path / "notes.txt").write_text("mine")
    assert twofold("verify", tmp_path / "out") == 1
    assert "plan.json is damaged. Move" in capsys.readouterr().err
    assert (tmp_path / "notes.txt").exists()
