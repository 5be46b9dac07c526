"""The interpreters of the rehearsal: the Python version of Lambda if installed, and two virtual environments of this version.

`python -m tests.rehearsal.interpreters` prints the interpreter for the virtual environments.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from supply.bundling import LAMBDA, find_compiler

EMULATOR_VARIABLE = "TWOFOLD_EMULATOR_PYTHON"
FUNCTIONS_VARIABLE = "TWOFOLD_FUNCTIONS_PYTHON"


@dataclass(frozen=True, slots=True)
class Interpreters:
    """`emulator` has MiniStack; `functions` has no packages, so functions see only their bundle."""

    emulator: Path
    functions: Path

    @classmethod
    def from_environment(cls) -> "Interpreters":
        """Read both paths from variables set by `make rehearse`; raises RuntimeError if a variable is missing."""
        try:
            paths = [
                # Not resolved: the interpreter finds its virtual environment by the unresolved path.
                Path(os.environ[name]).absolute()
                for name in (EMULATOR_VARIABLE, FUNCTIONS_VARIABLE)
            ]
        except KeyError as error:
            raise RuntimeError(
                f"{error.args[0]} is not set; run the rehearsal with `make rehearse`."
            ) from error
        return cls(*paths)


def find_runtime() -> str:
    """Return an interpreter of Lambda's version, or the running interpreter."""
    return find_compiler(LAMBDA) or sys.executable


if __name__ == "__main__":
    print(find_runtime())  # noqa: T201
