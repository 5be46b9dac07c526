"""The CDK CLI, at the version that this app is tested with: `python -m infra.cdk deploy|diff|bootstrap [option=value ...]`.

npx fetches it from npm once; it runs on the Node that came with the requirements, and runs app.py with this Python. Arguments
that begin with a hyphen are the CLI's own. The options are read first: the CLI itself passes over a key that nobody knows, and
would deploy another stage than was meant.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from infra import NODE
from infra.account import AccountError, settle
from infra.options import OptionError, options_of

CLI = "aws-cdk@2.1148.1"
NPX = NODE.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npx-cli.js"


def command(arguments: Sequence[str]) -> list[str]:
    return [str(NODE), str(NPX), "--yes", "--prefer-offline", CLI, *arguments]


def environment() -> dict[str, str]:
    first = [str(NODE.parent), str(Path(sys.executable).parent)]
    return {**os.environ, "PATH": os.pathsep.join([*first, os.environ.get("PATH", os.defpath)])}


def arguments_of(verb: str, given: Sequence[str]) -> list[str]:
    """The CLI's arguments for a verb with options of the app and of the CLI; raises OptionError."""
    pairs = options_in(given)
    options_of(pairs)
    context = [part for pair in pairs for part in ("--context", pair)]
    return [verb, *context, *(one for one in given if one not in pairs)]


def options_in(given: Sequence[str]) -> list[str]:
    """Those that are the app's, not the CLI's."""
    return [one for one in given if not one.startswith("-")]


def main(verb: str, *given: str) -> None:
    try:
        arguments = arguments_of(verb, given)
        settle()
    except (OptionError, AccountError) as error:
        sys.exit(str(error))
    os.execve(NODE, command(arguments), environment())  # noqa: S606


if __name__ == "__main__":
    main(*sys.argv[1:])
