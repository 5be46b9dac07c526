import json
from collections.abc import Callable

import pytest

from local.emulator.server import BUCKET
from tests.api.api_calls import (
    MISSING_DATASET,
    expect_error,
    get_contents_folder,
    get_image_name,
    list_image_names,
)
from tests.support.job import Job, expect_while_deletion_visible, make_line, make_two_label_lines
from twofold.settings import Function, Variable


def copy_dataset(job: Job, source: str, kind: str, project: str | None = None) -> str:
    response = job.client.create_dataset(
        ProjectArn=project or job.project,
        DatasetType=kind,
        DatasetSource={"DatasetArn": source},
    )
    arn: str = response["DatasetArn"]
    return arn


def test_a_copy_is_complete_at_once_and_independent_of_the_source(job: Job) -> None:
    train, _ = job.create_pair(make_two_label_lines(10))
    other = Job.start(job.emulator)
    copy = copy_dataset(job, train, "TEST", other.project)
    described = job.describe(copy)
    assert described["Status"] == "CREATE_COMPLETE"
    assert described["DatasetStats"] == job.describe(train)["DatasetStats"]
    assert job.list_entries(copy) == job.list_entries(train)
    assert get_contents_folder(job, copy) == get_contents_folder(job, train)
    body = make_line("new", "kea").encode()
    job.client.update_dataset_entries(DatasetArn=copy, Changes={"GroundTruth": body})
    assert job.wait_for_dataset(copy)["Status"] == "UPDATE_COMPLETE"
    assert (len(list_image_names(job, train)), len(list_image_names(job, copy))) == (10, 11)
    job.client.delete_dataset(DatasetArn=train)
    assert len(list_image_names(job, copy)) == 11


def test_collect_keeps_contents_while_a_copy_uses_them(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = job.create_dataset("TRAIN", make_two_label_lines(10))
    job.wait_for_dataset(train)
    copy = copy_dataset(job, train, "TEST")
    shared = get_contents_folder(job, train)
    job.client.delete_dataset(DatasetArn=train)
    at_once = {**job.emulator.functions.environments[Function.COLLECT], Variable.RETENTION: "0"}
    monkeypatch.setitem(job.emulator.functions.environments, Function.COLLECT, at_once)
    response = job.emulator.functions.invoke(Function.COLLECT, b"{}")
    assert shared not in json.loads(response.payload)["Collected"]
    assert len(list_image_names(job, copy)) == 10
    job.client.delete_dataset(DatasetArn=copy)
    response = job.emulator.functions.invoke(Function.COLLECT, b"{}")
    assert shared in json.loads(response.payload)["Collected"]
    remaining_objects = job.emulator.create_client("s3").list_objects_v2(
        Bucket=BUCKET, Prefix=shared
    )
    assert remaining_objects["KeyCount"] == 0


def list_around_change(job: Job, arn: str, change: Callable[[], None]) -> list[str]:
    """Return the names of all entries in two pages, with a change of the dataset in between."""
    first = job.client.list_dataset_entries(DatasetArn=arn, MaxResults=4)
    change()
    second = job.client.list_dataset_entries(DatasetArn=arn, NextToken=first["NextToken"])
    return [get_image_name(entry) for page in (first, second) for entry in page["DatasetEntries"]]


def test_a_list_of_a_copy_keeps_its_contents_after_an_update(job: Job) -> None:
    train, _ = job.create_pair(make_two_label_lines(10))
    copy = copy_dataset(job, train, "TRAIN", Job.start(job.emulator).project)

    def update() -> None:
        changes = {"GroundTruth": make_line("new", "kea").encode()}
        job.client.update_dataset_entries(DatasetArn=copy, Changes=changes)
        assert job.wait_for_dataset(copy)["Status"] == "UPDATE_COMPLETE"

    listed = list_around_change(job, copy, update)
    assert listed == [str(number) for number in range(10)]
    assert list_image_names(job, copy) == [*listed, "new"]


def test_a_list_of_a_copy_keeps_its_contents_after_a_distribution(
    job: Job,
) -> None:
    train, _ = job.create_pair(make_two_label_lines(10))
    other = Job.start(job.emulator)
    copy, test = copy_dataset(job, train, "TRAIN", other.project), other.create_dataset("TEST")

    def distribute() -> None:
        other.start_distribution(copy, test)
        assert other.wait_for_dataset(copy)["Status"] == "UPDATE_COMPLETE"

    labels = job.client.list_dataset_labels(DatasetArn=copy, MaxResults=1)
    listed = list_around_change(job, copy, distribute)
    assert listed == [str(number) for number in range(10)]
    assert len(list_image_names(job, copy)) == 8
    remaining = job.client.list_dataset_labels(DatasetArn=copy, NextToken=labels["NextToken"])
    (last,) = remaining["DatasetLabelDescriptions"]
    assert (last["LabelName"], last["LabelStats"]["EntryCount"]) == ("cat", 6)


def test_a_token_of_deleted_contents_is_invalid(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    train, test = job.create_pair(make_two_label_lines(10))
    token = job.client.list_dataset_entries(DatasetArn=train, MaxResults=1)["NextToken"]
    job.start_distribution(train, test)
    job.wait_for_dataset(train)
    at_once = {**job.emulator.functions.environments[Function.COLLECT], Variable.RETENTION: "0"}
    monkeypatch.setitem(job.emulator.functions.environments, Function.COLLECT, at_once)
    job.emulator.functions.invoke(Function.COLLECT, b"{}")
    code, _ = expect_error(
        "ListDatasetEntries",
        lambda: job.client.list_dataset_entries(DatasetArn=train, NextToken=token),
    )
    assert code == "InvalidPaginationTokenException"


def test_an_empty_dataset_can_be_copied(job: Job) -> None:
    copy = copy_dataset(job, job.create_dataset("TRAIN"), "TEST")
    assert job.describe(copy)["DatasetStats"]["TotalEntries"] == 0


def test_failed_deleted_and_missing_datasets_are_not_copied(job: Job) -> None:
    failed = job.create_dataset("TRAIN", b"no json\n")
    job.wait_for_dataset(failed)
    code, message = expect_error("CreateDataset", lambda: copy_dataset(job, failed, "TEST"))
    assert code == "InvalidParameterException"
    assert "CREATE_FAILED" in message
    job.client.delete_dataset(DatasetArn=failed)
    with expect_while_deletion_visible():
        code, message = expect_error("CreateDataset", lambda: copy_dataset(job, failed, "TEST"))
        assert (code, "DELETE_IN_PROGRESS" in message) == ("InvalidParameterException", True)
    code, _ = expect_error("CreateDataset", lambda: copy_dataset(job, MISSING_DATASET, "TEST"))
    assert code == "ResourceNotFoundException"


@pytest.mark.parametrize(
    "source",
    [
        {},
        {"DatasetArn": MISSING_DATASET, "GroundTruthManifest": {}},
        {"GroundTruthManifest": {}},
        {"GroundTruthManifest": {"S3Object": {"Name": "m"}}},
    ],
    ids=str,
)
def test_a_source_must_name_exactly_one_member(job: Job, source: dict[str, object]) -> None:
    code, _ = expect_error(
        "CreateDataset",
        lambda: job.client.create_dataset(
            ProjectArn=job.project, DatasetType="TRAIN", DatasetSource=source
        ),
    )
    assert code == "InvalidParameterException"
