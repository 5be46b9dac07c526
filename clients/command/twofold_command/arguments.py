"""Convert the arguments of `twofold split` to a request."""

import argparse

from twofold.fraction import parse_fraction
from twofold.manifest.grouping.group_by import GroupBy, Ungrouped
from twofold.manifest.levels.balance_by import BalancedMember, parse_balance_by
from twofold.split import Objective
from twofold_command.split import SplitRequest

MAX_SEED = (1 << 63) - 1
MAX_PROCESSES = 256
MAX_MIN_PER_LABEL = 1_000_000_000


def parse_request(options: argparse.Namespace) -> SplitRequest:
    """Returns the request. Raises ValueError with the name of the option and its valid values."""
    try:
        group_by = None if options.group_by is None else GroupBy.parse(options.group_by)
    except ValueError as error:
        raise ValueError(f"--group-by {options.group_by[:100]!r}: {error}") from error
    ungrouped = Ungrouped(options.ungrouped)
    if ungrouped is Ungrouped.SINGLE and group_by is None:
        raise ValueError("--ungrouped single needs --group-by, which defines the groups.")
    processes = options.processes
    return SplitRequest(
        manifest=options.manifest,
        out=options.out,
        fraction=parse_fraction(options.test_fraction),
        seed=_parse_integer("--seed", options.seed, 0, MAX_SEED),
        group_by=group_by,
        ungrouped=ungrouped,
        min_per_label=0
        if options.min_per_label is None
        else _parse_integer("--min-per-label", options.min_per_label, 1, MAX_MIN_PER_LABEL),
        balance_by=_parse_balance_by(options.balance_by),
        previous=options.previous,
        objective=Objective(options.objective),
        processes=None
        if processes is None
        else _parse_integer("--processes", processes, 1, MAX_PROCESSES),
        keep_index=options.keep_index,
    )


def _parse_balance_by(text: str | None) -> tuple[BalancedMember, ...]:
    try:
        return () if text is None else parse_balance_by(text)
    except ValueError as error:
        raise ValueError(f"--balance-by {text and text[:100]!r}: {error}") from error


def _parse_integer(option: str, text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 20 and low <= int(text) <= high):
        raise ValueError(f"{option} must be an integer from {low} to {high}; it is {text[:50]!r}.")
    return int(text)
