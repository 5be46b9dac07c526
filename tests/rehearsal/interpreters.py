"""The Python of Lambda's runtime, if this machine has it, and the two environments of the rehearsal that are made from it.

`python -m tests.rehearsal.interpreters` prints the interpreter that the environments are made with.
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
    return find_compiler(LAMBDA) or sys.executable


if __name__ == "__main__":
    print(find_runtime())  # noqa: T201
