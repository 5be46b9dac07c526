import time
from threading import Event

import pytest

from local.stack import Stack
from tests.backstage import Backstage, eventually, hold, s3
from tests.handlers.any_request import NO_DATASET, NOWHERE, refused
from tests.job import Job, line, two_labels, while_deletion_shows
from twofold.api.service import DELETION_SHOWN_MILLISECONDS


def gone(job: Job, arn: str) -> bool:
    try:
        job.describe(arn)
    except job.client.exceptions.ResourceNotFoundException:
        return True
    return False


def test_a_deleted_dataset_is_in_deletion_and_then_gone(job: Job) -> None:
    arn = job.create("TRAIN", two_labels(5))
    job.settled(arn)
    begun = time.monotonic()
    job.client.delete_dataset(DatasetArn=arn)
    with while_deletion_shows():
        described = job.describe(arn)
        assert described["Status"] == "DELETE_IN_PROGRESS"
        assert described["StatusMessageCode"] == "SUCCESS"
    assert eventually(lambda: gone(job, arn), 10)
    assert time.monotonic() - begun >= DELETION_SHOWN_MILLISECONDS / 1000 - 0.1


def test_the_slot_is_free_as_soon_as_delete_returns(job: Job) -> None:
    first = job.create("TRAIN")
    job.client.delete_dataset(DatasetArn=first)
    with while_deletion_shows():
        second = job.create("TRAIN", [line(0, "a")])
        assert job.describe(first)["Status"] == "DELETE_IN_PROGRESS"
    assert job.settled(second)["DatasetStats"]["TotalEntries"] == 1
    assert first != second
    name = job.project.split("/")[1]
    (project,) = job.client.describe_projects(ProjectNames=[name])["ProjectDescriptions"]
    assert [dataset["DatasetArn"] for dataset in project["Datasets"]] == [second]


def test_a_dataset_that_failed_can_be_deleted_and_made_again(job: Job) -> None:
    failed = job.create("TRAIN", b"no json\n")
    assert job.settled(failed)["Status"] == "CREATE_FAILED"
    job.client.delete_dataset(DatasetArn=failed)
    assert job.settled(job.create("TRAIN", [line(0)]))["Status"] == "CREATE_COMPLETE"


def test_a_dataset_in_deletion_is_not_worked_with(job: Job) -> None:
    train, test = job.pair(two_labels(10))
    client = job.client
    client.delete_dataset(DatasetArn=train)
    with while_deletion_shows():
        _demand_that_nothing_is_done(job, train, test)


def _demand_that_nothing_is_done(job: Job, train: str, test: str) -> None:
    client = job.client
    again = refused("DeleteDataset", lambda: client.delete_dataset(DatasetArn=train))
    assert again[0] == "ResourceInUseException"
    listed = refused("ListDatasetEntries", lambda: client.list_dataset_entries(DatasetArn=train))
    assert listed[0] == "ResourceInUseException"
    labels = refused("ListDatasetLabels", lambda: client.list_dataset_labels(DatasetArn=train))
    assert labels[0] == "ResourceInUseException"
    moved = refused("DistributeDatasetEntries", lambda: job.distribute(train, test))
    assert moved[0] == "ResourceNotReadyException"


def test_a_busy_dataset_cannot_be_deleted(job: Job, backstage: Backstage) -> None:
    goes_on = Event()
    with backstage.scene(s3("PUT", "/scratch/"), hold(goes_on)):
        arn = job.create("TRAIN", two_labels(5))
        code, message = refused("DeleteDataset", lambda: job.client.delete_dataset(DatasetArn=arn))
        goes_on.set()
    assert code == "ResourceInUseException"
    assert "CREATE_IN_PROGRESS" in message
    assert job.settled(arn)["Status"] == "CREATE_COMPLETE"


def test_no_dataset_is_not_found(job: Job) -> None:
    code, message = refused(
        "DeleteDataset", lambda: job.client.delete_dataset(DatasetArn=NO_DATASET)
    )
    assert code == "ResourceNotFoundException"
    assert NO_DATASET in message


@pytest.mark.parametrize("kind", ["TRAIN", "TEST"])
def test_a_project_with_a_dataset_stays(job: Job, kind: str) -> None:
    job.create(kind)
    code, message = refused(
        "DeleteProject", lambda: job.client.delete_project(ProjectArn=job.project)
    )
    assert code == "ResourceInUseException"
    assert f"{kind} dataset" in message


def test_a_project_without_datasets_goes_and_its_name_is_free(job: Job, stack: Stack) -> None:
    job.client.delete_dataset(DatasetArn=job.create("TRAIN"))
    assert job.client.delete_project(ProjectArn=job.project)["Status"] == "DELETING"
    name = job.project.split("/")[1]
    answer = job.client.describe_projects(ProjectNames=[name])
    assert answer["ProjectDescriptions"] == []
    again = job.client.create_project(ProjectName=name)["ProjectArn"]
    assert again != job.project
    code, _ = refused("DeleteProject", lambda: job.client.delete_project(ProjectArn=job.project))
    assert code == "ResourceNotFoundException"


def test_no_project_is_not_found(job: Job) -> None:
    code, _ = refused("DeleteProject", lambda: job.client.delete_project(ProjectArn=NOWHERE))
    assert code == "ResourceNotFoundException"
