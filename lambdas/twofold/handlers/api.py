"""The API behind API Gateway: one function for every operation."""

import os
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from twofold import clock
from twofold.api import contract, wire
from twofold.api.arns import Scope
from twofold.api.operations import OPERATIONS
from twofold.api.service import Service
from twofold.errors import InternalServerError, ServiceError
from twofold.quotas import limits
from twofold.settings import PRODUCT, Function, Settings
from twofold.stores.executions import Executions
from twofold.stores.failures import service_error
from twofold.stores.objects import Bucket
from twofold.stores.table import Table

_log = Logger(service=PRODUCT)


def handler(event: dict[str, Any], context: Any) -> wire.Response:
    """Every error becomes one of the API's; what is not expected is logged with its trace."""
    request_id = wire.request_id(event)
    try:
        result = _answer(event, context)
    except ServiceError as error:
        _log.info("refused", extra={"request": request_id, "error": type(error).__name__})
        return wire.failure(request_id, error)
    except (ClientError, BotoCoreError) as error:
        _log.exception("store failed", extra={"request": request_id})
        return wire.failure(request_id, service_error(error))
    except Exception:
        _log.exception("unexpected", extra={"request": request_id})
        return wire.failure(request_id, InternalServerError("Internal server error"))
    return wire.success(request_id, result)


def _answer(event: dict[str, Any], context: Any) -> dict[str, Any]:
    call = wire.read(event)
    request = contract.parse(call.operation, call.body)
    settings = Settings.of(Function.API, os.environ)
    service = Service(
        table=Table(settings.table),
        bucket=Bucket(settings.bucket),
        executions=Executions(settings.state_machines),
        limits=limits(settings.quotas),
        scope=Scope.of_function(context.invoked_function_arn),
        caller=event["requestContext"].get("identity", {}).get("userArn") or "anonymous",
        operation=call.operation,
        now=clock.now(),
    )
    service.count_call()
    return OPERATIONS[call.operation](service, request)
