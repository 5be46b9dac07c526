import time
from threading import Event

import pytest

from local.emulator.server import Emulator
from tests.api.api_calls import MISSING_DATASET, MISSING_PROJECT, expect_error
from tests.support.job import Job, expect_while_deletion_visible, make_line, make_two_label_lines
from tests.support.request_interceptor import RequestInterceptor, hold_until, match_s3, wait_until
from twofold.api.context import DELETION_VISIBLE_MILLISECONDS


def is_deleted(job: Job, arn: str) -> bool:
    try:
        job.describe(arn)
    except job.client.exceptions.ResourceNotFoundException:
        return True
    return False


def test_a_deleted_dataset_is_described_for_some_seconds(job: Job) -> None:
    arn = job.create_dataset("TRAIN", make_two_label_lines(5))
    job.wait_for_dataset(arn)
    begun = time.monotonic()
    job.client.delete_dataset(DatasetArn=arn)
    with expect_while_deletion_visible():
        described = job.describe(arn)
        assert described["Status"] == "DELETE_IN_PROGRESS"
        assert described["StatusMessageCode"] == "SUCCESS"
    assert wait_until(lambda: is_deleted(job, arn), 10)
    assert time.monotonic() - begun >= DELETION_VISIBLE_MILLISECONDS / 1000 - 0.1


def test_a_new_dataset_can_be_created_right_after_delete(job: Job) -> None:
    first = job.create_dataset("TRAIN")
    job.client.delete_dataset(DatasetArn=first)
    with expect_while_deletion_visible():
        second = job.create_dataset("TRAIN", [make_line(0, "a")])
        assert job.describe(first)["Status"] == "DELETE_IN_PROGRESS"
    assert job.wait_for_dataset(second)["DatasetStats"]["TotalEntries"] == 1
    assert first != second
    name = job.project.split("/")[1]
    (project,) = job.client.describe_projects(ProjectNames=[name])["ProjectDescriptions"]
    assert [dataset["DatasetArn"] for dataset in project["Datasets"]] == [second]


def test_a_failed_dataset_can_be_deleted_and_created_again(job: Job) -> None:
    failed = job.create_dataset("TRAIN", b"no json\n")
    assert job.wait_for_dataset(failed)["Status"] == "CREATE_FAILED"
    job.client.delete_dataset(DatasetArn=failed)
    assert (
        job.wait_for_dataset(job.create_dataset("TRAIN", [make_line(0)]))["Status"]
        == "CREATE_COMPLETE"
    )


def test_operations_on_a_dataset_in_deletion_fail(job: Job) -> None:
    train, test = job.create_pair(make_two_label_lines(10))
    client = job.client
    client.delete_dataset(DatasetArn=train)
    with expect_while_deletion_visible():
        _check_operations_fail(job, train, test)


def _check_operations_fail(job: Job, train: str, test: str) -> None:
    client = job.client
    again = expect_error("DeleteDataset", lambda: client.delete_dataset(DatasetArn=train))
    assert again[0] == "ResourceInUseException"
    listed = expect_error(
        "ListDatasetEntries", lambda: client.list_dataset_entries(DatasetArn=train)
    )
    assert listed[0] == "ResourceInUseException"
    labels = expect_error("ListDatasetLabels", lambda: client.list_dataset_labels(DatasetArn=train))
    assert labels[0] == "ResourceInUseException"
    moved = expect_error("DistributeDatasetEntries", lambda: job.start_distribution(train, test))
    assert moved[0] == "ResourceNotReadyException"


def test_a_busy_dataset_cannot_be_deleted(
    job: Job, request_interceptor: RequestInterceptor
) -> None:
    goes_on = Event()
    with request_interceptor.add_rule(match_s3("PUT", "/scratch/"), hold_until(goes_on)):
        arn = job.create_dataset("TRAIN", make_two_label_lines(5))
        code, message = expect_error(
            "DeleteDataset", lambda: job.client.delete_dataset(DatasetArn=arn)
        )
        goes_on.set()
    assert code == "ResourceInUseException"
    assert "CREATE_IN_PROGRESS" in message
    assert job.wait_for_dataset(arn)["Status"] == "CREATE_COMPLETE"


def test_a_missing_dataset_is_not_found(job: Job) -> None:
    code, message = expect_error(
        "DeleteDataset", lambda: job.client.delete_dataset(DatasetArn=MISSING_DATASET)
    )
    assert code == "ResourceNotFoundException"
    assert MISSING_DATASET in message


@pytest.mark.parametrize("kind", ["TRAIN", "TEST"])
def test_a_project_with_a_dataset_cannot_be_deleted(job: Job, kind: str) -> None:
    job.create_dataset(kind)
    code, message = expect_error(
        "DeleteProject", lambda: job.client.delete_project(ProjectArn=job.project)
    )
    assert code == "ResourceInUseException"
    assert f"{kind} dataset" in message


def test_a_deleted_project_frees_its_name(job: Job, emulator: Emulator) -> None:
    job.client.delete_dataset(DatasetArn=job.create_dataset("TRAIN"))
    assert job.client.delete_project(ProjectArn=job.project)["Status"] == "DELETING"
    name = job.project.split("/")[1]
    response = job.client.describe_projects(ProjectNames=[name])
    assert response["ProjectDescriptions"] == []
    again = job.client.create_project(ProjectName=name)["ProjectArn"]
    assert again != job.project
    code, _ = expect_error(
        "DeleteProject", lambda: job.client.delete_project(ProjectArn=job.project)
    )
    assert code == "ResourceNotFoundException"


def test_a_missing_project_is_not_found(job: Job) -> None:
    code, _ = expect_error(
        "DeleteProject", lambda: job.client.delete_project(ProjectArn=MISSING_PROJECT)
    )
    assert code == "ResourceNotFoundException"
