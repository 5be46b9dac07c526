"""`python -m tests.fuzz.campaign MINUTES [TARGET ...]`: the targets in turn, with new inputs, for so many minutes.

An input that breaks a promise is shrunk, shown and ends the campaign with 1. With atheris installed, coverage guides the inputs
of one target: `python -m tests.fuzz.campaign MINUTES --guided TARGET`.
"""

import argparse
import sys
import time
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzz.targets import TARGETS, attempt

BATCH = 500


def _test(name: str, counts: Counter[str], examples: int) -> Any:
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
        attempt(target, drawn)

    return test


def campaign(minutes: float, names: list[str]) -> Counter[str]:
    """How many inputs each target has had."""
    counts: Counter[str] = Counter()
    end = time.monotonic() + minutes * 60
    while time.monotonic() < end:
        for name in names:
            _test(name, counts, BATCH)()
    return counts


def guided(minutes: float, name: str) -> None:
    """Does not return: libFuzzer ends the process."""
    import atheris

    atheris.instrument_all()
    test = _test(name, Counter(), BATCH).hypothesis.fuzz_one_input
    atheris.Setup([sys.argv[0], f"-max_total_time={round(minutes * 60)}"], test)
    atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", usage="make fuzz [MINUTES=1] [GUIDED=lines]")
    parser.add_argument("minutes", type=float)
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []])
    parser.add_argument("--guided", choices=list(TARGETS))
    options = parser.parse_args()
    if options.guided:
        guided(options.minutes, options.guided)
    counts = campaign(options.minutes, options.targets or list(TARGETS))
    for name, count in counts.items():
        print(f"{name:<20}{count:>12,}")  # noqa: T201
    print(f"{'violations':<20}{0:>12}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
