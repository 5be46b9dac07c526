"""`python -m tests privileges`: run the test suite with recorded AWS calls, and compare them with the synthesized roles."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.privileges.check import main as check_calls

CALLS = Path(__file__).parents[2] / "build" / "calls"


def run_campaign() -> int:
    """Return 0 if calls and grants match, the exit code of the suite if a test fails, else 1."""
    shutil.rmtree(CALLS, ignore_errors=True)
    suite = [sys.executable, "-m", "pytest", "--numprocesses", "2", "--dist", "loadfile"]
    result = subprocess.run(suite, env={**os.environ, "TWOFOLD_CALLS": str(CALLS)}, check=False)
    return result.returncode or check_calls(CALLS)


if __name__ == "__main__":
    sys.exit(run_campaign())
