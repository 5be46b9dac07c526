"""Abandon: status messages of failed operations."""

import pytest

from tests.support.workflow_harness import NOW, make_dataset, make_distribution
from twofold.records import (
    DatasetStatus,
    DatasetType,
    Operation,
    OperationKind,
    SourceObject,
    StatusMessageCode,
)
from twofold.workflow.abandon import explain_failure
from twofold.workflow.messages import Failure

TRAIN = make_dataset("birds", DatasetType.TRAIN, DatasetStatus.CREATE_COMPLETE)
TEST = make_dataset("birds", DatasetType.TEST, DatasetStatus.CREATE_COMPLETE)
DISTRIBUTION = make_distribution(TRAIN, TEST)
INGEST = Operation(
    id="ingest",
    kind=OperationKind.CREATE,
    datasets=(TRAIN.id,),
    created=NOW,
    source=SourceObject(bucket="sources", key="key", size=1, etag="etag"),
)


@pytest.mark.parametrize("cause", ['{"errorMessage": "Too many."}', "Too many."])
@pytest.mark.parametrize("operation", [INGEST, DISTRIBUTION], ids=["ingest", "distribution"])
def test_a_refusal_has_its_own_message(operation: Operation, cause: str) -> None:
    failure = Failure(error="OperationRefused", cause=cause)
    assert explain_failure(operation, failure) == ("Too many.", StatusMessageCode.CLIENT_ERROR)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ("SourceChangedError", "The manifest file changed while it was read."),
        ("ObjectUnreachableError", "The S3 bucket permissions are incorrect."),
    ],
)
def test_an_unreadable_source_is_a_client_error_for_an_ingest_only(
    error: str, message: str
) -> None:
    assert explain_failure(INGEST, Failure(error=error)) == (
        message,
        StatusMessageCode.CLIENT_ERROR,
    )
    assert explain_failure(DISTRIBUTION, Failure(error=error))[1] is StatusMessageCode.SERVICE_ERROR


@pytest.mark.parametrize(
    ("error", "named"),
    [
        ("ValueError", "ValueError"),
        ("States.Timeout", "States.Timeout"),
        ("", "no error name"),
    ],
)
def test_any_other_failure_has_its_name_in_the_message(error: str, named: str) -> None:
    assert explain_failure(INGEST, Failure(error=error, cause="[1]")) == (
        f"An internal error occurred; nothing was changed. Try again. ({named})",
        StatusMessageCode.SERVICE_ERROR,
    )


@pytest.mark.parametrize("error", ["Runtime.OutOfMemory", "Runtime.ExitError", "Lambda.Unknown"])
def test_the_message_of_a_function_out_of_memory_asks_for_more(error: str) -> None:
    cause = '{"errorMessage":"RequestId: 1 Error: Runtime exited with error: signal: killed"}'
    message, code = explain_failure(DISTRIBUTION, Failure(error=error, cause=cause))
    assert message.startswith("A function ran out of memory; nothing was changed.")
    assert message.endswith(f"({error})")
    assert code is StatusMessageCode.SERVICE_ERROR


@pytest.mark.parametrize("cause", ["[1]", "1", "null", '{"errorMessage"', "{}", ""])
def test_a_cause_in_another_format_becomes_the_message(cause: str) -> None:
    failure = Failure(error="OperationRefused", cause=cause)
    assert explain_failure(INGEST, failure) == (cause, StatusMessageCode.CLIENT_ERROR)
