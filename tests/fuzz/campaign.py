"""`python -m tests fuzz MINUTES [TARGET ...]` runs the targets in turn with new inputs for MINUTES minutes.

A failing input is shrunk and shown, and ends the campaign with exit code 1. With atheris installed, coverage guides the
inputs of a single target: `python -m tests fuzz MINUTES --guided TARGET`.
"""

import argparse
import sys
import time
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzz.targets import TARGETS, run_target

BATCH = 500


def _make_test(name: str, counts: Counter[str], examples: int) -> Any:
    strategy, target = TARGETS[name]

    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[*HealthCheck],
    )
    @given(strategy)
    def test(drawn: Any) -> None:
        counts[name] += 1
        run_target(target, drawn)

    return test


def run_campaign(minutes: float, names: list[str]) -> Counter[str]:
    """Run the targets and return the number of inputs of each."""
    counts: Counter[str] = Counter()
    end = time.monotonic() + minutes * 60
    while time.monotonic() < end:
        for name in names:
            _make_test(name, counts, BATCH)()
    return counts


def run_guided(minutes: float, name: str) -> None:
    """Run a target with atheris. Does not return: libFuzzer ends the process."""
    import atheris

    atheris.instrument_all()
    test = _make_test(name, Counter(), BATCH).hypothesis.fuzz_one_input
    atheris.Setup([sys.argv[0], f"-max_total_time={round(minutes * 60)}"], test)
    atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests fuzz")
    parser.add_argument("minutes", type=float, nargs="?", default=1)
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []])
    parser.add_argument("--guided", choices=list(TARGETS))
    options = parser.parse_args()
    if options.guided:
        run_guided(options.minutes, options.guided)
    counts = run_campaign(options.minutes, options.targets or list(TARGETS))
    for name, count in counts.items():
        print(f"{name:<20}{count:>12,}")  # noqa: T201
    print(f"{'violations':<20}{0:>12}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
