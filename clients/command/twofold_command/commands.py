"""The definition of a subcommand, and its parser."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SERVICE = """\
The endpoint is --endpoint, AWS_ENDPOINT_URL_REKOGNITION (`make deploy` prints
it) or AWS_ENDPOINT_URL. Region and credentials are those of the AWS settings.
A local service needs no credentials.
"""

Argument = tuple[tuple[str, ...], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Command:
    """A subcommand. `summary` is the line in the list of commands, `description` the text of its help page, `json_contents`
    names the output of --json.

    A command with an `epilog` works on local files. A command without an epilog drives a service, and gets --endpoint.
    """

    name: str
    summary: str
    description: str
    arguments: tuple[Argument, ...]
    json_contents: str
    run: Callable[[argparse.Namespace], int]
    epilog: str | None = None


def read_folder(text: str) -> Path:
    """Parses the argument for a folder. Raises argparse.ArgumentTypeError for an empty argument."""
    if not text:
        raise argparse.ArgumentTypeError("the folder is empty; name a folder, such as out")
    return Path(text)


def read_file_path(text: str) -> Path:
    """Parses the argument for a file. Raises argparse.ArgumentTypeError for an empty argument."""
    if not text:
        raise argparse.ArgumentTypeError(
            "the file name is empty; name a file, such as all.manifest"
        )
    return Path(text)


def read_name(text: str) -> str:
    """Parses the argument for a name. Raises argparse.ArgumentTypeError for an empty argument."""
    if not text:
        raise argparse.ArgumentTypeError("the value is empty; perhaps a shell variable is not set")
    return text


def define_argument(*names: str, **options: Any) -> Argument:
    """Returns the arguments of `add_argument`."""
    return names, options


PROJECT = define_argument(
    "project", type=read_name, metavar="PROJECT", help="the name of the project"
)
_ENDPOINT = define_argument(
    "--endpoint", type=read_name, metavar="URL", help="endpoint of the service (default: see below)"
)


def add_command(commands: "argparse._SubParsersAction[Any]", command: Command) -> None:
    needs_service = command.epilog is None
    parser = commands.add_parser(
        command.name,
        help=command.summary,
        description=command.description,
        epilog=_SERVICE if needs_service else command.epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    as_json = define_argument(
        "--json", action="store_true", help=f"print {command.json_contents} as JSON"
    )
    service_arguments = (_ENDPOINT,) if needs_service else ()
    debug = define_argument("--debug", action="store_true", help="print the traceback of an error")
    for names, options in (*command.arguments, *service_arguments, as_json, debug):
        parser.add_argument(*names, **options)
    parser.set_defaults(command=command.run)
