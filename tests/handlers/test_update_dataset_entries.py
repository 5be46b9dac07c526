import json
from threading import Event
from typing import Any

import pytest

from local.stack import BUCKET
from tests.backstage import Backstage, hold, json_error, s3, states
from tests.handlers.any_request import NO_DATASET, boxed, entries, faulty, folder, refused
from tests.job import IMAGES, Job, line


def update(job: Job, arn: str, lines: list[str] | bytes) -> dict[str, Any]:
    """Updates, and waits until the dataset has settled."""
    send(job, arn, lines)
    return job.settled(arn)


def send(job: Job, arn: str, lines: list[str] | bytes) -> None:
    body = lines if isinstance(lines, bytes) else "".join(f"{one}\n" for one in lines).encode()
    job.client.update_dataset_entries(DatasetArn=arn, Changes={"GroundTruth": body})


def created(job: Job, lines: list[str], kind: str = "TRAIN") -> str:
    arn = job.create(kind, lines)
    assert job.settled(arn)["Status"] == "CREATE_COMPLETE"
    return arn


def manifest(job: Job, arn: str) -> list[bytes]:
    """The lines of the dataset as they are stored."""
    key = f"{folder(job, arn)}/entries.manifest"
    answer = job.stack.client("s3").get_object(Bucket=BUCKET, Key=key)
    body: bytes = answer["Body"].read()
    assert body.endswith(b"\n")
    return body.removesuffix(b"\n").split(b"\n")


def test_known_images_are_replaced_in_place_and_new_ones_appended(job: Job) -> None:
    arn = created(job, [line(number, "old") for number in range(6)])
    described = update(job, arn, [line(9, "new"), line(3, "new"), line(0), line(7, "newer")])
    assert described["Status"] == "UPDATE_COMPLETE"
    assert described["StatusMessageCode"] == "SUCCESS"
    assert "2 entries replaced, 2 entries added" in described["StatusMessage"]
    assert described["DatasetStats"] == {
        "LabeledEntries": 7,
        "TotalEntries": 8,
        "TotalLabels": 3,
        "ErrorEntries": 0,
    }
    assert entries(job, arn) == ["0", "1", "2", "3", "4", "5", "9", "7"]
    assert entries(job, arn, ContainsLabels=["new"]) == ["3", "9"]
    assert entries(job, arn, Labeled=False) == ["0"]


def test_a_line_is_replaced_as_a_whole_and_the_others_keep_their_bytes(job: Job) -> None:
    odd = ' {"source-ref" :\t"s3://example-images/odd.jpg" , "note":1.50} '
    arn = created(job, [odd, line("a", "x", "y"), boxed("b", "z")])
    update(job, arn, [line("a", "y")])
    assert manifest(job, arn) == [odd.encode(), line("a", "y").encode(), boxed("b", "z").encode()]
    listed = job.client.list_dataset_labels(DatasetArn=arn)["DatasetLabelDescriptions"]
    assert [one["LabelName"] for one in listed] == ["y", "z"]


def test_what_list_returns_can_be_sent_back_and_changes_nothing(job: Job) -> None:
    lines = [line(0, "a"), boxed(1, "b"), faulty(2), line(3)]
    arn = created(job, lines)
    before = manifest(job, arn)
    listed = job.entries(arn)
    assert any("cl-errors" in entry for entry in listed)
    described = update(job, arn, listed)
    assert described["Status"] == "UPDATE_COMPLETE"
    assert manifest(job, arn) == before
    assert job.entries(arn) == listed


def test_an_empty_dataset_is_filled_by_an_update(job: Job) -> None:
    arn = job.create("TRAIN")
    described = update(job, arn, [line(0, "a"), boxed(1, "b", "b")])
    assert described["Status"] == "UPDATE_COMPLETE"
    assert described["DatasetStats"]["TotalEntries"] == 2
    labels = job.client.list_dataset_labels(DatasetArn=arn)["DatasetLabelDescriptions"]
    assert labels[1] == {"LabelName": "b", "LabelStats": {"EntryCount": 1, "BoundingBoxCount": 2}}


def test_every_entry_can_be_replaced_at_once(job: Job) -> None:
    arn = created(job, [line(number, "a") for number in range(5)])
    changes = [line(number, "b", "c") for number in reversed(range(5))]
    assert update(job, arn, changes)["Status"] == "UPDATE_COMPLETE"
    assert manifest(job, arn) == [one.encode() for one in reversed(changes)]


def test_updated_datasets_can_be_updated_and_distributed_again(job: Job) -> None:
    train, test = job.pair([line(number, "a") for number in range(10)])
    for number in range(10, 15):
        assert update(job, train, [line(number, "a")])["Status"] == "UPDATE_COMPLETE"
    job.distribute(train, test)
    assert job.settled(train)["DatasetStats"]["TotalEntries"] == 12
    assert job.settled(test)["DatasetStats"]["TotalEntries"] == 3


def test_an_image_that_comes_twice_counts_once_and_is_told(job: Job) -> None:
    arn = created(job, [line(number) for number in range(3)])
    changes = [line(0, "first"), *(line(number) for number in range(5, 10)), line(0, "second")]
    described = update(job, arn, changes)
    assert described["Status"] == "UPDATE_COMPLETE"
    assert "1 of 7 lines were dropped: line 7" in described["StatusMessage"]
    assert entries(job, arn, ContainsLabels=["first"]) == ["0"]
    assert entries(job, arn, ContainsLabels=["second"]) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (b"no json\n", "The manifest file has too many terminal errors."),
        (b"\n", "The manifest file has too many terminal errors."),
        (b"\xff\xfe", "The manifest file has too many terminal errors."),
        (b'{"source-ref":"https://b/k"}', "The manifest file has too many terminal errors."),
        (
            b'{"source-ref":"s3://other-bucket/1.jpg"}',
            "The manifest file contains images from multiple S3 buckets.",
        ),
    ],
)
def test_bad_changes_fail_and_change_nothing(job: Job, changes: bytes, message: str) -> None:
    lines = [line(number, "a") for number in range(3)]
    arn = created(job, lines)
    before = job.describe(arn)
    described = update(job, arn, changes)
    assert described["Status"] == "UPDATE_FAILED"
    assert described["StatusMessageCode"] == "CLIENT_ERROR"
    assert described["StatusMessage"].startswith(message)
    assert described["DatasetStats"] == before["DatasetStats"]
    assert described["LastUpdatedTimestamp"] > before["LastUpdatedTimestamp"]
    assert job.stored(arn) == lines
    assert update(job, arn, [line(5)])["Status"] == "UPDATE_COMPLETE"


def test_images_of_another_bucket_than_the_datasets_first_batch_are_refused_among_themselves(
    job: Job,
) -> None:
    arn = job.create("TRAIN")
    described = update(job, arn, b'{"source-ref":"s3://one/1"}\n{"source-ref":"s3://two/2"}\n')
    assert "multiple S3 buckets" in described["StatusMessage"]
    assert described["DatasetStats"]["TotalEntries"] == 0


def test_a_dataset_is_updating_from_the_moment_that_the_call_returns(
    job: Job, backstage: Backstage
) -> None:
    train, test = job.pair([line(number, "a") for number in range(10)])
    goes_on = Event()
    with backstage.scene(s3("PUT", "/contents/"), hold(goes_on)):
        send(job, train, [line(99, "b")])
        assert job.describe(train)["Status"] == "UPDATE_IN_PROGRESS"
        again = refused("UpdateDatasetEntries", lambda: send(job, train, [line(1)]))
        deleted = refused("DeleteDataset", lambda: job.client.delete_dataset(DatasetArn=train))
        moved = refused("DistributeDatasetEntries", lambda: job.distribute(train, test))
        listed = entries(job, train)
        goes_on.set()
    assert again[0] == deleted[0] == "ResourceInUseException"
    assert moved[0] == "ResourceNotReadyException"
    assert listed == [str(number) for number in range(10)]
    assert job.settled(train)["DatasetStats"]["TotalEntries"] == 11


def test_an_update_that_cannot_be_started_releases_the_dataset(
    job: Job, backstage: Backstage
) -> None:
    arn = created(job, [line(0)])
    with backstage.scene(states("StartExecution"), json_error(400, "StateMachineDeleting")):
        code, _ = refused("UpdateDatasetEntries", lambda: send(job, arn, [line(1)]))
    assert code == "InternalServerError"
    described = job.describe(arn)
    assert (described["Status"], described["StatusMessageCode"]) == (
        "UPDATE_FAILED",
        "SERVICE_ERROR",
    )
    assert update(job, arn, [line(1)])["Status"] == "UPDATE_COMPLETE"


def test_a_dataset_that_was_never_made_cannot_be_updated(job: Job) -> None:
    arn = job.create("TRAIN", b"no json\n")
    job.settled(arn)
    code, message = refused("UpdateDatasetEntries", lambda: send(job, arn, [line(0)]))
    assert code == "InvalidParameterException"
    assert "delete it" in message


def test_no_dataset_is_not_found(job: Job) -> None:
    code, _ = refused("UpdateDatasetEntries", lambda: send(job, NO_DATASET, [line(0)]))
    assert code == "ResourceNotFoundException"


def test_a_payload_near_the_limit_of_lambda_is_taken_and_a_larger_one_is_told_what_to_do(
    job: Job,
) -> None:
    arn = job.create("TRAIN")
    text = [
        json.dumps({"source-ref": f"s3://{IMAGES}/{n}", "note": "x" * 900}) for n in range(4_200)
    ]
    assert 3_900_000 < sum(map(len, text)) < 4_300_000
    assert update(job, arn, text)["DatasetStats"]["TotalEntries"] == 4_200
    larger = [one.replace("x" * 900, "x" * 1_180) for one in text]
    with pytest.raises(job.client.exceptions.ClientError) as caught:
        send(job, arn, larger)
    error = caught.value.response["Error"]
    assert error["Code"] == "LimitExceededException"
    assert "Send fewer entries at a time" in error["Message"]
