"""The CDK CLI, at the version that this app is tested with: `python -m infra.cdk deploy|diff|bootstrap [option=value ...]`.

npx fetches it from npm once; it runs on the Node that came with the requirements, and runs app.py with this Python. Arguments
that begin with a hyphen are the CLI's own, except --allow=NAME,... (ALLOW of the Makefile). The options are read first: the CLI
itself passes over a key that nobody knows, and would deploy another stage than was meant. A deployment takes them from the file
of the stage alone, and is checked against what is deployed (infra/preflight.py).
"""

import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from infra import NODE
from infra.account import AccountError, check_place, settle
from infra.options import OptionError, Options
from infra.preflight import Deployment, find_problems, select_refusals
from infra.stages import StageFile, find_overrides, resolve_options

CLI = "aws-cdk@2.1148.1"
NPX = NODE.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npx-cli.js"
ALLOW = "--allow="
UNCHECKED = "unchecked"


def command(arguments: Sequence[str]) -> list[str]:
    return [str(NODE), str(NPX), "--yes", "--prefer-offline", CLI, *arguments]


def environment() -> dict[str, str]:
    first = [str(NODE.parent), str(Path(sys.executable).parent)]
    return {**os.environ, "PATH": os.pathsep.join([*first, os.environ.get("PATH", os.defpath)])}


def arguments_of(verb: str, given: Sequence[str]) -> list[str]:
    """The CLI's arguments for a verb with options of the app and of the CLI; raises OptionError.

    app.py reads the file of the stage by itself, so only what was given goes along.
    """
    context = [part for pair in options_in(given) for part in ("--context", pair)]
    cli = [one for one in given if one.startswith("-") and not one.startswith(ALLOW)]
    return [verb, *context, *cli]


def options_in(given: Sequence[str]) -> list[str]:
    """Those that are the app's, not the CLI's."""
    return [one for one in given if not one.startswith("-")]


def names_allowed(given: Sequence[str]) -> set[str]:
    """The refusals that the operator insists on passing over."""
    lists = [one.removeprefix(ALLOW) for one in given if one.startswith(ALLOW)]
    return {name for text in lists for name in text.split(",")}


def require_file_options(file: StageFile, options: Options) -> None:
    """Raises OptionError for options that only the command line has: the next deployment would undo them."""
    lines = find_overrides(file, options).values()
    if lines:
        raise OptionError(
            f"CONTEXT sets options that {file.path} does not have, and the next deployment would undo them. Put them into "
            f"the file and commit it: {'; '.join(lines)}. With make synth and make diff CONTEXT is for trying them out."
        )


def check_account(verb: str, options: Options, region: str, allowed: Collection[str]) -> None:
    """Prints what the checks of the account find; exits where a deployment is refused."""
    try:
        findings = find_problems(Deployment(options=options, region=region))
    except ClientError as error:
        if UNCHECKED in allowed or verb != "deploy":
            print(f"The deployed stack could not be checked: {error}", file=sys.stderr)  # noqa: T201
            return
        sys.exit(f"The deployed stack could not be checked: {error}\n{_insist(UNCHECKED)}")
    for finding in findings:
        print(f"{finding.name}: {finding.message}", file=sys.stderr)  # noqa: T201
    refusals = select_refusals(findings, allowed)
    if verb == "deploy" and refusals:
        sys.exit(_insist(*(finding.name for finding in refusals)))


def _insist(*names: str) -> str:
    return f"Nothing was deployed. To deploy all the same: make deploy ALLOW={','.join(names)}"


def prepare(verb: str, given: Sequence[str]) -> list[str]:
    """The CLI's arguments, after all that can be checked before it starts; raises OptionError, AccountError."""
    file, options = resolve_options(options_in(given))
    if verb == "deploy":
        require_file_options(file, options)
    region = settle()
    check_place(file, region)
    if verb in ("deploy", "diff"):
        check_account(verb, options, region, names_allowed(given))
    return arguments_of(verb, given)


def main(verb: str, *given: str) -> None:
    try:
        arguments = prepare(verb, given)
    except (OptionError, AccountError) as error:
        sys.exit(str(error))
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"AWS did not do it: {error}")
    os.execve(NODE, command(arguments), environment())  # noqa: S606


if __name__ == "__main__":
    main(*sys.argv[1:])
