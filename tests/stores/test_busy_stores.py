"""Errors of AWS for a busy store, followed by a retry of the state."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.model import OperationModel, ServiceModel

from twofold.stores.aws_errors import StoreBusyError, get_error_code, raise_if_busy

OPERATION = OperationModel({"name": "GetObject"}, ServiceModel({}))


def _make_error(code: str, *reasons: str) -> dict[str, Any]:
    parsed: dict[str, Any] = {"Error": {"Code": code, "Message": code}}
    return parsed | (
        {"CancellationReasons": [{"Code": reason} for reason in reasons]} if reasons else {}
    )


BUSY = [
    _make_error("SlowDown"),
    _make_error("503"),
    _make_error("ServiceUnavailable"),
    _make_error("ProvisionedThroughputExceededException"),
    _make_error("ThrottlingException"),
    _make_error("TransactionCanceledException", "ThrottlingError", "None"),
]


@pytest.mark.parametrize("parsed", BUSY, ids=str)
def test_the_error_of_a_busy_store_keeps_its_code(parsed: dict[str, Any]) -> None:
    """Handlers of ClientError also handle StoreBusyError."""
    with pytest.raises(StoreBusyError) as busy:
        raise_if_busy(parsed=parsed, model=OPERATION)
    assert isinstance(busy.value, ClientError)
    assert get_error_code(busy.value) == parsed["Error"]["Code"]


@pytest.mark.parametrize(
    "parsed",
    [
        {},
        _make_error("NoSuchKey"),
        _make_error("AccessDenied"),
        _make_error("InternalError"),
        _make_error("TransactionCanceledException", "ConditionalCheckFailed", "None"),
        _make_error("TransactionCanceledException", "ConditionalCheckFailed", "ThrottlingError"),
    ],
    ids=str,
)
def test_other_errors_do_not_mean_a_busy_store(parsed: dict[str, Any]) -> None:
    raise_if_busy(parsed=parsed, model=OPERATION)
