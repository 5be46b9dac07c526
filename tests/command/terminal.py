"""The `twofold` command as it is called, and manifests to call it on."""

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

from tests.job import line
from twofold_command.main import run

FILES = ["report.html", "report.json", "test.manifest", "train.manifest"]


def twofold(*arguments: object) -> int:
    return run([str(argument) for argument in arguments])


def labelled(count: int, seed: int = 0) -> list[str]:
    """Lines of one to four of ten labels, and some of none; each tenth image is of one video."""
    random = Random(seed)
    names = "abcdefghij"
    return [
        line(f"video-{i % (count // 10)}/{i}", *random.sample(names, random.randrange(5)))
        for i in range(count)
    ]


def written(folder: Path, lines: Sequence[str] | bytes) -> Path:
    """A manifest of these lines."""
    path = folder / "all.manifest"
    content = lines if isinstance(lines, bytes) else "".join(f"{one}\n" for one in lines).encode()
    path.write_bytes(content)
    return path


def read(folder: Path) -> tuple[list[str], list[str], dict[str, object]]:
    """(train, test, report)."""
    train, test = (
        (folder / f"{side}.manifest").read_text(encoding="utf-8").splitlines()
        for side in ("train", "test")
    )
    return train, test, json.loads((folder / "report.json").read_bytes())
