"""`python -m bench.imports` (`make imports`): what a cold start of each function loads before its first line of work.

CPU seconds of this machine, the least of some runs; Lambda gives a function more than its share of CPU while it starts.
tests/handlers/test_cold_start.py holds the list of what the API may load.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from twofold.settings import Function

RUNS = 5
_ROOT = Path(__file__).parents[1]
_MEASURE = """
import time; began = time.process_time()
import importlib, json, sys
importlib.import_module(sys.argv[1])
spent = time.process_time() - began
packages = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)
print(json.dumps([spent, sorted(packages)]))
"""


def measure(function: Function, runs: int = RUNS) -> tuple[float, list[str]]:
    """(CPU seconds, the packages that are not Python's own)."""
    module = function.handler.rpartition(".")[0]
    environment = {**os.environ, "PYTHONPATH": str(_ROOT / "lambdas")}
    answers = [
        json.loads(
            subprocess.run(
                [sys.executable, "-c", _MEASURE, module],
                check=True,
                capture_output=True,
                env=environment,
            ).stdout
        )
        for _ in range(runs)
    ]
    return min(spent for spent, _ in answers), answers[0][1]


def main() -> None:
    print("| function | import, CPU s | packages |")
    print("| --- | ---: | --- |")
    for function in Function:
        spent, packages = measure(function)
        named = [name for name in packages if not name.startswith("_") and name != "twofold"]
        print(f"| {function.value} | {spent:.2f} | {', '.join(named)} |")


if __name__ == "__main__":
    main()
