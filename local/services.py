"""AWS, in memory: moto's services as a WSGI application, without the paths and habits that are moto's own.

moto's server lets any web page read its answers (CORS), resets itself for any caller (`/moto-api/`), serves metadata of
instances, and picks a service by the first part of a path. The stack does none of it.
"""

import math
import os
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any
from unittest.mock import patch

from flask import Flask
from moto import settings
from moto.core import base_backend, loaders, utils
from moto.core.responses import BaseResponse
from moto.moto_server import werkzeug_app
from moto.moto_server.werkzeug_app import (
    BackendRequest,
    DomainDispatcherApplication,
    create_backend_app,
)

from local.clients import create_core_session, find_session
from local.dynamodb import DynamoDB, ease_transactions
from local.functions import ACCOUNT
from local.gateway import Application
from local.objects import ease_moto
from local.s3 import S3

_OF_MOTO = ("moto_api", "instance_metadata")
_FORM = "multipart/form-data"
_NO_FORMS = ("uploads", "uploadId", "delete")


def moto() -> Application:
    """The services that the stack does not answer itself."""
    ease_moto()
    ease_transactions()
    _ignore_settings()
    return DynamoDB(_Services(_create_app))


@cache
def _ignore_settings() -> None:
    """Of what moto reads from the environment, that which would keep the stack from working or let web pages read it."""
    vars(werkzeug_app)["DISABLE_GLOBAL_CORS"] = True
    with patch.dict(os.environ), patch("boto3.Session", find_session):
        # It makes a session and reads a file of images when it is loaded, which the first state machine would have it do.
        os.environ.pop("MOTO_AMIS_PATH", None)
        import_module("moto.ec2.models.availability_zones_and_regions")
    vars(base_backend)["Session"] = find_session
    vars(utils)["Session"] = create_core_session
    vars(utils)["create_loader"] = _create_loader
    vars(settings)["INITIAL_NO_AUTH_ACTION_COUNT"] = math.inf
    response: Any = BaseResponse
    find_account = response.get_current_account

    def get_current_account(self: Any) -> str:
        account: str = ACCOUNT if self.is_werkzeug_request else find_account(self)
        return account

    response.get_current_account = get_current_account


def _create_loader() -> loaders.Loader:
    """moto's loader of models without ~/.aws/models and AWS_DATA_PATH."""
    paths = [loaders.moto_root, loaders.Loader.BUILTIN_DATA_PATH]
    return loaders.Loader(extra_search_paths=paths, include_default_search_paths=False)


def _create_app(service: Any) -> Any:
    app: Flask = create_backend_app(service)
    if service != "s3":
        return app
    app.request_class = _S3Request
    return S3(app)


class _S3Request(BackendRequest):
    """Only a browser's upload is a form: any other body is the object, whatever type it claims to have."""

    @property
    def want_form_data_parsed(self) -> bool:
        posted = self.method == "POST" and self.mimetype == _FORM
        return posted and not any(name in self.args for name in _NO_FORMS)


class _Services(DomainDispatcherApplication):
    def __init__(self, create_app: Callable[[Any], Any]) -> None:
        super().__init__(create_app)

    def get_backend_for_host(self, host: str | None) -> Any:
        return None if host in _OF_MOTO else super().get_backend_for_host(host)

    def get_service_from_path(self, path_info: str) -> tuple[None, None]:
        return None, None

    @staticmethod
    def get_service_from_unsigned_path(path_info: str) -> tuple[None, None]:
        return None, None

    def _get_body(self, environ: dict[str, Any]) -> str | None:
        """Of a form with an action. The body is left for the next reader, whatever it is."""
        if environ["REQUEST_METHOD"] != "POST":
            return None
        received = environ["wsgi.input"]
        body: str | None = super()._get_body(environ)
        received.seek(0)
        environ["wsgi.input"] = received
        return body
