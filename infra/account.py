"""Where a deployment goes: the shell's region and credentials, looked for as the CDK CLI does, before anything slow starts."""

import os
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError

from infra.stages import StageFile

_REGION = "AWS_REGION"
_DEFAULT_REGION = "AWS_DEFAULT_REGION"


class AccountError(Exception):
    """There is nowhere to deploy to; the message says what to set."""


def settle() -> str:
    """The region, set for the CDK CLI and for boto3 alike, which read different variables; raises AccountError.

    The CDK CLI would take us-east-1 where no region is set, and a stack in the wrong region is easily overlooked.
    """
    try:
        return _settle()
    except BotoCoreError as error:
        raise AccountError(f"The shell's AWS settings cannot be used: {error}.") from error


def _settle() -> str:
    region = os.environ.get(_REGION) or os.environ.get(_DEFAULT_REGION) or _session().region_name
    if not region:
        raise AccountError(
            f"No region is set. Say where to: export {_REGION}=eu-west-1, or name a profile: export AWS_PROFILE=name."
        )
    os.environ[_REGION] = os.environ[_DEFAULT_REGION] = region
    if _session().get_credentials() is None:
        raise AccountError(
            "There are no AWS credentials. Log in (aws sso login, aws login) and name the profile: export AWS_PROFILE=name, "
            "or export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. See that it works: aws sts get-caller-identity."
        )
    return region


def check_place(file: StageFile, region: str) -> None:
    """Raises AccountError if the file of the stage names other places than the shell's; botocore's errors pass through."""
    if file.regions and region not in file.regions:
        raise AccountError(
            f"{file.path} is for the regions {', '.join(file.regions)}; the shell's region is {region}. "
            f"Set it: export {_REGION}={file.regions[0]}"
        )
    if not file.account:
        return
    account = _session().client("sts").get_caller_identity()["Account"]
    if account != file.account:
        raise AccountError(
            f"{file.path} is for the account {file.account}; the shell's credentials are of {account}. "
            "Name another profile: export AWS_PROFILE=name"
        )


def _session() -> Any:
    return boto3.Session()
