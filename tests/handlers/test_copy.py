import json
from collections.abc import Callable

import pytest

from local.stack import BUCKET
from tests.handlers.any_request import NO_DATASET, entries, folder, name, refused
from tests.job import Job, line, two_labels, while_deletion_shows
from twofold.settings import Function, Variable


def copied(job: Job, source: str, kind: str, project: str | None = None) -> str:
    answer = job.client.create_dataset(
        ProjectArn=project or job.project,
        DatasetType=kind,
        DatasetSource={"DatasetArn": source},
    )
    arn: str = answer["DatasetArn"]
    return arn


def test_a_copy_is_complete_at_once_and_goes_its_own_way(job: Job) -> None:
    train, _ = job.pair(two_labels(10))
    other = Job.begin(job.stack)
    copy = copied(job, train, "TEST", other.project)
    described = job.describe(copy)
    assert described["Status"] == "CREATE_COMPLETE"
    assert described["DatasetStats"] == job.describe(train)["DatasetStats"]
    assert job.entries(copy) == job.entries(train)
    assert folder(job, copy) == folder(job, train)
    body = line("new", "kea").encode()
    job.client.update_dataset_entries(DatasetArn=copy, Changes={"GroundTruth": body})
    assert job.settled(copy)["Status"] == "UPDATE_COMPLETE"
    assert (len(entries(job, train)), len(entries(job, copy))) == (10, 11)
    job.client.delete_dataset(DatasetArn=train)
    assert len(entries(job, copy)) == 11


def test_a_copy_outlives_its_source_and_the_collector(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = job.create("TRAIN", two_labels(10))
    job.settled(train)
    copy = copied(job, train, "TEST")
    shared = folder(job, train)
    job.client.delete_dataset(DatasetArn=train)
    at_once = {**job.stack.functions.environments[Function.COLLECT], Variable.RETENTION: "0"}
    monkeypatch.setitem(job.stack.functions.environments, Function.COLLECT, at_once)
    answer = job.stack.functions.invoke(Function.COLLECT, b"{}")
    assert shared not in json.loads(answer.payload)["Collected"]
    assert len(entries(job, copy)) == 10
    job.client.delete_dataset(DatasetArn=copy)
    answer = job.stack.functions.invoke(Function.COLLECT, b"{}")
    assert shared in json.loads(answer.payload)["Collected"]
    left = job.stack.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=shared)
    assert left["KeyCount"] == 0


def list_with_a_change_between_pages(job: Job, arn: str, change: Callable[[], None]) -> list[str]:
    """The names of all entries; the dataset has changed when the second page is asked for."""
    first = job.client.list_dataset_entries(DatasetArn=arn, MaxResults=4)
    change()
    rest = job.client.list_dataset_entries(DatasetArn=arn, NextToken=first["NextToken"])
    return [name(entry) for page in (first, rest) for entry in page["DatasetEntries"]]


def test_the_list_of_a_copy_goes_on_in_the_contents_it_began_with_after_an_update(job: Job) -> None:
    train, _ = job.pair(two_labels(10))
    copy = copied(job, train, "TRAIN", Job.begin(job.stack).project)

    def update() -> None:
        changes = {"GroundTruth": line("new", "kea").encode()}
        job.client.update_dataset_entries(DatasetArn=copy, Changes=changes)
        assert job.settled(copy)["Status"] == "UPDATE_COMPLETE"

    listed = list_with_a_change_between_pages(job, copy, update)
    assert listed == [str(number) for number in range(10)]
    assert entries(job, copy) == [*listed, "new"]


def test_the_list_of_a_copy_goes_on_in_the_contents_it_began_with_after_a_distribution(
    job: Job,
) -> None:
    train, _ = job.pair(two_labels(10))
    other = Job.begin(job.stack)
    copy, test = copied(job, train, "TRAIN", other.project), other.create("TEST")

    def distribute() -> None:
        other.distribute(copy, test)
        assert other.settled(copy)["Status"] == "UPDATE_COMPLETE"

    labels = job.client.list_dataset_labels(DatasetArn=copy, MaxResults=1)
    listed = list_with_a_change_between_pages(job, copy, distribute)
    assert listed == [str(number) for number in range(10)]
    assert len(entries(job, copy)) == 8
    rest = job.client.list_dataset_labels(DatasetArn=copy, NextToken=labels["NextToken"])
    (last,) = rest["DatasetLabelDescriptions"]
    assert (last["LabelName"], last["LabelStats"]["EntryCount"]) == ("cat", 6)


def test_a_list_whose_contents_are_gone_says_so(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    train, test = job.pair(two_labels(10))
    token = job.client.list_dataset_entries(DatasetArn=train, MaxResults=1)["NextToken"]
    job.distribute(train, test)
    job.settled(train)
    at_once = {**job.stack.functions.environments[Function.COLLECT], Variable.RETENTION: "0"}
    monkeypatch.setitem(job.stack.functions.environments, Function.COLLECT, at_once)
    job.stack.functions.invoke(Function.COLLECT, b"{}")
    code, _ = refused(
        "ListDatasetEntries",
        lambda: job.client.list_dataset_entries(DatasetArn=train, NextToken=token),
    )
    assert code == "InvalidPaginationTokenException"


def test_an_empty_dataset_can_be_copied(job: Job) -> None:
    copy = copied(job, job.create("TRAIN"), "TEST")
    assert job.describe(copy)["DatasetStats"]["TotalEntries"] == 0


def test_what_failed_or_goes_is_not_copied(job: Job) -> None:
    failed = job.create("TRAIN", b"no json\n")
    job.settled(failed)
    code, message = refused("CreateDataset", lambda: copied(job, failed, "TEST"))
    assert code == "InvalidParameterException"
    assert "CREATE_FAILED" in message
    job.client.delete_dataset(DatasetArn=failed)
    with while_deletion_shows():
        code, message = refused("CreateDataset", lambda: copied(job, failed, "TEST"))
        assert (code, "DELETE_IN_PROGRESS" in message) == ("InvalidParameterException", True)
    code, _ = refused("CreateDataset", lambda: copied(job, NO_DATASET, "TEST"))
    assert code == "ResourceNotFoundException"


@pytest.mark.parametrize(
    "source",
    [
        {},
        {"DatasetArn": NO_DATASET, "GroundTruthManifest": {}},
        {"GroundTruthManifest": {}},
        {"GroundTruthManifest": {"S3Object": {"Name": "m"}}},
    ],
    ids=str,
)
def test_a_source_names_one_thing(job: Job, source: dict[str, object]) -> None:
    code, _ = refused(
        "CreateDataset",
        lambda: job.client.create_dataset(
            ProjectArn=job.project, DatasetType="TRAIN", DatasetSource=source
        ),
    )
    assert code == "InvalidParameterException"
