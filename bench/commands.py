"""A program with a module for each command, such as `python -m bench scale`."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class ModuleCommand(NamedTuple):
    """A module with a command line, and one line of help."""

    module: str
    purpose: str


def run_command(
    program: str, commands: Mapping[str, ModuleCommand], arguments: Sequence[str]
) -> int:
    """Replace this process by the module of the first argument. Without one, print the commands and return an exit code."""
    if arguments and arguments[0] in commands:
        module = commands[arguments[0]].module
        os.execv(sys.executable, [sys.executable, "-m", module, *arguments[1:]])  # noqa: S606
    lines = [f"  {name:<16} {command.purpose}" for name, command in commands.items()]
    usage = "\n".join([f"usage: {program} NAME [OPTION ...]", "", *lines])
    is_help = not arguments or arguments[0] in ("-h", "--help")
    print(usage, file=sys.stdout if is_help else sys.stderr)
    return 0 if is_help else 2
