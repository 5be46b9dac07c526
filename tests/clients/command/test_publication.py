"""A sample of `python -m tests crashes`, and two commands that write to one folder at once."""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.command.terminal import (
    SPLIT_FILES,
    make_labelled_lines,
    read_split,
    run_twofold,
    write_manifest,
)
from twofold_command.disk import lock_folder

ROOT = Path(__file__).parents[3]


@pytest.mark.skipif(sys.platform != "linux", reason="the checker reads /proc")
def test_a_split_that_is_stopped_or_killed_anywhere_leaves_all_files_or_the_old_ones() -> None:
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "tests.clients.command.crashes",
        "--every",
        "17",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    kinds = [line.split()[0] for line in done.stdout.splitlines()]
    assert kinds == ["killed", "interrupted", "terminated", "refused", "power"] * 2


def test_a_second_command_is_refused_while_one_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, out = write_manifest(tmp_path, make_labelled_lines(50)), tmp_path / "out"
    assert run_twofold("split", manifest, "-o", out) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with lock_folder(out):
        assert run_twofold("split", manifest, "-o", out, "--seed", 1) == 1
    assert f"Another command is writing to {out}. Wait" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert run_twofold("split", manifest, "-o", out, "--seed", 1) == 0


def test_many_splits_into_one_folder_at_once_leave_the_files_of_one(tmp_path: Path) -> None:
    manifest, out = write_manifest(tmp_path, make_labelled_lines(200)), tmp_path / "out"
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
    assert sorted(path.name for path in out.iterdir()) == SPLIT_FILES
    assert run_twofold("verify", out) == 0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("command", ["verify", "report"])
def test_readers_complete_the_publication_of_a_killed_command(command: str, tmp_path: Path) -> None:
    manifest, out, new = (
        write_manifest(tmp_path, make_labelled_lines(50)),
        tmp_path / "out",
        tmp_path / "new",
    )
    assert run_twofold("split", manifest, "-o", out, "--keep-index") == 0
    assert run_twofold("split", manifest, "-o", new, "--seed", 1) == 0
    expected = {path.name: path.read_bytes() for path in new.iterdir()}
    _write_unfinished_publication(new, out)
    assert run_twofold(command, out) == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == expected


def test_a_previous_split_is_completed_before_it_is_kept(tmp_path: Path) -> None:
    manifest, out, new = (
        write_manifest(tmp_path, make_labelled_lines(50)),
        tmp_path / "out",
        tmp_path / "new",
    )
    assert run_twofold("split", manifest, "-o", out) == 0
    assert run_twofold("split", manifest, "-o", new, "--seed", 1) == 0
    expected = read_split(new)[1]
    _write_unfinished_publication(new, out)
    assert run_twofold("split", manifest, "-o", tmp_path / "next", "--previous", out) == 0
    assert read_split(tmp_path / "next")[1] == expected


@pytest.mark.parametrize("journal", [".twofold-commit", ".twofold-undo"])
@pytest.mark.parametrize("previous", [False, True])
def test_the_bare_verifier_refuses_a_folder_with_files_of_two_splits(
    previous: bool, journal: str, tmp_path: Path
) -> None:
    manifest, out, new = (
        write_manifest(tmp_path, make_labelled_lines(50)),
        tmp_path / "out",
        tmp_path / "new",
    )
    for folder, seed in ((out, 0), (new, 1), (tmp_path / "whole", 0)):
        assert run_twofold("split", manifest, "-o", folder, "--seed", seed) == 0
    _write_unfinished_publication(new, out)
    (out / ".twofold-commit").rename(out / journal)
    before = sorted(path.relative_to(out) for path in out.rglob("*"))
    folders = [tmp_path / "whole", "--previous", out] if previous else [out]
    command = [sys.executable, "-m", "twofold_verify", *folders]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    (failure,) = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
    assert f"{out} has files of two splits" in failure
    assert "Run `twofold verify`, which completes the move" in failure
    assert sorted(path.relative_to(out) for path in out.rglob("*")) == before


def _write_unfinished_publication(new: Path, out: Path) -> None:
    """Makes the state of `out` after a kill between the first and the second of four moves. Uses up `new`."""
    plan = {"written": SPLIT_FILES[::-1], "removed": ["train.index", "test.index"], "old": []}
    (new / "plan.json").write_text(json.dumps(plan))
    (new / "train.manifest").replace(out / "train.manifest")
    new.rename(out / ".twofold-commit")


def test_a_file_that_cannot_be_moved_gives_the_old_ones_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, out = write_manifest(tmp_path, make_labelled_lines(50)), tmp_path / "out"
    assert run_twofold("split", manifest, "-o", out, "--keep-index") == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    replace = os.replace

    def refuse(source: Path, target: Path) -> None:
        if Path(source) == out / ".twofold-commit" / "report.json":
            raise PermissionError(1, "Operation not permitted", str(source), None, str(target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    assert run_twofold("split", manifest, "-o", out, "--seed", 1) == 1
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_staging_folders_of_killed_commands_are_removed(tmp_path: Path) -> None:
    manifest, out = write_manifest(tmp_path, make_labelled_lines(50)), tmp_path / "out"
    for folder in (tmp_path / ".twofold-new-0123456789abcdef", out / ".twofold-new"):
        folder.mkdir(parents=True)
        (folder / "train.manifest").write_text("half")
    assert run_twofold("split", manifest, "-o", out) == 0
    assert sorted(path.name for path in out.iterdir()) == SPLIT_FILES
    assert run_twofold("split", manifest, "-o", tmp_path / "other") == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.manifest", "other", "out"]


def test_a_journal_that_no_command_has_written_moves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out" / ".twofold-commit").mkdir(parents=True)
    plan = {"written": [], "removed": ["../notes.txt"], "old": []}
    (tmp_path / "out" / ".twofold-commit" / "plan.json").write_text(json.dumps(plan))
    (tmp_path / "notes.txt").write_text("mine")
    assert run_twofold("verify", tmp_path / "out") == 1
    assert "plan.json is damaged. Move" in capsys.readouterr().err
    assert (tmp_path / "notes.txt").exists()


@pytest.mark.parametrize("command", ["verify", "report", "split", "previous"])
@pytest.mark.parametrize("linked", [".twofold-commit", ".twofold-undo", "before", "plan.json"])
def test_a_link_in_place_of_a_journal_moves_no_files_of_another_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], linked: str, command: str
) -> None:
    manifest, out, victim = (
        write_manifest(tmp_path, make_labelled_lines(50)),
        tmp_path / "out",
        tmp_path / "victim",
    )
    for folder in (out, victim):
        assert run_twofold("split", manifest, "-o", folder) == 0
    plan = {"written": ["test.manifest"], "removed": ["test.index"], "old": ["test.manifest"]}
    (victim / "plan.json").write_text(json.dumps(plan))
    if linked.startswith("."):
        (out / linked).symlink_to(victim, target_is_directory=True)
    else:
        journal = out / (".twofold-undo" if linked == "before" else ".twofold-commit")
        journal.mkdir()
        (journal / "plan.json").write_text(json.dumps(plan))
        (journal / linked).unlink(missing_ok=True)
        (journal / linked).symlink_to(victim if linked == "before" else victim / "plan.json")
    before = [_read_tree(folder) for folder in (out, victim)]
    arguments = {
        "split": ("split", manifest, "-o", out),
        "previous": ("split", manifest, "-o", tmp_path / "new", "--previous", out),
    }.get(command, (command, out))
    assert run_twofold(*arguments) == 1
    message = capsys.readouterr().err
    assert ("is a symbolic link" in message) or (linked == "plan.json" and "damaged" in message)
    assert [_read_tree(folder) for folder in (out, victim)] == before


def _read_tree(folder: Path) -> dict[str, object]:
    """Returns the content of each file, and the target of each link, by relative path."""
    return {
        str(path.relative_to(folder)): str(path.readlink())
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize("kind", ["folder", "huge", "pipe"])
def test_a_plan_that_is_no_small_file_is_damaged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    plan = tmp_path / "out" / ".twofold-commit" / "plan.json"
    plan.parent.mkdir(parents=True)
    if kind == "folder":
        plan.mkdir()
    elif kind == "pipe":
        os.mkfifo(plan)
    else:
        with plan.open("wb") as file:
            file.truncate(3 << 30)
    assert run_twofold("verify", tmp_path / "out") == 1
    assert "plan.json is damaged. Move" in capsys.readouterr().err


def test_a_file_in_the_way_of_a_journal_is_named_with_the_right_advice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, out, new = (
        write_manifest(tmp_path, make_labelled_lines(50)),
        tmp_path / "out",
        tmp_path / "new",
    )
    for folder in (out, new):
        assert run_twofold("split", manifest, "-o", folder) == 0
    _write_unfinished_publication(new, out)
    (out / "test.manifest").unlink()
    (out / "test.manifest").mkdir()
    assert run_twofold("verify", out) == 1
    message = capsys.readouterr().err
    assert f"{out / 'test.manifest'}: Is a directory. Remove the cause and run" in message


def test_a_link_in_place_of_a_staging_folder_empties_no_other_folder(tmp_path: Path) -> None:
    manifest, out = write_manifest(tmp_path, make_labelled_lines(50)), tmp_path / "out"
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "notes.txt").write_text("mine")
    digest = hashlib.sha256(os.fsencode(out.name)).hexdigest()[:16]
    staging = tmp_path / f".twofold-new-{digest}"
    staging.symlink_to(victim, target_is_directory=True)
    descriptor = os.open(victim, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)  # so that the link is not removed as an abandoned folder
    try:
        assert run_twofold("split", manifest, "-o", out) == 0
    finally:
        os.close(descriptor)
    assert (victim / "notes.txt").exists()
    assert not staging.exists()
