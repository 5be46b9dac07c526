"""The `twofold` command.

Exit codes: 0 done, 1 not done (or not verified) and said why, 2 bad usage, 130 interrupted. What a subcommand needs is
imported when it runs: `verify` works where none of Twofold's dependencies is installed.
"""

import argparse
import json
import signal
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper

from twofold_command import files, remote
from twofold_command.commands import add
from twofold_command.errors import CommandError
from twofold_command.show import REPORT_COMMAND

COMMANDS = (*files.COMMANDS, REPORT_COMMAND, *remote.COMMANDS)


def main() -> int:
    _spell_out_what_cannot_be_encoded()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    return run(sys.argv[1:])


def run(arguments: Sequence[str]) -> int:
    """The exit code; what there is to tell goes to standard output, what went wrong to standard error."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except CommandError as error:
        _tell_error(str(error), as_json=options.json)
        return 1
    except KeyboardInterrupt:
        print("Stopped; nothing was written.", file=sys.stderr)  # noqa: T201
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1


def _parser() -> argparse.ArgumentParser:
    from twofold import __version__

    parser = argparse.ArgumentParser(
        prog="twofold",
        description="Exact, balanced, reproducible train/test splits of Ground Truth manifests, here or on a service.",
    )
    parser.add_argument("--version", action="version", version=f"twofold {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in COMMANDS:
        add(commands, command)
    return parser


def _tell_error(message: str, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"error": message}, ensure_ascii=False))  # noqa: T201
    print(f"twofold: {message}", file=sys.stderr)  # noqa: T201


def _spell_out_what_cannot_be_encoded() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
