"""The exceptions of DistributeDatasetEntries, as raised by boto3."""

from threading import Event

import pytest
from botocore.exceptions import ClientError

from local.emulator.gateway import Throttle
from local.emulator.server import Emulator
from tests.support.job import Job, make_two_label_lines
from tests.support.request_interceptor import (
    RequestInterceptor,
    answer_json_error,
    hold_until,
    match_dynamodb,
    match_s3,
    match_step_functions,
)


def test_an_unknown_dataset_is_resource_not_found(job: Job) -> None:
    train, test = job.create_pair(make_two_label_lines(20))
    unknown = test[:-1] + ("0" if test[-1] != "0" else "1")
    with pytest.raises(job.client.exceptions.ResourceNotFoundException, match=unknown):
        job.start_distribution(train, unknown)


def test_a_project_s_arn_is_no_dataset(job: Job) -> None:
    train, _ = job.create_pair(make_two_label_lines(20))
    with pytest.raises(ClientError, match="ValidationException"):
        job.start_distribution(train, job.project)


def test_the_same_dataset_twice_is_invalid(job: Job) -> None:
    train, _ = job.create_pair(make_two_label_lines(20))
    with pytest.raises(job.client.exceptions.InvalidParameterException, match="twice"):
        job.start_distribution(train, train)


def test_two_datasets_of_one_type_are_invalid(job: Job, emulator: Emulator) -> None:
    train, _ = job.create_pair(make_two_label_lines(20))
    other, _ = Job.start(emulator).create_pair(make_two_label_lines(20))
    with pytest.raises(
        job.client.exceptions.InvalidParameterException, match="Both datasets are TRAIN"
    ):
        job.start_distribution(train, other)


def test_datasets_of_two_projects_are_invalid(job: Job, emulator: Emulator) -> None:
    train, _ = job.create_pair(make_two_label_lines(20))
    _, other = Job.start(emulator).create_pair(make_two_label_lines(20))
    with pytest.raises(job.client.exceptions.InvalidParameterException, match="different projects"):
        job.start_distribution(train, other)


def test_a_test_dataset_with_entries_is_invalid(job: Job) -> None:
    train, test = (
        job.create_dataset("TRAIN", make_two_label_lines(20)),
        job.create_dataset("TEST", make_two_label_lines(3)),
    )
    job.wait_for_dataset(train)
    job.wait_for_dataset(test)
    with pytest.raises(
        job.client.exceptions.InvalidParameterException, match="not empty: it has 3 entries"
    ):
        job.start_distribution(train, test)


def test_an_empty_training_dataset_is_invalid(job: Job) -> None:
    train, test = job.create_dataset("TRAIN"), job.create_dataset("TEST")
    with pytest.raises(job.client.exceptions.InvalidParameterException, match="is empty"):
        job.start_distribution(train, test)


def test_another_account_s_dataset_is_access_denied(job: Job) -> None:
    train, test = job.create_pair(make_two_label_lines(20))
    foreign = test.replace("123456789012", "999999999999")
    with pytest.raises(
        job.client.exceptions.AccessDeniedException,
        match="not authorized to perform: rekognition:Distribute",
    ):
        job.start_distribution(train, foreign)


def test_a_dataset_that_is_being_created_is_not_ready(
    job: Job, request_interceptor: RequestInterceptor
) -> None:
    release = Event()
    with request_interceptor.add_rule(match_s3("PUT", "/index/000000/piece"), hold_until(release)):
        train, test = (
            job.create_dataset("TRAIN", make_two_label_lines(20)),
            job.create_dataset("TEST"),
        )
        try:
            with pytest.raises(
                job.client.exceptions.ResourceNotReadyException, match="CREATE_IN_PROGRESS"
            ):
                job.start_distribution(train, test)
        finally:
            release.set()
        assert job.wait_for_dataset(train)["Status"] == "CREATE_COMPLETE"
    job.start_distribution(train, test)
    assert job.wait_for_dataset(train)["Status"] == "UPDATE_COMPLETE"


def test_a_dataset_whose_creation_failed_is_not_ready(job: Job) -> None:
    train, test = job.create_dataset("TRAIN", b"this is no JSON\n"), job.create_dataset("TEST")
    assert job.wait_for_dataset(train)["Status"] == "CREATE_FAILED"
    with pytest.raises(job.client.exceptions.ResourceNotReadyException, match="CREATE_FAILED"):
        job.start_distribution(train, test)


def test_of_two_calls_at_once_the_second_is_not_ready(
    job: Job, request_interceptor: RequestInterceptor
) -> None:
    train, test = job.create_pair(make_two_label_lines(20))
    release = Event()
    with request_interceptor.add_rule(match_s3("GET", "entries.index"), hold_until(release)):
        job.start_distribution(train, test)
        try:
            with pytest.raises(
                job.client.exceptions.ResourceNotReadyException, match="UPDATE_IN_PROGRESS"
            ):
                job.start_distribution(test, train)
        finally:
            release.set()
        assert job.wait_for_dataset(train)["Status"] == "UPDATE_COMPLETE"


def test_a_table_at_its_limit_is_throughput_exceeded(
    job: Job, request_interceptor: RequestInterceptor
) -> None:
    train, test = job.create_pair(make_two_label_lines(20))
    error = answer_json_error(400, "ProvisionedThroughputExceededException", "Too fast.")
    with (
        request_interceptor.add_rule(match_dynamodb("TransactWriteItems"), error),
        pytest.raises(job.client.exceptions.ProvisionedThroughputExceededException),
    ):
        job.start_distribution(train, test)
    _check_distribution_works(job, train, test)


def test_a_table_that_fails_is_an_internal_server_error(
    job: Job, request_interceptor: RequestInterceptor
) -> None:
    train, test = job.create_pair(make_two_label_lines(20))
    error = answer_json_error(500, "InternalServerError", "Broken.")
    with (
        request_interceptor.add_rule(match_dynamodb("GetItem"), error),
        pytest.raises(job.client.exceptions.InternalServerError, match="Internal server error"),
    ):
        job.start_distribution(train, test)
    _check_distribution_works(job, train, test)


def test_throttled_executions_are_throttling_and_leave_no_claim(
    job: Job, request_interceptor: RequestInterceptor
) -> None:
    train, test = job.create_pair(make_two_label_lines(20))
    error = answer_json_error(400, "ThrottlingException", "Rate exceeded")
    with (
        request_interceptor.add_rule(match_step_functions("StartExecution"), error),
        pytest.raises(job.client.exceptions.ThrottlingException),
    ):
        job.start_distribution(train, test)
    assert job.describe(train)["Status"] == "UPDATE_FAILED"
    _check_distribution_works(job, train, test)


def test_a_throttled_caller_sees_throttling(job: Job, emulator: Emulator) -> None:
    train, test = job.create_pair(make_two_label_lines(20))
    emulator.gateway.throttle = Throttle(rate=0.001, burst=1)
    try:
        job.describe(train)
        with pytest.raises(job.client.exceptions.ThrottlingException):
            job.start_distribution(train, test)
    finally:
        emulator.gateway.throttle = None
    _check_distribution_works(job, train, test)


def _check_distribution_works(job: Job, train: str, test: str) -> None:
    job.start_distribution(train, test)
    assert job.wait_for_dataset(train)["Status"] == "UPDATE_COMPLETE"
    assert job.wait_for_dataset(test)["Status"] == "UPDATE_COMPLETE"
    assert (len(job.list_entries(train)), len(job.list_entries(test))) == (16, 4)
