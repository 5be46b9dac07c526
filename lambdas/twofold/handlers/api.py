"""The API behind API Gateway: one function for every operation."""

import os
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from twofold import clock, telemetry
from twofold.access import Access, Principal
from twofold.api import contract, wire
from twofold.api.operations import OPERATIONS
from twofold.api.ownership import require_access
from twofold.api.service import Service
from twofold.arns import Scope
from twofold.errors import ClientFault, InternalServerError, ServiceError, ThrottlingException
from twofold.quotas import limits
from twofold.settings import Function, Settings
from twofold.stores.executions import Executions
from twofold.stores.failures import service_error
from twofold.stores.objects import Bucket
from twofold.stores.table import RepeatedError, Table, answers


def handler(event: dict[str, Any], context: Any) -> wire.Response:
    """Every error becomes one of the API's; what is not expected is logged with its trace."""
    request_id, began = wire.request_id(event), time.perf_counter()
    telemetry.begin(Function.API, context, request_id)
    outcome = _outcome(event, context)
    if isinstance(outcome, ServiceError):
        telemetry.answered(type(outcome).__name__, began)
        return wire.failure(request_id, outcome)
    telemetry.answered("", began)
    return wire.success(request_id, outcome)


def _outcome(event: dict[str, Any], context: Any) -> dict[str, Any] | ServiceError:
    try:
        return _answer(event, context)
    except ClientFault as error:
        return error
    except ServiceError as error:
        telemetry.failure(Function.API, error)
        return error
    except (ClientError, BotoCoreError) as error:
        telemetry.failure(Function.API, error)
        return service_error(error)
    except Exception as error:
        telemetry.failure(Function.API, error)
        return InternalServerError("Internal server error")


def _answer(event: dict[str, Any], context: Any) -> dict[str, Any]:
    call = wire.read(event)
    telemetry.calls(call.operation)
    request = contract.parse(call.operation, call.body)
    settings = Settings.of(Function.API, os.environ)
    identity = event["requestContext"].get("identity", {})
    caller = identity.get("userArn") or "anonymous"
    service = Service(
        table=Table(settings.table),
        bucket=Bucket(settings.bucket),
        executions=Executions(settings.state_machines),
        limits=limits(settings.quotas),
        scope=Scope.of_function(context.invoked_function_arn),
        access=Access.of(os.environ),
        principal=Principal.of(identity.get("userArn") or "", identity.get("user") or ""),
        caller=caller,
        operation=call.operation,
        call=_repeatable(call, caller),
        now=clock.now(),
    )
    service.count_caller()
    try:
        service.count_call()
        require_access(service, request)
        return OPERATIONS[call.operation](service, request)
    except (ServiceError, RepeatedError) as error:
        return _answered_before(service, error)


def _repeatable(call: wire.Call, caller: str) -> str:
    if not call.operation.changes or not call.invocation_id:
        return ""
    return answers.key(caller, call.operation, call.invocation_id, call.body)


def _answered_before(service: Service, error: ServiceError | RepeatedError) -> dict[str, Any]:
    """What an attempt is refused may be what an earlier one, whose answer was lost, has done."""
    answer = service.answered_before()
    if answer is not None:
        return answer
    if isinstance(error, RepeatedError):
        raise ThrottlingException("The call was repeated while it was undone; try again.")
    raise error
