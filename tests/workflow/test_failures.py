"""What a user is told when an operation fails: what can be done about it."""

import pytest

from tests.workflow.world import NOW, any_dataset, any_distribution
from twofold.records import DatasetType, Operation, OperationKind, Source, Status, StatusCode
from twofold.workflow.end import explain
from twofold.workflow.orders import Failure

TRAIN = any_dataset("birds", DatasetType.TRAIN, Status.CREATE_COMPLETE)
TEST = any_dataset("birds", DatasetType.TEST, Status.CREATE_COMPLETE)
DISTRIBUTION = any_distribution(TRAIN, TEST)
INGEST = Operation(
    id="ingest",
    kind=OperationKind.CREATE,
    datasets=(TRAIN.id,),
    created=NOW,
    source=Source(bucket="sources", key="key", size=1, etag="etag"),
)


@pytest.mark.parametrize("cause", ['{"errorMessage": "Too many."}', "Too many."])
@pytest.mark.parametrize("operation", [INGEST, DISTRIBUTION], ids=["ingest", "distribution"])
def test_a_refusal_is_told_in_its_own_words(operation: Operation, cause: str) -> None:
    failure = Failure(error="OperationRefused", cause=cause)
    assert explain(operation, failure) == ("Too many.", StatusCode.CLIENT_ERROR)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ("SourceChangedError", "The manifest file changed while it was read."),
        ("ObjectUnreachableError", "The S3 bucket permissions are incorrect."),
    ],
)
def test_a_source_is_the_users_to_mend_only_where_it_is_the_users(error: str, message: str) -> None:
    assert explain(INGEST, Failure(error=error)) == (message, StatusCode.CLIENT_ERROR)
    assert explain(DISTRIBUTION, Failure(error=error))[1] is StatusCode.SERVICE_ERROR


@pytest.mark.parametrize(
    ("error", "named"),
    [
        ("ValueError", "ValueError"),
        ("States.Timeout", "States.Timeout"),
        ("", "no error name"),
    ],
)
def test_any_other_failure_is_named_and_can_be_tried_again(error: str, named: str) -> None:
    assert explain(INGEST, Failure(error=error, cause="[1]")) == (
        f"An internal error occurred; nothing was changed. Try again. ({named})",
        StatusCode.SERVICE_ERROR,
    )


@pytest.mark.parametrize("error", ["Runtime.OutOfMemory", "Runtime.ExitError", "Lambda.Unknown"])
def test_a_function_that_was_killed_for_its_memory_is_said_to_need_more(error: str) -> None:
    cause = '{"errorMessage":"RequestId: 1 Error: Runtime exited with error: signal: killed"}'
    message, code = explain(DISTRIBUTION, Failure(error=error, cause=cause))
    assert message.startswith("A function ran out of memory; nothing was changed.")
    assert message.endswith(f"({error})")
    assert code is StatusCode.SERVICE_ERROR


@pytest.mark.parametrize("cause", ["[1]", "1", "null", '{"errorMessage"', "{}", ""])
def test_a_cause_that_is_not_lambdas_is_told_as_it_is(cause: str) -> None:
    failure = Failure(error="OperationRefused", cause=cause)
    assert explain(INGEST, failure) == (cause, StatusCode.CLIENT_ERROR)
