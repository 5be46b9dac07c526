"""The browser that the tests and the screenshots use."""

import os
import shutil
from pathlib import Path

from tests import node

FOLDER = Path(__file__).parent
VARIABLE = "TWOFOLD_CHROMIUM"


def found() -> str | None:
    """What TWOFOLD_CHROMIUM names, or the machine's own."""
    return os.environ.get(VARIABLE) or shutil.which("chromium") or shutil.which("chromium-browser")


def script(name: str, *arguments: str, browser: str) -> str:
    """What a script of this folder prints."""
    node.install(FOLDER)
    environment = {**os.environ, VARIABLE: browser}
    done = node.run(FOLDER / name, *arguments, folder=FOLDER, environment=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout
