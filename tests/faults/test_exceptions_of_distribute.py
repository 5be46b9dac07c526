"""Each exception that DistributeDatasetEntries declares, raised where it belongs and seen through boto3."""

from threading import Event

import pytest
from botocore.exceptions import ClientError

from local.gateway import Throttle
from local.stack import Stack
from tests.backstage import Backstage, dynamodb, hold, json_error, s3, states
from tests.job import Job, two_labels


def test_an_unknown_dataset_is_resource_not_found(job: Job) -> None:
    train, test = job.pair(two_labels(20))
    unknown = test[:-1] + ("0" if test[-1] != "0" else "1")
    with pytest.raises(job.client.exceptions.ResourceNotFoundException, match=unknown):
        job.distribute(train, unknown)


def test_a_project_s_arn_is_no_dataset(job: Job) -> None:
    train, _ = job.pair(two_labels(20))
    with pytest.raises(ClientError, match="ValidationException"):
        job.distribute(train, job.project)


def test_the_same_dataset_twice_is_invalid(job: Job) -> None:
    train, _ = job.pair(two_labels(20))
    with pytest.raises(job.client.exceptions.InvalidParameterException, match="twice"):
        job.distribute(train, train)


def test_two_datasets_of_one_type_are_invalid(job: Job, stack: Stack) -> None:
    train, _ = job.pair(two_labels(20))
    other, _ = Job.begin(stack).pair(two_labels(20))
    with pytest.raises(
        job.client.exceptions.InvalidParameterException, match="Both datasets are TRAIN"
    ):
        job.distribute(train, other)


def test_datasets_of_two_projects_are_invalid(job: Job, stack: Stack) -> None:
    train, _ = job.pair(two_labels(20))
    _, other = Job.begin(stack).pair(two_labels(20))
    with pytest.raises(job.client.exceptions.InvalidParameterException, match="different projects"):
        job.distribute(train, other)


def test_a_test_dataset_with_entries_is_invalid(job: Job) -> None:
    train, test = job.create("TRAIN", two_labels(20)), job.create("TEST", two_labels(3))
    job.settled(train)
    job.settled(test)
    with pytest.raises(
        job.client.exceptions.InvalidParameterException, match="not empty: it has 3 entries"
    ):
        job.distribute(train, test)


def test_an_empty_training_dataset_is_invalid(job: Job) -> None:
    train, test = job.create("TRAIN"), job.create("TEST")
    with pytest.raises(job.client.exceptions.InvalidParameterException, match="is empty"):
        job.distribute(train, test)


def test_another_account_s_dataset_is_access_denied(job: Job) -> None:
    train, test = job.pair(two_labels(20))
    foreign = test.replace("123456789012", "999999999999")
    with pytest.raises(
        job.client.exceptions.AccessDeniedException,
        match="not authorized to perform: rekognition:Distribute",
    ):
        job.distribute(train, foreign)


def test_a_dataset_that_is_being_created_is_not_ready(job: Job, backstage: Backstage) -> None:
    release = Event()
    with backstage.scene(s3("PUT", "/index/000000/piece"), hold(release)):
        train, test = job.create("TRAIN", two_labels(20)), job.create("TEST")
        try:
            with pytest.raises(
                job.client.exceptions.ResourceNotReadyException, match="CREATE_IN_PROGRESS"
            ):
                job.distribute(train, test)
        finally:
            release.set()
        assert job.settled(train)["Status"] == "CREATE_COMPLETE"
    job.distribute(train, test)
    assert job.settled(train)["Status"] == "UPDATE_COMPLETE"


def test_a_dataset_whose_creation_failed_is_not_ready(job: Job) -> None:
    train, test = job.create("TRAIN", b"this is no JSON\n"), job.create("TEST")
    assert job.settled(train)["Status"] == "CREATE_FAILED"
    with pytest.raises(job.client.exceptions.ResourceNotReadyException, match="CREATE_FAILED"):
        job.distribute(train, test)


def test_of_two_calls_at_once_the_second_is_not_ready(job: Job, backstage: Backstage) -> None:
    train, test = job.pair(two_labels(20))
    release = Event()
    with backstage.scene(s3("GET", "entries.index"), hold(release)):
        job.distribute(train, test)
        try:
            with pytest.raises(
                job.client.exceptions.ResourceNotReadyException, match="UPDATE_IN_PROGRESS"
            ):
                job.distribute(test, train)
        finally:
            release.set()
        assert job.settled(train)["Status"] == "UPDATE_COMPLETE"


def test_a_table_at_its_limit_is_throughput_exceeded(job: Job, backstage: Backstage) -> None:
    train, test = job.pair(two_labels(20))
    error = json_error(400, "ProvisionedThroughputExceededException", "Too fast.")
    with (
        backstage.scene(dynamodb("TransactWriteItems"), error),
        pytest.raises(job.client.exceptions.ProvisionedThroughputExceededException),
    ):
        job.distribute(train, test)
    _still_works(job, train, test)


def test_a_table_that_fails_is_an_internal_server_error(job: Job, backstage: Backstage) -> None:
    train, test = job.pair(two_labels(20))
    error = json_error(500, "InternalServerError", "Broken.")
    with (
        backstage.scene(dynamodb("GetItem"), error),
        pytest.raises(job.client.exceptions.InternalServerError, match="Internal server error"),
    ):
        job.distribute(train, test)
    _still_works(job, train, test)


def test_throttled_executions_are_throttling_and_leave_no_claim(
    job: Job, backstage: Backstage
) -> None:
    train, test = job.pair(two_labels(20))
    error = json_error(400, "ThrottlingException", "Rate exceeded")
    with (
        backstage.scene(states("StartExecution"), error),
        pytest.raises(job.client.exceptions.ThrottlingException),
    ):
        job.distribute(train, test)
    assert job.describe(train)["Status"] == "UPDATE_FAILED"
    _still_works(job, train, test)


def test_a_throttled_caller_sees_throttling(job: Job, stack: Stack) -> None:
    train, test = job.pair(two_labels(20))
    stack.gateway.throttle = Throttle(rate=0.001, burst=1)
    try:
        job.describe(train)
        with pytest.raises(job.client.exceptions.ThrottlingException):
            job.distribute(train, test)
    finally:
        stack.gateway.throttle = None
    _still_works(job, train, test)


def _still_works(job: Job, train: str, test: str) -> None:
    job.distribute(train, test)
    assert job.settled(train)["Status"] == "UPDATE_COMPLETE"
    assert job.settled(test)["Status"] == "UPDATE_COMPLETE"
    assert (len(job.entries(train)), len(job.entries(test))) == (16, 4)
