"""From the words of a command line to a request, or to what is wrong with them."""

import argparse

from twofold.fraction import parse_fraction
from twofold.manifest.groups import GroupBy
from twofold.split import Objective
from twofold_command.split import Request

MAX_SEED = (1 << 63) - 1
MAX_PROCESSES = 256


def request(options: argparse.Namespace) -> Request:
    """Raises ValueError, naming the option and what it may be."""
    try:
        group_by = None if options.group_by is None else GroupBy.of(options.group_by)
    except ValueError as error:
        raise ValueError(f"--group-by {options.group_by[:100]!r}: {error}") from error
    processes = options.processes
    return Request(
        manifest=options.manifest,
        out=options.out,
        fraction=parse_fraction(options.test_fraction),
        seed=_whole("--seed", options.seed, 0, MAX_SEED),
        group_by=group_by,
        previous=options.previous,
        objective=Objective(options.objective),
        processes=None if processes is None else _whole("--processes", processes, 1, MAX_PROCESSES),
        keep_index=options.keep_index,
    )


def _whole(option: str, text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 20 and low <= int(text) <= high):
        raise ValueError(
            f"{option} must be a whole number from {low} to {high}; it is {text[:50]!r}."
        )
    return int(text)
