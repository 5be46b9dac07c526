"""The Python of Lambda's runtime, if this machine has it, and the two environments of the rehearsal that are made from it.

`python -m tests.rehearsal.interpreters` prints the interpreter that the environments are made with.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from twofold.settings import RUNTIME

EMULATOR_VARIABLE = "TWOFOLD_EMULATOR_PYTHON"
FUNCTIONS_VARIABLE = "TWOFOLD_FUNCTIONS_PYTHON"


@dataclass(frozen=True, slots=True)
class Interpreters:
    """`emulator` has MiniStack; `functions` has no packages, so that functions see nothing but their bundle."""

    emulator: Path
    functions: Path

    @classmethod
    def from_environment(cls) -> "Interpreters":
        """Raises RuntimeError outside of `make rehearse`, which sets both variables."""
        try:
            paths = [
                # Not resolved: the path inside of a virtual environment is what makes it one.
                Path(os.environ[name]).absolute()
                for name in (EMULATOR_VARIABLE, FUNCTIONS_VARIABLE)
            ]
        except KeyError as error:
            raise RuntimeError(
                f"{error.args[0]} is not set; run the rehearsal with `make rehearse`."
            ) from error
        return cls(*paths)


def find_runtime() -> str:
    """The interpreter of Lambda's version; where there is none, the one that runs this."""
    if sys.version_info[:2] == tuple(map(int, RUNTIME.split("."))):
        return sys.executable
    command = shutil.which(f"python{RUNTIME}")
    if not command:
        return sys.executable
    # pyenv's command of this name works only while a version of it is chosen.
    for choice in ({}, {"PYENV_VERSION": f"{RUNTIME}.0"}):
        done = subprocess.run(
            [command, "-c", "import sys; print(sys.executable)"],
            env=os.environ | choice,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return done.stdout.strip()
    return sys.executable


if __name__ == "__main__":
    print(find_runtime())  # noqa: T201
