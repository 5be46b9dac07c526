"""The `twofold` command.

Exit codes: 0 done, 1 not done (or not verified) and said why, 2 bad usage, 128 and the number of the signal that stopped it.
What a subcommand needs is imported when it runs: `verify` works where none of Twofold's dependencies is installed.
"""

import argparse
import sys
import traceback
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

from twofold.escaping import make_printable
from twofold_command import files, remote, stops
from twofold_command.commands import add
from twofold_command.errors import describe
from twofold_command.output import discard_output, is_text, name_of, print_json
from twofold_command.show import REPORT_COMMAND

COMMANDS = (*files.COMMANDS, REPORT_COMMAND, *remote.COMMANDS)


def run(arguments: Sequence[str]) -> int:
    """The exit code. Results go to standard output, errors to standard error."""
    _escape_unencodable_characters()
    stops.set_outcome(stops.NOTHING_WRITTEN)
    options = argparse.Namespace(debug=False, json=False)
    try:
        _read_options(arguments, options)
        command: Callable[[argparse.Namespace], int] = options.command
        code = command(options)
        sys.stdout.flush()
    except KeyboardInterrupt as error:
        print(f"Stopped; {stops.outcome()}.", file=sys.stderr)  # noqa: T201
        return stops.exit_code(error)
    except BrokenPipeError:
        discard_output()
        return 1
    except Exception as error:
        if options.debug:
            traceback.print_exception(error)
        _report_error(f"{describe(error)}{_describe_folder()}", as_json=options.json)
        return 1
    return code


class _Parser(argparse.ArgumentParser):
    """Escapes control characters in the arguments that it quotes, and raises OSError for help that cannot be printed."""

    def _print_message(self, message: str, file: Any = None) -> None:
        if file is sys.stdout:
            print(message, end="", flush=True)  # noqa: T201
        else:
            super()._print_message(message, file)

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


def _read_options(arguments: Sequence[str], options: argparse.Namespace) -> None:
    """Raises SystemExit after bad usage, help and the version, and OSError if the last two cannot be printed."""
    parser = _parser()
    parser.parse_args(arguments or ("--help",), options)
    _require_text(parser, options)


def _describe_folder() -> str:
    """A sentence if the current folder has been deleted: no relative path can be used then."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return " The current folder has been deleted; change to one that exists."
    return ""


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
        discard_output()
    print(f"twofold: {make_printable(message)}", file=sys.stderr)  # noqa: T201


def _escape_unencodable_characters() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
