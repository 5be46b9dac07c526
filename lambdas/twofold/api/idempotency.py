"""Idempotency: a change is made once for each SDK call, and every attempt of the call gets the same response.

The transaction of the change also stores the response (`RequestContext.with_idempotent_response`), under the same key for all
attempts of a call. The transaction of a second attempt fails on the key and changes nothing.
"""

from typing import Any

from twofold.api.context import RequestContext
from twofold.api.wire import Call
from twofold.errors import ServiceError, ThrottlingException
from twofold.stores.table import RepeatedCallError, calls


def make_idempotency_key(call: Call, caller: str) -> str:
    """Return the common key of a call's attempts; empty for a read and for a call without an invocation id."""
    if not call.api_operation.is_mutation or not call.invocation_id:
        return ""
    return calls.derive_call_key(caller, call.api_operation, call.invocation_id, call.body)


def replay_response_or_raise(
    context: RequestContext, error: ServiceError | RepeatedCallError
) -> dict[str, Any]:
    """Return the stored response of an earlier attempt of the call; without a stored response, raise the error.

    A ServiceError counts too, since the earlier attempt can be the cause. For example, the name of a new project is taken
    because the earlier attempt created the project.
    """
    response = context.replay_response()
    if response is not None:
        return response
    if isinstance(error, RepeatedCallError):
        raise ThrottlingException("The change of an earlier attempt was being reverted; try again.")
    raise error
