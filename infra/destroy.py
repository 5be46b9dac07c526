"""`make destroy`: the stack goes, the data stays unless told otherwise, and either is said.

Usage: python -m infra.destroy [--delete-data] [option=value ...]

The CDK CLI asks before it deletes the stack. The bucket and the table outlive the stack, whatever became of it; with
`--delete-data` they are emptied and deleted after it.
"""

import subprocess
import sys
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError

from infra.account import AccountError, check_place, settle
from infra.cdk import arguments_of, command, environment, options_in
from infra.data import Data, DataError, delete_data
from infra.deployed import DeployedStack, find_stack
from infra.options import OptionError, stack_name
from infra.stages import resolve_options

DELETE_DATA = "--delete-data"
INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    given = [argument for argument in arguments if argument != DELETE_DATA]
    try:
        file, options = resolve_options(options_in(given))
        region = settle()
        check_place(file, region)
        stack = find_deletable(stack_name(options.stage), region)
        return _remove(stack, given, with_data=DELETE_DATA in arguments)
    except (OptionError, AccountError) as error:
        sys.exit(str(error))
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"AWS did not do it: {error}")
    except KeyboardInterrupt:
        return INTERRUPTED


def find_deletable(name: str, region: str) -> DeployedStack:
    """The stack; exits if there is none, or if it is protected."""
    stack = find_stack(name)
    if not stack:
        sys.exit(
            f"There is no stack {name} in this account in {region}. Name its stage: make destroy STAGE=dev"
        )
    if stack.protected:
        sys.exit(
            f"The stack {name} has termination protection; nothing was deleted. Set termination_protection = false in the "
            "stage's file and run make deploy, or switch it off at once:\n"
            f"aws cloudformation update-termination-protection --stack-name {name} --no-enable-termination-protection"
        )
    return stack


def _remove(stack: DeployedStack, given: Sequence[str], *, with_data: bool) -> int:
    done = subprocess.run(  # noqa: S603
        command(arguments_of("destroy", given)), env=environment(), check=False
    )
    remaining = find_stack(stack.name)
    if done.returncode or remaining:
        print(_describe_remains(stack.name, remaining), file=sys.stderr)  # noqa: T201
        return done.returncode or 1
    data = Data(bucket=stack.bucket, table=stack.table)
    if not with_data:
        print(data.told())  # noqa: T201
        return 0
    try:
        delete_data(data)
    except (BotoCoreError, ClientError, DataError) as error:
        sys.exit(
            f"The stack is gone. Its data could not be deleted: {error}\n{data.name()} may still be there: "
            "docs/operations.md says how to delete them by hand."
        )
    print(f"Deleted {data.name()}.")  # noqa: T201
    return 0


def _describe_remains(name: str, stack: DeployedStack | None) -> str:
    if not stack:
        return f"The stack {name} is gone; its data was not touched."
    failed = [one for one in stack.resources if one.status == "DELETE_FAILED"]
    lines = [f"  {one.id} ({one.kind}): {one.reason}" for one in failed]
    advice = (
        f"The stack {name} is still there ({stack.status}), with {len(stack.resources)} resources; "
        "its data was not touched. Run make destroy again when the cause is gone."
    )
    return "\n".join([advice, *lines])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
