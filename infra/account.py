"""Region, account and credentials of a deployment, checked before the CDK CLI starts."""

import os
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError

from infra.stages import StageFile

_REGION = "AWS_REGION"
_DEFAULT_REGION = "AWS_DEFAULT_REGION"


class AccountError(Exception):
    """The shell has no usable region or credentials, or the wrong ones; the message names the setting."""


def resolve_region() -> str:
    """Return the region and set both AWS_REGION and AWS_DEFAULT_REGION to it; raises AccountError.

    The CDK CLI and boto3 read different variables. Without a region the CDK CLI would deploy to us-east-1.
    """
    try:
        return _resolve_region()
    except BotoCoreError as error:
        raise AccountError(f"The shell's AWS settings cannot be used: {error}.") from error


def _resolve_region() -> str:
    region = (
        os.environ.get(_REGION) or os.environ.get(_DEFAULT_REGION) or _make_session().region_name
    )
    if not region:
        raise AccountError(
            f"No region is set. Set one: export {_REGION}=eu-west-1, or name a profile: export AWS_PROFILE=name."
        )
    os.environ[_REGION] = os.environ[_DEFAULT_REGION] = region
    if _make_session().get_credentials() is None:
        raise AccountError(
            "There are no AWS credentials. Log in (aws sso login, aws login) and name the profile: export AWS_PROFILE=name, "
            "or export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Check them: aws sts get-caller-identity."
        )
    return region


def check_target(file: StageFile, region: str) -> None:
    """Raise AccountError if the stage's file names another region or account than the shell; botocore's errors pass through."""
    if file.regions and region not in file.regions:
        raise AccountError(
            f"{file.path} is for the regions {', '.join(file.regions)}; the shell's region is {region}. "
            f"Set it: export {_REGION}={file.regions[0]}"
        )
    if not file.account:
        return
    account = _make_session().client("sts").get_caller_identity()["Account"]
    if account != file.account:
        raise AccountError(
            f"{file.path} is for the account {file.account}; the shell's credentials are of {account}. "
            "Name another profile: export AWS_PROFILE=name"
        )


def _make_session() -> Any:
    return boto3.Session()
