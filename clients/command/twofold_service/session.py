"""Clients of a Twofold service, and what goes wrong with them in words."""

import ipaddress
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
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from botocore.session import Session

from twofold_command.errors import CommandError

# In the folder of these sources; it makes botocore sign for API Gateway and know what Twofold has beyond Rekognition.
_MODELS = Path(__file__).parents[2] / "aws-models"
_PATIENCE = Config(retries={"mode": "standard"}, request_checksum_calculation="when_required")
_ANY = "any"
_ANY_KEYS = {"aws_access_key_id": _ANY, "aws_secret_access_key": _ANY}
_ANY_REGION = "us-east-1"
_REGION = re.compile(r"\.execute-api\.([a-z0-9-]+)\.amazonaws\.com")
_NO_ENDPOINT = (
    "No Twofold is named, and Rekognition itself is not meant. Set AWS_ENDPOINT_URL_REKOGNITION to what `make deploy` printed, "
    "or give --endpoint: http://127.0.0.1:8000 is that of `make serve`."
)

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
    with explained():
        core = Session()
        core.get_component("data_loader").search_paths.append(str(_MODELS))
        make: Any = boto3.Session(botocore_session=core).client
        url = (
            endpoint or make("rekognition", region_name=_ANY_REGION, **_ANY_KEYS).meta.endpoint_url
        )
        if _is_rekognition(url):
            raise CommandError(_NO_ENDPOINT)
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
    except (Boto3Error, BotoCoreError) as error:
        raise CommandError(str(error)) from error


def _is_rekognition(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host.startswith("rekognition") and ".amazonaws.com" in host


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
