"""The browser of the tests and the screenshots."""

import os
import shutil
from pathlib import Path

from tests.support import node

FOLDER = Path(__file__).parent
VARIABLE = "TWOFOLD_CHROMIUM"


def find_browser() -> str | None:
    """The path of the browser: TWOFOLD_CHROMIUM or an installed chromium; None if there is none."""
    return os.environ.get(VARIABLE) or shutil.which("chromium") or shutil.which("chromium-browser")


def run_script(name: str, *arguments: str, browser: str) -> str:
    """Run a script of this folder and return its output."""
    node.install_packages(FOLDER)
    environment = {**os.environ, VARIABLE: browser}
    done = node.run_script(FOLDER / name, *arguments, folder=FOLDER, environment=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout
