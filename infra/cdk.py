"""The CDK CLI, at the version that this app is tested with: `python -m infra.cdk deploy|diff|bootstrap [option=value ...]`.

npx fetches it from npm once; it runs on the Node that came with the requirements, and runs app.py with this Python. Arguments
that begin with a hyphen are the CLI's own. The options are read first: the CLI itself passes over a key that nobody knows, and
would deploy another stage than was meant.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from infra import NODE
from infra.account import AccountError, settle
from infra.options import OptionError, options_of
from infra.preflight import Deployment, find_problems, select_refusals

CLI = "aws-cdk@2.1148.1"
NPX = NODE.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npx-cli.js"
ALLOW = "--allow="


def command(arguments: Sequence[str]) -> list[str]:
    return [str(NODE), str(NPX), "--yes", CLI, *arguments]


def environment() -> dict[str, str]:
    first = [str(NODE.parent), str(Path(sys.executable).parent)]
    return {**os.environ, "PATH": os.pathsep.join([*first, os.environ.get("PATH", os.defpath)])}


def arguments_of(verb: str, given: Sequence[str]) -> list[str]:
    """The CLI's arguments for a verb with options of the app and of the CLI; raises OptionError."""
    pairs = options_in(given)
    options_of(pairs)
    context = [part for pair in pairs for part in ("--context", pair)]
    cli = [one for one in given if one not in pairs and not one.startswith(ALLOW)]
    return [verb, *context, *cli]


def options_in(given: Sequence[str]) -> list[str]:
    """Those that are the app's, not the CLI's."""
    return [one for one in given if not one.startswith("-")]


def check_account(verb: str, given: Sequence[str], region: str) -> None:
    """Prints what the checks of the account find; exits where a deployment is refused."""
    deployment = Deployment(options=options_of(options_in(given)), region=region)
    findings = find_problems(deployment)
    for finding in findings:
        print(f"{finding.name}: {finding.message}", file=sys.stderr)  # noqa: T201
    refusals = select_refusals(findings, {one.removeprefix(ALLOW) for one in given})
    if verb == "deploy" and refusals:
        names = ",".join(finding.name for finding in refusals)
        sys.exit(f"Nothing was deployed. To deploy all the same: make deploy ALLOW={names}")


def main(verb: str, *given: str) -> None:
    try:
        arguments = arguments_of(verb, given)
        region = settle()
        if verb in ("deploy", "diff"):
            check_account(verb, given, region)
    except (OptionError, AccountError) as error:
        sys.exit(str(error))
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"AWS did not do it: {error}")
    os.execve(NODE, command(arguments), environment())  # noqa: S606


if __name__ == "__main__":
    main(*sys.argv[1:])
