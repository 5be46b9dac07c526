"""`python -m tests mutants [--sample N] [--seed S] [PATH ...]` checks whether the tests notice changes of the code.

Draws mutants from the paths (files or folders), and runs the tests of the folder for each mutant. Prints each survivor as a
diff, then the score. Needs Linux or macOS, and the packages that `python -m tests mutants` installs.
"""

import argparse
import difflib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.mutants.running import KILLED, LOG, SURVIVED, copy_tree, judge_mutant, load_libraries

ROOT = Path(__file__).parents[2]
LIBRARIES = ROOT / ".venv" / "mutants"
TESTS_BY_FOLDER = {
    "clients/command/twofold_verify": (
        "tests/clients/verify/test_verify.py",
        "tests/clients/verify/test_attacks.py",
        "tests/clients/command/test_collisions.py",
        "tests/clients/command/test_groups.py",
        "tests/clients/command/test_previous_split.py",
        "tests/clients/command/test_publication.py",
        "tests/clients/verify/test_mutations.py",
    ),
    "lambdas/twofold/split": ("tests/split", "tests/clients/command/test_split.py"),
    "lambdas/twofold/stores/table": (
        "tests/stores/test_items.py",
        "tests/stores/test_busy_stores.py",
        "tests/stores/test_operations.py",
        "tests/workflow/test_undo_and_collect.py",
        "tests/workflow/test_collect.py",
        "tests/api/test_tokens.py",
        "tests/api/test_quotas.py",
        "tests/api/test_older_contents.py",
        "tests/api/test_idempotency.py",
    ),
    "lambdas/twofold/stores": ("tests/stores", "tests/workflow", "tests/faults/test_protocol.py"),
}
"""The folders to mutate, each with the tests to run, fast tests first."""
FACTOR, SPARE_SECONDS = 4, 20
"""The time limit of a mutant: FACTOR times the time without a mutant, plus SPARE_SECONDS. A timeout counts as noticed."""


def find_tests(path: str) -> Sequence[str]:
    """Return the tests for a path. Raises SystemExit if TESTS_BY_FOLDER has none."""
    # A folder within another one comes before it.
    for folder, tests in TESTS_BY_FOLDER.items():
        if path == folder or path.startswith(f"{folder}/"):
            return tests
    raise SystemExit(f"{path}: no tests are listed for it; add them to CONCERNED in {__file__}.")


def draw_mutants(paths: Sequence[str], sample: int, seed: int) -> list[dict[str, Any]]:
    """Draw mutants in a separate process with cosmic-ray, so that the tests run without the packages of cosmic-ray."""
    command = [sys.executable, "-m", "tests.mutants.mutations", str(sample), str(seed), *paths]
    environment = os.environ | {"PYTHONPATH": str(LIBRARIES)}
    lines = subprocess.check_output(command, cwd=ROOT, env=environment, text=True)
    return [json.loads(line) for line in lines.splitlines()]


def run_campaign(paths: Sequence[str], sample: int, seed: int) -> Counter[str]:
    """Run the campaign and return the number of killed, surviving and timed-out mutants."""
    mutants, outcomes, limits = (
        draw_mutants(paths, sample, seed),
        Counter[str](),
        dict[Sequence[str], float](),
    )
    load_libraries()
    with copy_tree(ROOT) as tree:
        for number, mutant in enumerate(mutants, start=1):
            path = mutant["mutation"]["path"]
            tests = find_tests(path)
            if tests not in limits:
                limits[tests] = _require_success(tree, path, tests)
            outcome = judge_mutant(tree, path, mutant["text"], tests, limits[tests])
            outcomes[outcome] += 1
            print(
                f"{number} of {len(mutants)}: {path}:{mutant['mutation']['line']} {outcome}",
                flush=True,
            )
            if outcome == SURVIVED:
                print(_format_diff(tree, mutant), flush=True)
    return outcomes


def _require_success(tree: Path, path: str, tests: Sequence[str]) -> float:
    """Return the time limit of a mutant in seconds. Raises SystemExit if the tests fail without a mutant."""
    began = time.monotonic()
    text = (tree / path).read_text(encoding="utf-8")
    if judge_mutant(tree, path, text, tests, 3_600) != SURVIVED:
        raise SystemExit(f"{(tree / LOG).read_text()}\nThe tests fail without a mutant.")
    return FACTOR * (time.monotonic() - began) + SPARE_SECONDS


def _format_diff(tree: Path, mutant: dict[str, Any]) -> str:
    mutation = mutant["mutation"]
    before = (tree / mutation["path"]).read_text(encoding="utf-8").splitlines()
    lines = difflib.unified_diff(before, mutant["text"].splitlines(), n=1, lineterm="")
    head = f"survived: {mutation['path']}:{mutation['line']} {mutation['operator']}"
    return "\n".join([head, *list(lines)[3:]])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests mutants", description=__doc__)
    parser.add_argument("--sample", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("paths", nargs="*", metavar="PATH", default=[*TESTS_BY_FOLDER])
    options = parser.parse_args()
    for path in options.paths:
        find_tests(path)
    began = time.monotonic()
    outcomes = run_campaign(options.paths, options.sample, options.seed)
    total, survived = outcomes.total(), outcomes[SURVIVED]
    print(
        f"{total - survived} of a sample of {total} mutants noticed ({100 * (total - survived) / total:.0f} %), "
        f"seed {options.seed}: {outcomes[KILLED]} killed, {total - survived - outcomes[KILLED]} timed out, "
        f"{survived} survived; {(time.monotonic() - began) / 60:.0f} minutes."
    )


if __name__ == "__main__":
    main()
