"""boto3 clients of a Twofold service, and error messages for failed calls."""

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
    HTTPClientError,
    NoCredentialsError,
    ProxyConnectionError,
)
from botocore.parsers import ResponseParserError
from botocore.session import Session
from botocore.utils import is_valid_endpoint_url

from twofold_command.errors import CommandError

# With these models botocore signs for API Gateway and knows the members that Twofold adds to Rekognition's model.
_MODELS = Path(__file__).parent / "aws-models"
_CLIENT_CONFIG = Config(retries={"mode": "standard"}, request_checksum_calculation="when_required")
_PLACEHOLDER = "any"
_PLACEHOLDER_KEYS = {"aws_access_key_id": _PLACEHOLDER, "aws_secret_access_key": _PLACEHOLDER}
_DEFAULT_REGION = "us-east-1"
_REGION_IN_URL = re.compile(r"\.execute-api\.([a-z0-9-]+)\.amazonaws\.com")
_REKOGNITION_LABEL = re.compile(r"(^|\.)(streaming-)?rekognition(-fips)?(\.|$)")
_ENDPOINT_HELP = (
    "pass --endpoint http://127.0.0.1:8000 for `make serve`, or set AWS_ENDPOINT_URL_REKOGNITION "
    "to the output that `make deploy` prints"
)
_SECRET_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
)
_PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_REKOGNITION", "AWS_ENDPOINT_URL")
_NO_ENDPOINT = f"No endpoint set; {_ENDPOINT_HELP}."

_NO_REGION = "No region set; set AWS_DEFAULT_REGION to the region of the service."
_NO_CREDENTIALS = (
    "No AWS credentials set; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
)


@dataclass(frozen=True, slots=True)
class Service:
    rekognition: Any
    s3: Any


def connect(endpoint: str | None) -> Service:
    """Returns clients with the AWS settings of the environment.

    A local endpoint serves Rekognition and S3 and needs no credentials. A deployed endpoint has its region in the host name.
    Raises CommandError if no Twofold endpoint or no region is set.
    """
    _require_readable_settings(endpoint)
    with convert_aws_errors(), _convert_settings_errors():
        core_session = Session()
        core_session.get_component("data_loader").search_paths.append(str(_MODELS))
        make_client: Any = boto3.Session(botocore_session=core_session).client
        url = (
            endpoint
            or make_client(
                "rekognition", region_name=_DEFAULT_REGION, **_PLACEHOLDER_KEYS
            ).meta.endpoint_url
        )
        if _is_rekognition(url, _read_aws_domains(core_session)):
            raise CommandError(_describe_rekognition(endpoint))
        settings: dict[str, Any] = {
            "config": _CLIENT_CONFIG,
            "region_name": _choose_region(core_session, url),
        }
        if _is_loopback(url) and core_session.get_credentials() is None:
            settings |= _PLACEHOLDER_KEYS
        rekognition = make_client("rekognition", endpoint_url=url, **settings)
        s3 = make_client("s3", endpoint_url=url if _is_loopback(url) else None, **settings)
    return Service(rekognition, s3)


def _choose_region(core: Session, url: str) -> str:
    match = _REGION_IN_URL.search(url)
    region: str | None = match[1] if match else core.get_config_variable("region")
    if not region and _is_loopback(url):
        return _DEFAULT_REGION
    if not region:
        raise CommandError(_NO_REGION)
    return region


@contextmanager
def convert_aws_errors() -> Iterator[None]:
    """Raises CommandError in place of the exceptions of boto3."""
    try:
        yield
    except ClientError as error:
        error_fields = error.response["Error"]
        raise CommandError(
            f"{error_fields['Code']}: {error_fields['Message']} ({error.operation_name})"
        ) from error
    except NoCredentialsError as error:
        raise CommandError(_NO_CREDENTIALS) from error
    except EndpointConnectionError as error:
        raise CommandError(
            f"{error}. Start the service with `make serve`, or set another endpoint: {_ENDPOINT_HELP}."
        ) from error
    except ResponseParserError as error:
        raise CommandError(f"The endpoint is not a Twofold service: {error}") from error
    except (ProxyConnectionError, HTTPClientError) as error:
        raise CommandError(f"{error}{_describe_proxies()}") from error
    except (Boto3Error, BotoCoreError) as error:
        raise CommandError(str(error)) from error


def _describe_proxies() -> str:
    """Returns the remedy for a failure of a proxy, or an empty string without proxies. The URLs may have passwords."""
    names = [
        name
        for variable in _PROXY_VARIABLES
        for name in (variable, variable.lower())
        if os.environ.get(name)
    ]
    if not names:
        return ""
    return f". Check {' and '.join(names)}, or name the host of the endpoint in NO_PROXY."


@contextmanager
def _convert_settings_errors() -> Iterator[None]:
    """Raises CommandError in place of ValueError, which botocore raises for invalid settings."""
    try:
        yield
    except ValueError as error:
        raise CommandError(
            f"Invalid AWS settings: {str(error).rstrip('.')}. Check the AWS_ variables and ~/.aws/config."
        ) from error


def _require_readable_settings(endpoint: str | None) -> None:
    """Raises CommandError with the name of the variable for values that botocore refuses without a name."""
    for name in _ENDPOINT_VARIABLES:
        _require_url(name, os.environ.get(name, ""))
    _require_url("--endpoint", endpoint or "")
    for name in _SECRET_VARIABLES:
        _require_header_text(name, os.environ.get(name, ""))
    for _, names, _, convert in BOTOCORE_DEFAUT_SESSION_VARIABLES.values():
        for name in [names] if isinstance(names, str) else names or ():
            if convert is int and name in os.environ:
                _require_integer(name, os.environ[name])


def _require_url(name: str, value: str) -> None:
    if not value:
        return
    try:
        parts = urlsplit(value)
        is_valid = parts.scheme in ("http", "https") and is_valid_endpoint_url(value)
        is_valid = is_valid and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid:
        raise CommandError(
            f"{name} is {value!r}, which is not a URL that boto3 accepts: http:// or https://, a host name of letters, digits, "
            "hyphens and dots, and an optional port. Example: http://127.0.0.1:8000."
        )


def _require_header_text(name: str, value: str) -> None:
    """Raises CommandError, without the secret value, if the value cannot be in an HTTP header."""
    if not (value.isascii() and value.isprintable()):
        raise CommandError(
            f"{name} has a line feed or another character that no HTTP header can have. Set it again without it."
        )


def _require_integer(name: str, value: str) -> None:
    try:
        int(value)
    except ValueError as error:
        raise CommandError(f"{name} is {value!r}; set it to an integer, or unset it.") from error


def _read_aws_domains(core: Session) -> set[str]:
    """Returns the domains of AWS endpoints in all partitions, dual-stack domains included, from botocore's data."""
    partitions = core.get_component("data_loader").load_data("endpoints")["partitions"]
    variants = (part["defaults"].get("variants", []) for part in partitions)
    return {part["dnsSuffix"] for part in partitions} | {
        variant["dnsSuffix"] for listed in variants for variant in listed
    }


def _is_rekognition(url: str, aws_domains: set[str]) -> bool:
    """Returns whether the URL is a regional, FIPS, dual-stack or VPC endpoint of Amazon Rekognition."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    prefixes = (
        host.removesuffix(f".{domain}") for domain in aws_domains if host.endswith(f".{domain}")
    )
    return any(_REKOGNITION_LABEL.search(prefix) for prefix in prefixes)


def _describe_rekognition(endpoint: str | None) -> str:
    """Returns the message for an endpoint of Amazon Rekognition: set by the user, or the default."""
    named = endpoint or next(filter(None, map(os.environ.get, _ENDPOINT_VARIABLES)), None)
    if not named:
        return _NO_ENDPOINT
    return f"{named} is Amazon Rekognition, which this command never calls; {_ENDPOINT_HELP}."


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
