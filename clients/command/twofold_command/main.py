"""The `twofold` command.

Exit codes: 0 success, 1 failure (or not verified), 2 usage error, 128 plus the number of the signal after a stop.
Each subcommand imports its own modules: `verify` runs without any of Twofold's dependencies.
"""

import argparse
import sys
import traceback
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

from twofold.escaping import make_printable
from twofold_command import local_commands, service_commands, signals
from twofold_command.commands import add_command
from twofold_command.console import decode_path, discard_output, is_utf8, print_json, print_text
from twofold_command.errors import CommandError, describe_error
from twofold_command.report_command import REPORT_COMMAND

COMMANDS = (*local_commands.COMMANDS, REPORT_COMMAND, *service_commands.COMMANDS)


def run_command(arguments: Sequence[str]) -> int:
    """Runs a subcommand and returns the exit code. Results go to standard output, errors to standard error."""
    _escape_unencodable_characters()
    signals.set_outcome(signals.NOTHING_WRITTEN)
    options = argparse.Namespace(debug=False, json=False)
    try:
        _read_options(arguments, options)
        command: Callable[[argparse.Namespace], int] = options.command
        code = command(options)
        sys.stdout.flush()
    except KeyboardInterrupt as error:
        print(f"Stopped; {signals.get_outcome()}.", file=sys.stderr)  # noqa: T201
        return signals.get_exit_code(error)
    except BrokenPipeError:
        discard_output()
        return 1
    except Exception as error:
        if options.debug:
            traceback.print_exception(error)
        cause = describe_error(error, has_processes="processes" in options)
        _report_error(f"{cause}{_describe_folder()}", as_json=options.json)
        return 1
    return code


class _Parser(argparse.ArgumentParser):
    """Escapes control characters in usage errors, and raises CommandError for help that cannot be printed."""

    def _print_message(self, message: str, file: Any = None) -> None:
        if file is sys.stdout:
            print_text(message, end="")
        else:
            super()._print_message(message, file)

    def error(self, message: str) -> NoReturn:
        super().error(make_printable(message))


def _build_parser() -> argparse.ArgumentParser:
    from twofold import __version__

    parser = _Parser(
        prog="twofold",
        description="Exact, balanced, reproducible train/test splits of Ground Truth manifests, here or on a service.",
    )
    parser.add_argument("--version", action="version", version=f"twofold {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in COMMANDS:
        add_command(commands, command)
    return parser


def _read_options(arguments: Sequence[str], options: argparse.Namespace) -> None:
    """Fills `options`. Raises SystemExit after bad usage, help and the version, and CommandError if help cannot be printed."""
    parser = _build_parser()
    parser.parse_args(arguments or ("--help",), options)
    _require_text(parser, options)


def _describe_folder() -> str:
    """Returns a sentence if the current folder has been deleted, so that no relative path is usable."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return " The current folder has been deleted; change to one that exists."
    return ""


def _require_text(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Exits with code 2 if an argument is not UTF-8, except the path of a file."""
    for name, value in vars(options).items():
        if isinstance(value, str) and name != "where" and not is_utf8(value):
            parser.error(f"{name.replace('_', '-')}: {decode_path(value)!r} is not UTF-8.")


def _report_error(message: str, *, as_json: bool) -> None:
    try:
        if as_json:
            print_json({"error": message}, indent=None)
        sys.stdout.flush()
    except (OSError, CommandError):
        discard_output()
    print(f"twofold: {make_printable(message)}", file=sys.stderr)  # noqa: T201


def _escape_unencodable_characters() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
