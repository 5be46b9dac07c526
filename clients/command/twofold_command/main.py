"""The `twofold` command.

Exit codes: 0 done, 1 not done (or not verified) and said why, 2 bad usage, 128 and the number of the signal that stopped it.
What a subcommand needs is imported when it runs: `verify` works where none of Twofold's dependencies is installed.
"""

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import TextIOWrapper
from typing import NoReturn

from twofold.escaping import make_printable
from twofold_command import files, remote, stops
from twofold_command.commands import add
from twofold_command.errors import describe
from twofold_command.output import is_text, name_of, print_json
from twofold_command.show import REPORT_COMMAND

COMMANDS = (*files.COMMANDS, REPORT_COMMAND, *remote.COMMANDS)


def run(arguments: Sequence[str]) -> int:
    """The exit code. Results go to standard output, errors to standard error."""
    _escape_unencodable_characters()
    stops.set_outcome(stops.NOTHING_WRITTEN)
    parser = _parser()
    options = parser.parse_args(arguments or ("--help",))
    _require_text(parser, options)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        code = command(options)
        sys.stdout.flush()
    except KeyboardInterrupt as error:
        print(f"Stopped; {stops.outcome()}.", file=sys.stderr)  # noqa: T201
        return stops.exit_code(error)
    except BrokenPipeError:
        _discard_output()
        return 1
    except Exception as error:
        if options.debug:
            traceback.print_exception(error)
        _report_error(describe(error), as_json=options.json)
        return 1
    return code


class _Parser(argparse.ArgumentParser):
    """Spells out control characters of what it quotes."""

    def error(self, message: str) -> NoReturn:
        super().error(make_printable(message))


def _parser() -> argparse.ArgumentParser:
    from twofold import __version__

    parser = _Parser(
        prog="twofold",
        description="Exact, balanced, reproducible train/test splits of Ground Truth manifests, here or on a service.",
    )
    parser.add_argument("--version", action="version", version=f"twofold {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in COMMANDS:
        add(commands, command)
    return parser


def _require_text(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Ends with exit code 2 for an argument that is not UTF-8, unless it may name a file."""
    for name, value in vars(options).items():
        if isinstance(value, str) and name != "where" and not is_text(value):
            parser.error(f"{name.replace('_', '-')}: {name_of(value)!r} is not UTF-8.")


def _report_error(message: str, *, as_json: bool) -> None:
    try:
        if as_json:
            print_json({"error": message}, indent=None)
        sys.stdout.flush()
    except OSError:
        _discard_output()
    print(f"twofold: {make_printable(message)}", file=sys.stderr)  # noqa: T201


def _discard_output() -> None:
    """Nobody reads it any more; what is still buffered must not fail again when the process ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _escape_unencodable_characters() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
