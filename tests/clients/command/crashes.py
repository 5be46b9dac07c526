"""`python -m tests crashes [--every N]`: stops `twofold split` and cuts the power at every point.

After a kill or a power cut, the next command finds all old files or all new files. After a signal the folder has all old or all
new files at once, and the message names them. Prints the number of points; exits with 1 at the first failure. Needs Linux.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

from tests.clients.command.interruptions import (
    FAIL,
    INTERRUPT,
    KILL,
    TERMINATE,
    get_signal,
    record_operations,
    run_interrupted,
)
from tests.clients.command.power_cut import generate_disk_states
from tests.clients.command.terminal import SPLIT_FILES, make_labelled_lines
from twofold_command import arguments, split, summary
from twofold_command.publication import finish_publication

PRELOADED_MODULES = (split, arguments, summary)
"""Imported in the parent process once, not in each child process that is stopped."""

Contents = dict[str, bytes]


class WrongError(Exception):
    """A run has left a wrong state; the message describes it."""


class Scenario:
    """A folder `root` with the output folder `out`, which has an older split and a file of the user, or does not exist."""

    def __init__(self, base: Path, *, exists: bool) -> None:
        self.base, self.exists = base, exists
        self.root = base / "root"
        self.out = self.root / "out"
        self.manifest = base / "all.manifest"
        self.manifest.write_text(
            "".join(f"{line}\n" for line in make_labelled_lines(60)), encoding="utf-8"
        )
        self.old: Contents = {}
        self.restore()
        if exists:
            self.old = self._run_split("--seed", "1", "--keep-index")
            shutil.copytree(self.out, base / "kept")
        self.new = self._run_split()

    @property
    def arguments(self) -> list[str]:
        return ["split", str(self.manifest), "-o", str(self.out)]

    def restore(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir()
        if self.old:
            shutil.copytree(self.base / "kept", self.out)
        elif self.exists:
            self.out.mkdir()
            (self.out / "notes.txt").write_text("mine")

    def _run_split(self, *more: str) -> Contents:
        if run_interrupted([*self.arguments, *more], self.root, 0, FAIL):
            raise WrongError(self.read_errors())
        return read_contents(self.out)

    def read_errors(self) -> str:
        return (self.base / "errors").read_text(encoding="utf-8")


def read_contents(out: Path) -> Contents:
    if not out.exists():
        return {}
    return {path.name: b"" if path.is_dir() else path.read_bytes() for path in out.iterdir()}


def check_run(scene: Scenario, target: int, action: int) -> bool:
    """Stops a run at the point `target`; returns False if the run has fewer points. Raises WrongError."""
    scene.restore()
    status = run_interrupted(scene.arguments, scene.root, target, action)
    errors = scene.read_errors()
    if "Traceback" in errors or "Exception ignored" in errors:
        raise WrongError(errors)
    if get_signal(status):
        check_after_kill(scene)
        return True
    code, contents = os.waitstatus_to_exitcode(status), read_contents(scene.out)
    if code == 0:
        reached_point = action == FAIL or "Stopped" in errors
        expected = scene.new
    elif action == FAIL:
        reached_point, expected = True, scene.old
    else:
        reached_point = True
        expected = scene.old if "nothing was written" in errors else scene.new
        if code != 128 + action:
            raise WrongError(f"exit code {code}")
    if hide_journals(contents) != expected:
        raise WrongError(
            f"exit code {code}, {errors!r}, and the folder has {describe_contents(scene, contents)}"
        )
    if code and contents != hide_journals(contents):
        raise WrongError(f"files left behind: {sorted(contents)}")
    return reached_point


def check_after_kill(scene: Scenario) -> None:
    contents = read_contents(scene.out)
    for name in SPLIT_FILES if scene.old else ():
        if contents.get(name) not in (scene.old[name], scene.new[name]):
            raise WrongError(f"{name} is neither old nor new")
    check_after_recovery(scene)
    if run_interrupted([*scene.arguments, "--seed", "2"], scene.root, 0, FAIL):
        raise WrongError(scene.read_errors())
    leftovers = [path.name for path in scene.root.rglob(".twofold*")]
    if leftovers:
        raise WrongError(f"files left behind by the next run: {leftovers}")


def check_after_recovery(scene: Scenario) -> None:
    finish_publication(scene.out)
    contents = hide_journals(read_contents(scene.out))
    if contents not in (scene.old, scene.new):
        raise WrongError(f"the folder has {describe_contents(scene, contents)}")


def hide_journals(contents: Contents) -> Contents:
    return {name: data for name, data in contents.items() if not name.startswith(".twofold")}


def describe_contents(scene: Scenario, contents: Contents) -> dict[str, str]:
    return {
        name: "old"
        if data == scene.old.get(name)
        else "new"
        if data == scene.new.get(name)
        else "?"
        for name, data in contents.items()
    }


def check_power_cuts(scene: Scenario, every: int) -> int:
    """Checks the states of the disk after power cuts and returns their number. Raises WrongError."""
    scene.restore()
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        _check_power_cuts_in_child(scene, every, write_end)
    os.close(write_end)
    with os.fdopen(read_end) as answers:
        answer = answers.read()
    os.waitpid(child, 0)
    if not answer.isdigit():
        raise WrongError(answer)
    return int(answer)


def _check_power_cuts_in_child(scene: Scenario, every: int, answers: int) -> None:
    """Runs in a child process, because an audit hook cannot be removed."""
    answer = "0"
    try:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
        before = scene.base / "before"
        shutil.copytree(scene.root, before)
        operations = record_operations(scene.arguments, scene.root)
        shutil.rmtree(scene.root)
        before.rename(scene.root)
        checked = 0
        for number, (name, disk) in enumerate(
            list(generate_disk_states(scene.root, operations, Random(0)))
        ):
            if number % every:
                continue
            shutil.rmtree(scene.root)
            disk.write(scene.root)
            try:
                check_after_recovery(scene)
            except Exception as error:
                raise WrongError(f"power cut after {name}: {error}") from error
            checked += 1
        answer = str(checked)
    except BaseException as error:
        answer = f"{type(error).__name__}: {error}"
    os.write(answers, answer.encode())
    os._exit(0)


def check_all(base: Path, every: int) -> Iterator[str]:
    """Yields a line for each kind of interruption. Raises WrongError."""
    for exists in (True, False):
        folder = base / str(exists)
        folder.mkdir()
        scene = Scenario(folder, exists=exists)
        for name, action in (
            ("killed", KILL),
            ("interrupted", INTERRUPT),
            ("terminated", TERMINATE),
            ("refused", FAIL),
        ):
            target, points = 1, 0
            limit = count_points(scene)
            while target <= limit:
                try:
                    check_run(scene, target, action)
                except WrongError as error:
                    raise WrongError(f"{name} at point {target} of {limit}: {error}") from error
                points += 1
                target += every
            yield f"{name} at {points} of {limit} points, {'old' if exists else 'new'} folder"
        yield f"power cut in {check_power_cuts(scene, every)} states"


def count_points(scene: Scenario) -> int:
    """Returns the number of points of a run without interruption."""
    scene.restore()
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
        os.write(write_end, str(len(record_operations(scene.arguments, scene.root))).encode())
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as answers:
        answer = answers.read()
    os.waitpid(child, 0)
    return int(answer)


def main() -> int:
    parser = argparse.ArgumentParser(description="Stops the command at every point.")
    parser.add_argument("--every", type=int, default=1, help="only each of so many points")
    options = parser.parse_args()
    os.fsync = lambda fd: None
    with tempfile.TemporaryDirectory() as base:
        try:
            for line in check_all(Path(base).resolve(), options.every):
                print(line, flush=True)  # noqa: T201
        except WrongError as error:
            print(error)  # noqa: T201
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
