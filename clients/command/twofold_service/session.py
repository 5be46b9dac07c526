"""Clients of a Twofold service, and what goes wrong with them in words."""

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from twofold_command.errors import CommandError

# In the folder of these sources; it makes botocore sign for API Gateway and know what Twofold has beyond Rekognition.
_MODELS = Path(__file__).parents[2] / "aws-models"
_PATIENCE = Config(retries={"mode": "standard"}, request_checksum_calculation="when_required")
_ANY = "any"
_NO_ENDPOINT = (
    "No Twofold is named, and Rekognition itself is not meant. Set AWS_ENDPOINT_URL_REKOGNITION to what `make deploy` printed, "
    "or give --endpoint: http://127.0.0.1:8000 is that of `make serve`."
)


@dataclass(frozen=True, slots=True)
class Service:
    rekognition: Any
    s3: Any


def connect(endpoint: str | None) -> Service:
    """With the shell's AWS settings; a local endpoint stands for all services and takes any credentials.

    Raises CommandError where no Twofold is named.
    """
    core = Session()
    core.get_component("data_loader").search_paths.append(str(_MODELS))
    local = endpoint is not None and _is_loopback(endpoint)
    settings: dict[str, Any] = {"config": _PATIENCE}
    if local:
        settings["region_name"] = core.get_config_variable("region") or "us-east-1"
        if core.get_credentials() is None:
            settings |= {"aws_access_key_id": _ANY, "aws_secret_access_key": _ANY}
    make: Any = boto3.Session(botocore_session=core).client
    with explained():
        rekognition = make("rekognition", endpoint_url=endpoint, **settings)
        if _is_rekognition(rekognition.meta.endpoint_url):
            raise CommandError(_NO_ENDPOINT)
        s3 = make("s3", endpoint_url=endpoint if local else None, **settings)
    return Service(rekognition, s3)


@contextmanager
def explained() -> Iterator[None]:
    """Turns what boto3 raises into CommandError."""
    try:
        yield
    except ClientError as error:
        told = error.response["Error"]
        raise CommandError(f"{told['Code']}: {told['Message']} ({error.operation_name})") from error
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
