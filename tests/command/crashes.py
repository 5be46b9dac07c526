"""`python -m tests.command.crashes [--every N]`: stops the command at every point, and cuts the power at every point.

After a kill, and after a power cut, the next command finds all old files or all new ones; after a signal they are so at
once, and the message says which. Prints the number of points; exit code 1 with the first that is wrong. Needs Linux.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

from tests.command.interruptions import (
    FAIL,
    INTERRUPT,
    KILL,
    TERMINATE,
    interrupted_run,
    record,
    stopped_by,
)
from tests.command.power_cut import states
from tests.command.terminal import FILES, labelled
from twofold_command import split, usage, words
from twofold_command.publication import finish

LOADED = (split, usage, words)
"""Loaded once, not in each of the processes that are stopped."""

Contents = dict[str, bytes]


class WrongError(Exception):
    """A run has left what it must not leave."""


class Scene:
    """A folder `root` with `out`, which has an older split and a file of the user, or does not exist yet."""

    def __init__(self, base: Path, *, exists: bool) -> None:
        self.base, self.exists = base, exists
        self.root = base / "root"
        self.out = self.root / "out"
        self.manifest = base / "all.manifest"
        self.manifest.write_text("".join(f"{line}\n" for line in labelled(60)), encoding="utf-8")
        self.old: Contents = {}
        self.build()
        if exists:
            self.old = self._split("--seed", "1", "--keep-index")
            shutil.copytree(self.out, base / "kept")
        self.new = self._split()

    @property
    def arguments(self) -> list[str]:
        return ["split", str(self.manifest), "-o", str(self.out)]

    def build(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir()
        if self.old:
            shutil.copytree(self.base / "kept", self.out)
        elif self.exists:
            self.out.mkdir()
            (self.out / "notes.txt").write_text("mine")

    def _split(self, *more: str) -> Contents:
        if interrupted_run([*self.arguments, *more], self.root, 0, FAIL):
            raise WrongError(self.errors())
        return read(self.out)

    def errors(self) -> str:
        return (self.base / "errors").read_text(encoding="utf-8")


def read(out: Path) -> Contents:
    if not out.exists():
        return {}
    return {path.name: b"" if path.is_dir() else path.read_bytes() for path in out.iterdir()}


def check_run(scene: Scene, target: int, action: int) -> bool:
    """Whether there was such a point; raises WrongError."""
    scene.build()
    status = interrupted_run(scene.arguments, scene.root, target, action)
    errors = scene.errors()
    if "Traceback" in errors or "Exception ignored" in errors:
        raise WrongError(errors)
    if stopped_by(status):
        check_killed(scene)
        return True
    code, found = os.waitstatus_to_exitcode(status), read(scene.out)
    if code == 0:
        reached = action == FAIL or "Stopped" in errors
        expected = scene.new
    elif action == FAIL:
        reached, expected = True, scene.old
    else:
        reached = True
        expected = scene.old if "nothing was written" in errors else scene.new
        if code != 128 + action:
            raise WrongError(f"exit code {code}")
    if visible(found) != expected:
        raise WrongError(
            f"exit code {code}, {errors!r}, and the folder has {describe(scene, found)}"
        )
    if code and found != visible(found):
        raise WrongError(f"left: {sorted(found)}")
    return reached


def check_killed(scene: Scene) -> None:
    found = read(scene.out)
    for name in FILES if scene.old else ():
        if found.get(name) not in (scene.old[name], scene.new[name]):
            raise WrongError(f"{name} is neither old nor new")
    check_finished(scene)
    if interrupted_run([*scene.arguments, "--seed", "2"], scene.root, 0, FAIL):
        raise WrongError(scene.errors())
    left = [path.name for path in scene.root.rglob(".twofold*")]
    if left:
        raise WrongError(f"left by the next run: {left}")


def check_finished(scene: Scene) -> None:
    finish(scene.out)
    found = visible(read(scene.out))
    if found not in (scene.old, scene.new):
        raise WrongError(f"the folder has {describe(scene, found)}")


def visible(contents: Contents) -> Contents:
    return {name: data for name, data in contents.items() if not name.startswith(".twofold")}


def describe(scene: Scene, found: Contents) -> dict[str, str]:
    return {
        name: "old"
        if data == scene.old.get(name)
        else "new"
        if data == scene.new.get(name)
        else "?"
        for name, data in found.items()
    }


def check_power_cuts(scene: Scene, every: int) -> int:
    """How many states were checked."""
    scene.build()
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        _check_power_cuts(scene, every, write_end)
    os.close(write_end)
    with os.fdopen(read_end) as answers:
        answer = answers.read()
    os.waitpid(child, 0)
    if not answer.isdigit():
        raise WrongError(answer)
    return int(answer)


def _check_power_cuts(scene: Scene, every: int, answers: int) -> None:
    """In a process of its own: recording cannot be ended."""
    answer = "0"
    try:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
        before = scene.base / "before"
        shutil.copytree(scene.root, before)
        operations = record(scene.arguments, scene.root)
        shutil.rmtree(scene.root)
        before.rename(scene.root)
        checked = 0
        for number, (name, disk) in enumerate(list(states(scene.root, operations, Random(0)))):
            if number % every:
                continue
            shutil.rmtree(scene.root)
            disk.write(scene.root)
            try:
                check_finished(scene)
            except Exception as error:
                raise WrongError(f"power cut after {name}: {error}") from error
            checked += 1
        answer = str(checked)
    except BaseException as error:
        answer = f"{type(error).__name__}: {error}"
    os.write(answers, answer.encode())
    os._exit(0)


def check_all(base: Path, every: int) -> Iterator[str]:
    """One line for each kind of interruption; raises WrongError."""
    for exists in (True, False):
        folder = base / str(exists)
        folder.mkdir()
        scene = Scene(folder, exists=exists)
        for name, action in (
            ("killed", KILL),
            ("interrupted", INTERRUPT),
            ("terminated", TERMINATE),
            ("refused", FAIL),
        ):
            target, points = 1, 0
            limit = len_points(scene)
            while target <= limit:
                try:
                    check_run(scene, target, action)
                except WrongError as error:
                    raise WrongError(f"{name} at point {target} of {limit}: {error}") from error
                points += 1
                target += every
            yield f"{name} at {points} of {limit} points, {'old' if exists else 'new'} folder"
        yield f"power cut in {check_power_cuts(scene, every)} states"


def len_points(scene: Scene) -> int:
    """The number of points of an undisturbed run."""
    scene.build()
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
        os.write(write_end, str(len(record(scene.arguments, scene.root))).encode())
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
