"""moto's AWS services as a WSGI application, without the features of moto's own server.

moto's server allows web pages to read responses (CORS), resets its state on request (`/moto-api/`), serves instance metadata,
and selects a service by the first path segment. The emulator disables these features.
"""

import math
import os
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any
from unittest.mock import patch

from flask import Flask
from moto import backends, settings
from moto.core import base_backend, loaders, utils
from moto.core.responses import BaseResponse
from moto.moto_server import werkzeug_app
from moto.moto_server.utilities import RegexConverter
from moto.moto_server.werkzeug_app import (
    BackendRequest,
    DomainDispatcherApplication,
    create_backend_app,
)

from local.emulator.clients import create_botocore_session, get_session
from local.emulator.dynamodb import DynamoDB, patch_transactions
from local.emulator.functions import ACCOUNT
from local.emulator.gateway import Application
from local.emulator.large_objects import patch_moto_s3
from local.emulator.listings import patch_listings
from local.emulator.s3 import S3
from local.emulator.versions import patch_versions

_MOTO_BACKENDS = ("moto_api", "instance_metadata")
_FORM = "multipart/form-data"
_ACTIONS_WITHOUT_FORM = ("uploads", "uploadId", "delete")


def create_moto_application() -> Application:
    """Return the application that serves S3, DynamoDB, Lambda, Step Functions and the other AWS services."""
    patch_moto_s3()
    patch_versions()
    patch_listings()
    patch_transactions()
    _ignore_environment()
    return DynamoDB(_ServiceDispatcher(_create_app))


@cache
def _ignore_environment() -> None:
    """Patch moto to ignore environment variables and files, and to send no CORS headers."""
    vars(werkzeug_app)["DISABLE_GLOBAL_CORS"] = True
    vars(werkzeug_app)["RegexConverter"] = _LineFeedConverter
    # moto reads its own folder for each request.
    module_names = tuple(backends.list_of_moto_modules())
    vars(backends)["list_of_moto_modules"] = lambda: module_names
    with patch.dict(os.environ), patch("boto3.Session", get_session):
        # This module creates a session and reads a file of machine images when imported; import it in a clean environment,
        # before the first state machine does.
        os.environ.pop("MOTO_AMIS_PATH", None)
        import_module("moto.ec2.models.availability_zones_and_regions")
    vars(base_backend)["Session"] = get_session
    vars(utils)["Session"] = create_botocore_session
    vars(utils)["create_loader"] = _create_loader
    vars(settings)["INITIAL_NO_AUTH_ACTION_COUNT"] = math.inf
    response: Any = BaseResponse
    find_account = response.get_current_account

    def get_current_account(self: Any) -> str:
        account: str = ACCOUNT if self.is_werkzeug_request else find_account(self)
        return account

    response.get_current_account = get_current_account


def _create_loader() -> loaders.Loader:
    """Return moto's loader of service models without ~/.aws/models and AWS_DATA_PATH."""
    paths = [loaders.moto_root, loaders.Loader.BUILTIN_DATA_PATH]
    return loaders.Loader(extra_search_paths=paths, include_default_search_paths=False)


def _create_app(service: Any) -> Any:
    app: Flask = create_backend_app(service)
    if service != "s3":
        return app
    app.request_class = _S3Request
    return S3(app)


class _LineFeedConverter(RegexConverter):
    """Matches paths with line feeds: keys of S3 objects may have them."""

    def __init__(self, url_map: Any, *items: Any) -> None:
        super().__init__(url_map, *items)
        self.regex = f"(?s:{self.regex})"


class _S3Request(BackendRequest):
    """A request that parses a form only for POST Object. Other bodies are objects, regardless of Content-Type."""

    @property
    def want_form_data_parsed(self) -> bool:
        posted = self.method == "POST" and self.mimetype == _FORM
        return posted and not any(name in self.args for name in _ACTIONS_WITHOUT_FORM)


class _ServiceDispatcher(DomainDispatcherApplication):
    def __init__(self, create_app: Callable[[Any], Any]) -> None:
        super().__init__(create_app)

    def get_backend_for_host(self, host: str | None) -> Any:
        return None if host in _MOTO_BACKENDS else super().get_backend_for_host(host)

    def get_service_from_path(self, path_info: str) -> tuple[None, None]:
        return None, None

    @staticmethod
    def get_service_from_unsigned_path(path_info: str) -> tuple[None, None]:
        return None, None

    def _get_body(self, environ: dict[str, Any]) -> str | None:
        """Return the body of a form with an action, for the dispatcher, and rewind the stream."""
        if environ["REQUEST_METHOD"] != "POST":
            return None
        received = environ["wsgi.input"]
        body: str | None = super()._get_body(environ)
        received.seek(0)
        environ["wsgi.input"] = received
        return body
