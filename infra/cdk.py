"""Run the CDK CLI in the tested version: `python -m infra.cdk deploy|diff|bootstrap [option=value ...]`.

npx fetches the CLI from npm once. The CLI runs on the Node of the requirements and starts app.py with this Python. Arguments
with a leading hyphen go to the CLI, except --allow=NAME,... (ALLOW of the Makefile).

Options are validated before the CLI starts, because the CLI ignores unknown keys and would deploy the wrong stage. `deploy`
accepts options only from the file of the stage, and compares the deployed stack with the new options (infra/preflight.py).
"""

import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from infra import NODE
from infra.account import AccountError, check_target, resolve_region
from infra.options import OptionError, Options
from infra.preflight import Deployment, find_problems, select_refusals
from infra.stages import StageFile, find_overrides, resolve_options

CLI = "aws-cdk@2.1148.1"
NPX = NODE.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npx-cli.js"
ALLOW = "--allow="
UNCHECKED = "unchecked"


def build_command(arguments: Sequence[str]) -> list[str]:
    """Return the command line of the CDK CLI with `arguments`."""
    return [str(NODE), str(NPX), "--yes", "--prefer-offline", CLI, *arguments]


def build_environment() -> dict[str, str]:
    """Return this process's environment, with Node and this Python first in PATH."""
    folders = [str(NODE.parent), str(Path(sys.executable).parent)]
    return {**os.environ, "PATH": os.pathsep.join([*folders, os.environ.get("PATH", os.defpath)])}


def build_cli_arguments(verb: str, arguments: Sequence[str]) -> list[str]:
    """Return the CLI's arguments for a verb; option pairs become `--context`.

    app.py reads the file of the stage, so only the options of the command line are passed on.
    """
    context = [part for pair in select_option_pairs(arguments) for part in ("--context", pair)]
    flags = [flag for flag in arguments if flag.startswith("-") and not flag.startswith(ALLOW)]
    return [verb, *context, *flags]


def select_option_pairs(arguments: Sequence[str]) -> list[str]:
    """Return the `option=value` arguments, without flags of the CLI."""
    return [argument for argument in arguments if not argument.startswith("-")]


def parse_allowed_names(arguments: Sequence[str]) -> set[str]:
    """Return the names in `--allow=NAME,...`: findings that do not stop this deployment."""
    lists = [flag.removeprefix(ALLOW) for flag in arguments if flag.startswith(ALLOW)]
    return {name for text in lists for name in text.split(",")}


def require_file_options(file: StageFile, options: Options) -> None:
    """Raise OptionError for options set only on the command line: the next deployment would undo them."""
    lines = find_overrides(file, options).values()
    if lines:
        raise OptionError(
            f"CONTEXT sets options that {file.path} does not have, and the next deployment would undo them. Put them into "
            f"the file and commit it: {'; '.join(lines)}. With make synth and make diff CONTEXT is for trying them out."
        )


def check_account(verb: str, options: Options, region: str, allowed: Collection[str]) -> None:
    """Print the findings of the preflight checks; exit if a finding stops the deployment."""
    try:
        findings = find_problems(Deployment(options=options, region=region))
    except ClientError as error:
        if UNCHECKED in allowed or verb != "deploy":
            print(f"The deployed stack could not be checked: {error}", file=sys.stderr)  # noqa: T201
            return
        sys.exit(
            f"The deployed stack could not be checked: {error}\n{_describe_override(UNCHECKED)}"
        )
    for finding in findings:
        print(f"{finding.name}: {finding.message}", file=sys.stderr)  # noqa: T201
    refusals = select_refusals(findings, allowed)
    if verb == "deploy" and refusals:
        sys.exit(_describe_override(*(finding.name for finding in refusals)))


def _describe_override(*names: str) -> str:
    return f"Nothing was deployed. To deploy anyway: make deploy ALLOW={','.join(names)}"


def prepare(verb: str, command_line: Sequence[str]) -> list[str]:
    """Validate options and account, and return the arguments of the CLI; raises OptionError, AccountError."""
    file, options = resolve_options(select_option_pairs(command_line))
    if verb == "deploy":
        require_file_options(file, options)
    region = resolve_region()
    check_target(file, region)
    if verb in ("deploy", "diff"):
        check_account(verb, options, region, parse_allowed_names(command_line))
    return build_cli_arguments(verb, command_line)


def main(verb: str, *command_line: str) -> None:
    try:
        arguments = prepare(verb, command_line)
    except (OptionError, AccountError) as error:
        sys.exit(str(error))
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"AWS request failed: {error}")
    os.execve(NODE, build_command(arguments), build_environment())  # noqa: S606


if __name__ == "__main__":
    main(*sys.argv[1:])
