"""`make destroy`: delete the stack of a stage, and report the retained data or delete the data as well.

Usage: python -m infra.destroy [--delete-data] [option=value ...]

The CDK CLI asks before the deletion. Bucket and table have a deletion policy of Retain; with `--delete-data` this command
empties and deletes both after the stack.
"""

import subprocess
import sys
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError

from infra.account import AccountError, check_target, resolve_region
from infra.cdk import build_cli_arguments, build_command, build_environment, select_option_pairs
from infra.data import DataError, RetainedData, delete_data
from infra.deployed import DeployedStack, find_stack
from infra.options import OptionError, format_stack_name
from infra.stages import resolve_options

DELETE_DATA = "--delete-data"
INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    cli_arguments = [argument for argument in arguments if argument != DELETE_DATA]
    try:
        file, options = resolve_options(select_option_pairs(cli_arguments))
        region = resolve_region()
        check_target(file, region)
        stack = find_deletable(format_stack_name(options.stage), region)
        return _destroy_stack(stack, cli_arguments, with_data=DELETE_DATA in arguments)
    except (OptionError, AccountError) as error:
        sys.exit(str(error))
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"AWS request failed: {error}")
    except KeyboardInterrupt:
        return INTERRUPTED


def find_deletable(name: str, region: str) -> DeployedStack:
    """Return the stack; exit if no such stack exists or if termination protection is on."""
    stack = find_stack(name)
    if not stack:
        sys.exit(
            f"No stack {name} exists in this account in {region}. Name another stage: make destroy STAGE=dev"
        )
    if stack.termination_protection:
        sys.exit(
            f"The stack {name} has termination protection; nothing was deleted. Set termination_protection = false in the "
            "stage's file and run make deploy, or switch the protection off directly:\n"
            f"aws cloudformation update-termination-protection --stack-name {name} --no-enable-termination-protection"
        )
    return stack


def _destroy_stack(stack: DeployedStack, cli_arguments: Sequence[str], *, with_data: bool) -> int:
    """Run `cdk destroy` and return the exit code; the data is deleted only after a complete deletion of the stack."""
    completed = subprocess.run(  # noqa: S603
        build_command(build_cli_arguments("destroy", cli_arguments)),
        env=build_environment(),
        check=False,
    )
    remaining = find_stack(stack.name)
    if completed.returncode or remaining:
        print(_describe_remains(stack.name, remaining), file=sys.stderr)  # noqa: T201
        return completed.returncode or 1
    data = RetainedData(bucket=stack.bucket, table=stack.table)
    if not with_data:
        print(data.describe_retention())  # noqa: T201
        return 0
    try:
        delete_data(data)
    except (BotoCoreError, ClientError, DataError) as error:
        sys.exit(
            f"The stack was deleted, but not its data: {error}\n{data.describe()} may still exist. "
            "To delete them by hand, see docs/operations.md."
        )
    print(f"Deleted {data.describe()}.")  # noqa: T201
    return 0


def _describe_remains(name: str, stack: DeployedStack | None) -> str:
    if not stack:
        return f"The stack {name} was deleted; its data was not touched."
    lines = [
        f"  {resource.id} ({resource.resource_type}): {resource.reason}"
        for resource in stack.resources
        if resource.status == "DELETE_FAILED"
    ]
    advice = (
        f"The stack {name} still exists ({stack.status}), with {len(stack.resources)} resources; "
        "its data was not touched. Remove the cause and run make destroy again."
    )
    return "\n".join([advice, *lines])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
