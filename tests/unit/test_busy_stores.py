"""Which of AWS's errors say that a store is busy, so that the step may be run again later."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.model import OperationModel, ServiceModel

from twofold.stores.failures import StoreBusyError, error_code, raise_if_busy

OPERATION = OperationModel({"name": "GetObject"}, ServiceModel({}))


def _error(code: str, *reasons: str) -> dict[str, Any]:
    parsed: dict[str, Any] = {"Error": {"Code": code, "Message": code}}
    return parsed | ({"CancellationReasons": [{"Code": one} for one in reasons]} if reasons else {})


BUSY = [
    _error("SlowDown"),
    _error("503"),
    _error("ServiceUnavailable"),
    _error("ProvisionedThroughputExceededException"),
    _error("ThrottlingException"),
    _error("TransactionCanceledException", "ThrottlingError", "None"),
]


@pytest.mark.parametrize("parsed", BUSY, ids=str)
def test_a_busy_store_is_named_so_and_keeps_its_own_code(parsed: dict[str, Any]) -> None:
    """Whoever handles AWS's errors handles it too."""
    with pytest.raises(StoreBusyError) as busy:
        raise_if_busy(parsed=parsed, model=OPERATION)
    assert isinstance(busy.value, ClientError)
    assert error_code(busy.value) == parsed["Error"]["Code"]


@pytest.mark.parametrize(
    "parsed",
    [
        {},
        _error("NoSuchKey"),
        _error("AccessDenied"),
        _error("InternalError"),
        _error("TransactionCanceledException", "ConditionalCheckFailed", "None"),
        _error("TransactionCanceledException", "ConditionalCheckFailed", "ThrottlingError"),
    ],
    ids=str,
)
def test_nothing_else_is(parsed: dict[str, Any]) -> None:
    raise_if_busy(parsed=parsed, model=OPERATION)
