"""Clients of a Twofold service, and what goes wrong with them in words."""

import ipaddress
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
)
from botocore.parsers import ResponseParserError
from botocore.session import Session
from botocore.utils import is_valid_endpoint_url

from twofold_command.errors import CommandError

# In the folder of these sources; it makes botocore sign for API Gateway and know what Twofold has beyond Rekognition.
_MODELS = Path(__file__).parents[2] / "aws-models"
_PATIENCE = Config(retries={"mode": "standard"}, request_checksum_calculation="when_required")
_ANY = "any"
_ANY_KEYS = {"aws_access_key_id": _ANY, "aws_secret_access_key": _ANY}
_ANY_REGION = "us-east-1"
_REGION = re.compile(r"\.execute-api\.([a-z0-9-]+)\.amazonaws\.com")
_REKOGNITION = re.compile(r"(^|\.)(streaming-)?rekognition(-fips)?(\.|$)")
_HOW_TO_SET = (
    "pass --endpoint http://127.0.0.1:8000 for `make serve`, or set AWS_ENDPOINT_URL_REKOGNITION "
    "to the output that `make deploy` prints"
)
_ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_REKOGNITION", "AWS_ENDPOINT_URL")
_NO_ENDPOINT = f"No endpoint set; {_HOW_TO_SET}."

_NO_REGION = "No region is set. Set AWS_DEFAULT_REGION to that of the service."
_NO_CREDENTIALS = (
    "There are no AWS credentials. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
)


@dataclass(frozen=True, slots=True)
class Service:
    rekognition: Any
    s3: Any


def connect(endpoint: str | None) -> Service:
    """With the shell's AWS settings; a local endpoint stands for all services and takes any credentials.

    A deployed endpoint names its own region. Raises CommandError where no Twofold is named, and where no region is known.
    """
    _require_readable_settings(endpoint)
    with explained(), _settings_explained():
        core = Session()
        core.get_component("data_loader").search_paths.append(str(_MODELS))
        make: Any = boto3.Session(botocore_session=core).client
        url = (
            endpoint or make("rekognition", region_name=_ANY_REGION, **_ANY_KEYS).meta.endpoint_url
        )
        if _is_rekognition(url, _read_aws_domains(core)):
            raise CommandError(_describe_rekognition(endpoint))
        settings: dict[str, Any] = {"config": _PATIENCE, "region_name": _region(core, url)}
        if _is_loopback(url) and core.get_credentials() is None:
            settings |= _ANY_KEYS
        rekognition = make("rekognition", endpoint_url=url, **settings)
        s3 = make("s3", endpoint_url=url if _is_loopback(url) else None, **settings)
    return Service(rekognition, s3)


def _region(core: Session, url: str) -> str:
    named = _REGION.search(url)
    region: str | None = named[1] if named else core.get_config_variable("region")
    if not region and _is_loopback(url):
        return _ANY_REGION
    if not region:
        raise CommandError(_NO_REGION)
    return region


@contextmanager
def explained() -> Iterator[None]:
    """Turns what boto3 raises into CommandError."""
    try:
        yield
    except ClientError as error:
        told = error.response["Error"]
        raise CommandError(f"{told['Code']}: {told['Message']} ({error.operation_name})") from error
    except NoCredentialsError as error:
        raise CommandError(_NO_CREDENTIALS) from error
    except EndpointConnectionError as error:
        raise CommandError(
            f"{error}. Start the service (`make serve`), or set its address: {_HOW_TO_SET}."
        ) from error
    except ResponseParserError as error:
        raise CommandError(f"The endpoint is no Twofold: {error}") from error
    except (Boto3Error, BotoCoreError) as error:
        raise CommandError(str(error)) from error


@contextmanager
def _settings_explained() -> Iterator[None]:
    """botocore raises ValueError for much that it reads from the environment and the config file."""
    try:
        yield
    except ValueError as error:
        raise CommandError(
            f"The AWS settings cannot be used: {str(error).rstrip('.')}. Check the AWS_ variables and ~/.aws/config."
        ) from error


def _require_readable_settings(endpoint: str | None) -> None:
    """Raises CommandError, naming the variable, for values that botocore refuses without naming any."""
    for name in _ENDPOINT_VARIABLES:
        _require_url(name, os.environ.get(name, ""))
    _require_url("--endpoint", endpoint or "")
    for _, names, _, convert in BOTOCORE_DEFAUT_SESSION_VARIABLES.values():
        for name in [names] if isinstance(names, str) else names or ():
            if convert is int and name in os.environ:
                _require_whole(name, os.environ[name])


def _require_url(name: str, value: str) -> None:
    if not value:
        return
    try:
        parts = urlsplit(value)
        sound = parts.scheme in ("http", "https") and is_valid_endpoint_url(value)
        sound = sound and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise CommandError(
            f"{name} is {value!r}, which is no URL that boto3 takes: http:// or https://, a host name of letters, digits, "
            "hyphens and dots, and a port if need be. An example is http://127.0.0.1:8000."
        )


def _require_whole(name: str, value: str) -> None:
    try:
        int(value)
    except ValueError as error:
        raise CommandError(f"{name} is {value!r}; it must be a whole number, or unset.") from error


def _read_aws_domains(core: Session) -> set[str]:
    """The domains of AWS's own endpoints in all partitions, dual stack included, as botocore lists them."""
    partitions = core.get_component("data_loader").load_data("endpoints")["partitions"]
    variants = (part["defaults"].get("variants", []) for part in partitions)
    return {part["dnsSuffix"] for part in partitions} | {
        variant["dnsSuffix"] for listed in variants for variant in listed
    }


def _is_rekognition(url: str, aws_domains: set[str]) -> bool:
    """Whether AWS's Rekognition answers at the URL: regional, FIPS, dual-stack and VPC endpoints."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    prefixes = (
        host.removesuffix(f".{domain}") for domain in aws_domains if host.endswith(f".{domain}")
    )
    return any(_REKOGNITION.search(prefix) for prefix in prefixes)


def _describe_rekognition(endpoint: str | None) -> str:
    """Why AWS's own address is refused: somebody has set it, or nobody has set any."""
    named = endpoint or next(filter(None, map(os.environ.get, _ENDPOINT_VARIABLES)), None)
    if not named:
        return _NO_ENDPOINT
    return f"{named} is Amazon Rekognition, which this command never calls; {_HOW_TO_SET}."


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
