"""API: handle the requests of API Gateway, for all operations."""

import os
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from twofold import clock, telemetry
from twofold.access import Access, Principal
from twofold.api import requests, wire
from twofold.api.context import RequestContext
from twofold.api.idempotency import make_idempotency_key, replay_response_or_raise
from twofold.api.operations import OPERATIONS
from twofold.api.ownership import require_access
from twofold.arns import Scope
from twofold.errors import ClientFault, InternalServerError, ServiceError
from twofold.quotas import get_quotas
from twofold.settings import Function, Settings
from twofold.stores.aws_errors import to_service_error
from twofold.stores.executions import Executions
from twofold.stores.objects import Bucket
from twofold.stores.table import RepeatedCallError, Table


def handler(event: dict[str, Any], context: Any) -> wire.Response:
    """Handle a request. Every exception becomes an error response; unexpected exceptions are logged with tracebacks."""
    request_id, began = wire.get_request_id(event), time.perf_counter()
    telemetry.start_invocation(Function.API, context, request_id)
    outcome = _run(event, context)
    if isinstance(outcome, ServiceError):
        telemetry.record_api_call(type(outcome).__name__, began)
        return wire.build_error_response(request_id, outcome)
    telemetry.record_api_call("", began)
    return wire.build_response(request_id, outcome)


def _run(event: dict[str, Any], context: Any) -> dict[str, Any] | ServiceError:
    """Return the result of the request or the error response; log every error except the caller's."""
    try:
        return _handle(event, context)
    except ClientFault as error:
        return error
    except ServiceError as error:
        telemetry.record_failure(Function.API, error)
        return error
    except (ClientError, BotoCoreError) as error:
        telemetry.record_failure(Function.API, error)
        return to_service_error(error)
    except Exception as error:
        telemetry.record_failure(Function.API, error)
        return InternalServerError("Internal server error")


def _handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Parse the request, check rates and access, and perform the operation."""
    call = wire.parse_call(event)
    telemetry.bind_api_operation(call.api_operation)
    request = requests.parse_request(call.api_operation, call.body)
    settings = Settings.from_environment(Function.API, os.environ)
    identity = event["requestContext"].get("identity", {})
    # Every method has IAM authorization; only an event from outside API Gateway has no caller.
    caller = identity.get("userArn") or "anonymous"
    request_context = RequestContext(
        table=Table(settings.table),
        bucket=Bucket(settings.bucket),
        executions=Executions(settings.state_machines),
        quotas=get_quotas(settings.quota_profile),
        scope=Scope.from_function_arn(context.invoked_function_arn),
        access=Access.from_environment(os.environ),
        principal=Principal.from_identity(
            identity.get("userArn") or "", identity.get("user") or ""
        ),
        caller=caller,
        api_operation=call.api_operation,
        idempotency_key=make_idempotency_key(call, caller),
        now=clock.now(),
    )
    # Outside the `try`: a call above the caller's rate costs no lookup of a stored response.
    request_context.check_caller_rate()
    try:
        # A repetition above the rate of the API operation still gets the stored response of the first attempt.
        request_context.check_call_rate()
        require_access(request_context, request)
        return OPERATIONS[call.api_operation](request_context, request)
    except (ServiceError, RepeatedCallError) as error:
        return replay_response_or_raise(request_context, error)
