"""boto3 clients of the stack's own, which read nothing of the caller's environment.

No profile, no file in ~/.aws, no variable and no proxy takes part: a request goes to the endpoint as it is given. Clients of
users are theirs to configure and are not made here.
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
KEY = "local"

_BASE = Config(proxies={}, s3={"addressing_style": "path"})
_FILES = ("config_file", "credentials_file")
_NO_FILE = ""
_SECTIONS = ("s3", "proxies_config")
_creating = Lock()


def create_client(
    service: str,
    endpoint: str,
    *,
    key: str = KEY,
    secret: str = "any",  # noqa: S107 no secret where the stack takes any
    config: Config | None = None,
    models: Path | None = None,
) -> Any:
    """`models` is a folder that extends AWS's models, as AWS_DATA_PATH would."""
    with _creating:
        return find_session(models).client(
            service,
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=_BASE.merge(config) if config else _BASE,
        )


@cache
def find_session(models: Path | None = None) -> Any:
    """A boto3 session whose configuration is botocore's defaults."""
    return boto3.session.Session(botocore_session=create_core_session(models))


def create_core_session(models: Path | None = None) -> Any:
    """The same of botocore."""
    core: Any = Session(session_vars=_variables())
    store = core.get_component("config_store")
    for section in _SECTIONS:
        store.set_config_provider(section, ConstantProvider(None))
    paths = (
        [Loader.BUILTIN_DATA_PATH] if models is None else [str(models), Loader.BUILTIN_DATA_PATH]
    )
    loader = Loader(extra_search_paths=paths, include_default_search_paths=False)
    core.register_component("data_loader", loader)
    return core


def _variables() -> dict[str, tuple[None, None, Any, Any]]:
    """Every variable of a session with its default, without the environment variable and the line in a file it is read from."""
    return {
        name: (None, None, _NO_FILE if name in _FILES else default, convert)
        for name, (_, _, default, convert) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
    }
