"""boto3 clients for the emulator's own calls, independent of the caller's configuration.

The clients read no profile, no file in ~/.aws, no environment variable and no proxy setting. Clients of users are not created
here.
"""

from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import boto3.session
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES, ConstantProvider
from botocore.loaders import Loader
from botocore.session import Session

REGION = "us-east-1"
ACCESS_KEY_ID = "local"

_BASE = Config(proxies={}, s3={"addressing_style": "path"})
_FILE_VARIABLES = ("config_file", "credentials_file")
_NO_FILE = ""
_SECTIONS = ("s3", "proxies_config")
_creation_lock = Lock()


def create_client(
    service: str,
    endpoint: str,
    *,
    key: str = ACCESS_KEY_ID,
    secret: str = "any",  # noqa: S107 not a secret: the emulator accepts any
    config: Config | None = None,
    models: Path | None = None,
) -> Any:
    """Create a client. `models` is a folder of service models, like those in AWS_DATA_PATH."""
    with _creation_lock:
        return get_session(models).client(
            service,
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=_BASE.merge(config) if config else _BASE,
        )


@cache
def get_session(models: Path | None = None) -> Any:
    """Return the boto3 session for a folder of models, with botocore's default configuration."""
    return boto3.session.Session(botocore_session=create_botocore_session(models))


def create_botocore_session(models: Path | None = None) -> Any:
    """Create a botocore session with the default configuration."""
    session: Any = Session(session_vars=_build_session_variables())
    config_store = session.get_component("config_store")
    for section in _SECTIONS:
        config_store.set_config_provider(section, ConstantProvider(None))
    paths = (
        [Loader.BUILTIN_DATA_PATH] if models is None else [str(models), Loader.BUILTIN_DATA_PATH]
    )
    loader = Loader(extra_search_paths=paths, include_default_search_paths=False)
    session.register_component("data_loader", loader)
    return session


def _build_session_variables() -> dict[str, tuple[None, None, Any, Any]]:
    """Return botocore's session variables with their defaults and without sources (environment variables, files)."""
    return {
        name: (None, None, _NO_FILE if name in _FILE_VARIABLES else default, convert)
        for name, (_, _, default, convert) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
    }
