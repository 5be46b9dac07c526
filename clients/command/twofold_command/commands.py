"""A subcommand as data, and how the parser gets it."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SERVICE = """\
The service is that of the environment (AWS_ENDPOINT_URL_REKOGNITION, as `make
deploy` prints it, or AWS_ENDPOINT_URL) or of --endpoint, and so are region and
credentials. A local service takes any credentials, and none.
"""

Argument = tuple[tuple[str, ...], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Command:
    """`summary` is its line in the list of commands, `more` what its own help says, `told` what --json prints.

    With `epilog` it works on files of this machine; without, on a service, which it is told of by its own options.
    """

    name: str
    summary: str
    more: str
    arguments: tuple[Argument, ...]
    told: str
    run: Callable[[argparse.Namespace], int]
    epilog: str | None = None


def read_folder(text: str) -> Path:
    """The type of an argument that names a folder. Raises argparse.ArgumentTypeError for an empty one."""
    if not text:
        raise argparse.ArgumentTypeError("it is empty; name a folder, such as out")
    return Path(text)


def argument(*names: str, **options: Any) -> Argument:
    """As add_argument takes it."""
    return names, options


PROJECT = argument("project", metavar="PROJECT", help="the name of the project")
_ENDPOINT = argument(
    "--endpoint", metavar="URL", help="the service's address (default: the environment's)"
)


def add(commands: "argparse._SubParsersAction[Any]", command: Command) -> None:
    served = command.epilog is None
    parser = commands.add_parser(
        command.name,
        help=command.summary,
        description=command.more,
        epilog=_SERVICE if served else command.epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    as_json = argument("--json", action="store_true", help=f"print {command.told} as JSON")
    of_service = (_ENDPOINT,) if served else ()
    debug = argument("--debug", action="store_true", help="print the trace of an error")
    for names, options in (*command.arguments, *of_service, as_json, debug):
        parser.add_argument(*names, **options)
    parser.set_defaults(command=command.run)
