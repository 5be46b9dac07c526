"""Convert the arguments of `twofold split` to a request."""

import argparse

from twofold.fraction import parse_fraction
from twofold.manifest.grouping.group_by import GroupBy, Ungrouped
from twofold.manifest.levels.balance_by import BalancedMember, parse_balance_by
from twofold.split import Objective
from twofold_command.part_options import (
    MAX_PARTS,
    Part,
    get_test_fraction,
    make_folds,
    parse_parts,
)
from twofold_command.split import SplitRequest

_DEFAULT_FRACTION = "1/5"
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
    parts = _parse_parts(options)
    fraction = get_test_fraction(parts)
    processes = options.processes
    return SplitRequest(
        manifest=options.manifest,
        out=options.out,
        fraction=fraction or parse_fraction(options.test_fraction or _DEFAULT_FRACTION),
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
        strict=options.strict,
        parts=() if fraction else parts,
    )


def _parse_balance_by(text: str | None) -> tuple[BalancedMember, ...]:
    try:
        return () if text is None else parse_balance_by(text)
    except ValueError as error:
        raise ValueError(f"--balance-by {text and text[:100]!r}: {error}") from error


def _parse_parts(options: argparse.Namespace) -> tuple[Part, ...]:
    """Returns the parts, none without --parts and --folds. Raises ValueError, also for options that parts do not have."""
    if options.parts is None and options.folds is None:
        return ()
    option = "--parts" if options.folds is None else "--folds"
    if options.parts is not None and options.folds is not None:
        raise ValueError("--parts and --folds exclude each other; use one of them.")
    if options.test_fraction is not None:
        raise ValueError(f"{option} and --test-fraction exclude each other; use one of them.")
    if options.folds is not None:
        parts = make_folds(_parse_integer("--folds", options.folds, 2, MAX_PARTS))
    else:
        parts = _parse_named_parts(options.parts)
    _require_supported(options, option, parts)
    return parts


def _parse_named_parts(text: str) -> tuple[Part, ...]:
    try:
        return parse_parts(text)
    except ValueError as error:
        raise ValueError(f"--parts {text[:100]!r}: {error}") from error


def _require_supported(options: argparse.Namespace, option: str, parts: tuple[Part, ...]) -> None:
    """Raises ValueError for an option of the split into train and test alone."""
    if get_test_fraction(parts) is not None:
        return
    for name, is_set in (
        ("--balance-by", options.balance_by is not None),
        ("--min-per-label", options.min_per_label is not None),
        ("--previous", options.previous is not None),
        ("--objective labels-and-boxes", options.objective != Objective.LABELS),
    ):
        if is_set:
            raise ValueError(
                f"{name} is for the split into train and test alone; leave it out with {option}."
            )


def _parse_integer(option: str, text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 20 and low <= int(text) <= high):
        raise ValueError(f"{option} must be an integer from {low} to {high}; it is {text[:50]!r}.")
    return int(text)
