"""Run the `twofold` command in this process, and write manifests for it."""

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

from tests.support.job import make_line
from twofold_command.main import run_command

SPLIT_FILES = ["report.html", "report.json", "test.manifest", "train.manifest"]


def run_twofold(*arguments: object) -> int:
    return run_command([str(argument) for argument in arguments])


def make_labelled_lines(count: int, seed: int = 0) -> list[str]:
    """Returns lines with zero to four of ten labels; each video has ten images."""
    random = Random(seed)
    names = "abcdefghij"
    return [
        make_line(f"video-{i % (count // 10)}/{i}", *random.sample(names, random.randrange(5)))
        for i in range(count)
    ]


def write_manifest(folder: Path, lines: Sequence[str] | bytes) -> Path:
    """Writes a manifest of the lines and returns its path."""
    path = folder / "all.manifest"
    content = lines if isinstance(lines, bytes) else "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(content)
    return path


def read_split(folder: Path) -> tuple[list[str], list[str], dict[str, object]]:
    """Returns the training lines, the test lines and the report."""
    train, test = (
        (folder / f"{side}.manifest").read_text(encoding="utf-8").splitlines()
        for side in ("train", "test")
    )
    return train, test, json.loads((folder / "report.json").read_bytes())
