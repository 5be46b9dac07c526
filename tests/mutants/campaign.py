"""`python -m tests.mutants.campaign [--sample N] [--seed S] [PATH ...]`: do the tests notice if the code is changed?

Mutants are drawn from the paths (files, or folders) and judged one after the other by the tests that concern them. Prints
each survivor as a diff, then the score. Needs Linux or macOS, and what `make mutants` installs beside the suite's packages.
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

from tests.mutants.running import KILLED, LOG, SURVIVED, copied_tree, judge, load_libraries

ROOT = Path(__file__).parents[2]
LIBRARIES = ROOT / ".venv" / "mutants"
CONCERNED = {
    "clients/command/twofold_verify": (
        "tests/command/test_twofold_verify.py",
        "tests/command/test_verify_attacks.py",
        "tests/command/test_collisions.py",
        "tests/command/test_twofold_groups.py",
        "tests/command/test_twofold_previous.py",
        "tests/command/test_twofold_crashes.py",
        "tests/command/test_verify_mutations.py",
    ),
    "lambdas/twofold/split": ("tests/split", "tests/command/test_twofold_split.py"),
    "lambdas/twofold/stores/table": (
        "tests/unit/test_items.py",
        "tests/unit/test_busy_stores.py",
        "tests/workflow/test_claims.py",
        "tests/workflow/test_undo_and_collect.py",
        "tests/workflow/test_collect.py",
        "tests/handlers/test_tokens.py",
        "tests/handlers/test_quotas.py",
        "tests/handlers/test_older_contents.py",
        "tests/handlers/test_repetition.py",
    ),
    "lambdas/twofold/stores": ("tests/unit", "tests/workflow", "tests/faults/test_protocol.py"),
}
"""The folders that may be mutated, with the tests that concern them, quick ones first."""
FACTOR, SPARE_SECONDS = 4, 20
"""A mutant that takes this much longer than the tests took without one has timed out, which counts as noticed."""


def find_tests(path: str) -> Sequence[str]:
    """Raises SystemExit for a path that no tests are known of."""
    # A folder within another one comes before it.
    for folder, tests in CONCERNED.items():
        if path == folder or path.startswith(f"{folder}/"):
            return tests
    raise SystemExit(f"{path}: no tests are listed for it; add them to CONCERNED in {__file__}.")


def draw(paths: Sequence[str], sample: int, seed: int) -> list[dict[str, Any]]:
    """By a process that knows cosmic-ray; the tests run without it and its versions of other packages."""
    command = [sys.executable, "-m", "tests.mutants.mutations", str(sample), str(seed), *paths]
    environment = os.environ | {"PYTHONPATH": str(LIBRARIES)}
    lines = subprocess.check_output(command, cwd=ROOT, env=environment, text=True)
    return [json.loads(line) for line in lines.splitlines()]


def run(paths: Sequence[str], sample: int, seed: int) -> Counter[str]:
    """How many mutants were killed, survived or timed out."""
    mutants, outcomes, limits = (
        draw(paths, sample, seed),
        Counter[str](),
        dict[Sequence[str], float](),
    )
    load_libraries()
    with copied_tree(ROOT) as tree:
        for number, mutant in enumerate(mutants, start=1):
            path = mutant["mutation"]["path"]
            tests = find_tests(path)
            if tests not in limits:
                limits[tests] = _require_success(tree, path, tests)
            outcome = judge(tree, path, mutant["text"], tests, limits[tests])
            outcomes[outcome] += 1
            print(
                f"{number} of {len(mutants)}: {path}:{mutant['mutation']['line']} {outcome}",
                flush=True,
            )
            if outcome == SURVIVED:
                print(_diff(tree, mutant), flush=True)
    return outcomes


def _require_success(tree: Path, path: str, tests: Sequence[str]) -> float:
    """The seconds that a mutant has. Raises SystemExit if the tests fail without any."""
    began = time.monotonic()
    text = (tree / path).read_text(encoding="utf-8")
    if judge(tree, path, text, tests, 3_600) != SURVIVED:
        raise SystemExit(f"{(tree / LOG).read_text()}\nThe tests fail without a mutant.")
    return FACTOR * (time.monotonic() - began) + SPARE_SECONDS


def _diff(tree: Path, mutant: dict[str, Any]) -> str:
    mutation = mutant["mutation"]
    before = (tree / mutation["path"]).read_text(encoding="utf-8").splitlines()
    lines = difflib.unified_diff(before, mutant["text"].splitlines(), n=1, lineterm="")
    head = f"survived: {mutation['path']}:{mutation['line']} {mutation['operator']}"
    return "\n".join([head, *list(lines)[3:]])


def main() -> None:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--sample", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("paths", nargs="*", metavar="PATH", default=[*CONCERNED])
    options = parser.parse_args()
    for path in options.paths:
        find_tests(path)
    began = time.monotonic()
    outcomes = run(options.paths, options.sample, options.seed)
    total, survived = outcomes.total(), outcomes[SURVIVED]
    print(
        f"{total - survived} of a sample of {total} mutants noticed ({100 * (total - survived) / total:.0f} %), "
        f"seed {options.seed}: {outcomes[KILLED]} killed, {total - survived - outcomes[KILLED]} timed out, "
        f"{survived} survived; {(time.monotonic() - began) / 60:.0f} minutes."
    )


if __name__ == "__main__":
    main()
