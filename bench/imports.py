"""`python -m bench imports`: the imports of a cold start of each function.

A fresh process imports the handler from the bundle alone, as in Lambda, on Lambda's version of Python if installed. The
times are CPU seconds of this machine, the least of RUNS runs, with the shipped bytecode and without. Lambda gives a
function more than its share of CPU during a cold start. tests/handlers/test_cold_start.py holds the list of
packages that the API may load.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from supply.bundling import LAMBDA, SOURCE, build_bundle, describe_interpreter, find_compiler
from twofold.settings import Function

RUNS = 5
_MEASURE = """
import time; began = time.process_time()
import importlib, json, sys
sys.path.insert(0, sys.argv[1])
importlib.import_module(sys.argv[2])
spent = time.process_time() - began
packages = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)
print(json.dumps([spent, sorted(packages)]))
"""


def measure(python: str, folder: Path, function: Function) -> tuple[float, list[str]]:
    """Return the CPU seconds and the imported third-party packages."""
    module = function.handler.rpartition(".")[0]
    # -B: Lambda's folder is read-only, so every process compiles modules without bytecode again.
    command = [python, "-I", "-S", "-B", "-c", _MEASURE, str(folder), module]
    results = [
        json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        for _ in range(RUNS)
    ]
    return min(spent for spent, _ in results), results[0][1]


def main() -> None:
    python = find_compiler(LAMBDA) or sys.executable
    with TemporaryDirectory() as scratch:
        shipped, plain = Path(scratch, "shipped"), Path(scratch, "plain")
        shipped.mkdir()
        build_bundle(SOURCE, shipped, ("--python", python))
        shutil.copytree(shipped, plain, ignore=shutil.ignore_patterns("__pycache__"))
        print(f"{describe_interpreter(python)}\n")
        print("| function | import, CPU s | without bytecode | packages |")
        print("| --- | ---: | ---: | --- |")
        for function in Function:
            spent, packages = measure(python, shipped, function)
            compiled, _ = measure(python, plain, function)
            named = [name for name in packages if not name.startswith("_") and name != "twofold"]
            print(f"| {function.value} | {spent:.2f} | {compiled:.2f} | {', '.join(named)} |")


if __name__ == "__main__":
    main()
