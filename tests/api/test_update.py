import json
from threading import Event
from typing import Any

import pytest

from local.emulator.server import BUCKET
from tests.api.api_calls import (
    MISSING_DATASET,
    expect_error,
    get_contents_folder,
    list_image_names,
    make_box_line,
    make_line_with_error,
)
from tests.support.job import IMAGES, Job, make_line
from tests.support.request_interceptor import (
    RequestInterceptor,
    answer_json_error,
    hold_until,
    match_s3,
    match_step_functions,
)


def update_and_wait(job: Job, arn: str, lines: list[str] | bytes) -> dict[str, Any]:
    """Update a dataset and wait for the end of the operation."""
    send_update(job, arn, lines)
    return job.wait_for_dataset(arn)


def send_update(job: Job, arn: str, lines: list[str] | bytes) -> None:
    body = lines if isinstance(lines, bytes) else "".join(f"{line}\n" for line in lines).encode()
    job.client.update_dataset_entries(DatasetArn=arn, Changes={"GroundTruth": body})


def create_complete_dataset(job: Job, lines: list[str], kind: str = "TRAIN") -> str:
    arn = job.create_dataset(kind, lines)
    assert job.wait_for_dataset(arn)["Status"] == "CREATE_COMPLETE"
    return arn


def read_manifest_lines(job: Job, arn: str) -> list[bytes]:
    """Return the stored lines of the dataset."""
    key = f"{get_contents_folder(job, arn)}/entries.manifest"
    answer = job.emulator.create_client("s3").get_object(Bucket=BUCKET, Key=key)
    body: bytes = answer["Body"].read()
    assert body.endswith(b"\n")
    return body.removesuffix(b"\n").split(b"\n")


def test_known_images_are_replaced_in_place_and_new_ones_appended(job: Job) -> None:
    arn = create_complete_dataset(job, [make_line(number, "old") for number in range(6)])
    described = update_and_wait(
        job, arn, [make_line(9, "new"), make_line(3, "new"), make_line(0), make_line(7, "newer")]
    )
    assert described["Status"] == "UPDATE_COMPLETE"
    assert described["StatusMessageCode"] == "SUCCESS"
    assert "2 entries replaced, 2 entries added" in described["StatusMessage"]
    assert described["DatasetStats"] == {
        "LabeledEntries": 7,
        "TotalEntries": 8,
        "TotalLabels": 3,
        "ErrorEntries": 0,
    }
    assert list_image_names(job, arn) == ["0", "1", "2", "3", "4", "5", "9", "7"]
    assert list_image_names(job, arn, ContainsLabels=["new"]) == ["3", "9"]
    assert list_image_names(job, arn, Labeled=False) == ["0"]


def test_a_line_is_replaced_as_a_whole_and_the_others_keep_their_bytes(job: Job) -> None:
    odd = ' {"source-ref" :\t"s3://example-images/odd.jpg" , "note":1.50} '
    arn = create_complete_dataset(job, [odd, make_line("a", "x", "y"), make_box_line("b", "z")])
    update_and_wait(job, arn, [make_line("a", "y")])
    assert read_manifest_lines(job, arn) == [
        odd.encode(),
        make_line("a", "y").encode(),
        make_box_line("b", "z").encode(),
    ]
    listed = job.client.list_dataset_labels(DatasetArn=arn)["DatasetLabelDescriptions"]
    assert [label["LabelName"] for label in listed] == ["y", "z"]


def test_listed_entries_can_be_sent_back_without_a_change(job: Job) -> None:
    lines = [make_line(0, "a"), make_box_line(1, "b"), make_line_with_error(2), make_line(3)]
    arn = create_complete_dataset(job, lines)
    before = read_manifest_lines(job, arn)
    listed = job.list_entries(arn)
    assert any("cl-errors" in entry for entry in listed)
    described = update_and_wait(job, arn, listed)
    assert described["Status"] == "UPDATE_COMPLETE"
    assert read_manifest_lines(job, arn) == before
    assert job.list_entries(arn) == listed


def test_an_empty_dataset_is_filled_by_an_update(job: Job) -> None:
    arn = job.create_dataset("TRAIN")
    described = update_and_wait(job, arn, [make_line(0, "a"), make_box_line(1, "b", "b")])
    assert described["Status"] == "UPDATE_COMPLETE"
    assert described["DatasetStats"]["TotalEntries"] == 2
    labels = job.client.list_dataset_labels(DatasetArn=arn)["DatasetLabelDescriptions"]
    assert labels[1] == {"LabelName": "b", "LabelStats": {"EntryCount": 1, "BoundingBoxCount": 2}}


def test_every_entry_can_be_replaced_at_once(job: Job) -> None:
    arn = create_complete_dataset(job, [make_line(number, "a") for number in range(5)])
    changes = [make_line(number, "b", "c") for number in reversed(range(5))]
    assert update_and_wait(job, arn, changes)["Status"] == "UPDATE_COMPLETE"
    assert read_manifest_lines(job, arn) == [line.encode() for line in reversed(changes)]


def test_updated_datasets_can_be_updated_and_distributed_again(job: Job) -> None:
    train, test = job.create_pair([make_line(number, "a") for number in range(10)])
    for number in range(10, 15):
        assert update_and_wait(job, train, [make_line(number, "a")])["Status"] == "UPDATE_COMPLETE"
    job.start_distribution(train, test)
    assert job.wait_for_dataset(train)["DatasetStats"]["TotalEntries"] == 12
    assert job.wait_for_dataset(test)["DatasetStats"]["TotalEntries"] == 3


def test_a_repeated_image_counts_once_and_is_reported(job: Job) -> None:
    arn = create_complete_dataset(job, [make_line(number) for number in range(3)])
    changes = [
        make_line(0, "first"),
        *(make_line(number) for number in range(5, 10)),
        make_line(0, "second"),
    ]
    described = update_and_wait(job, arn, changes)
    assert described["Status"] == "UPDATE_COMPLETE"
    assert "1 of 7 lines were dropped: line 7" in described["StatusMessage"]
    assert list_image_names(job, arn, ContainsLabels=["first"]) == ["0"]
    assert list_image_names(job, arn, ContainsLabels=["second"]) == []


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
def test_invalid_changes_fail_and_change_nothing(job: Job, changes: bytes, message: str) -> None:
    lines = [make_line(number, "a") for number in range(3)]
    arn = create_complete_dataset(job, lines)
    before = job.describe(arn)
    described = update_and_wait(job, arn, changes)
    assert described["Status"] == "UPDATE_FAILED"
    assert described["StatusMessageCode"] == "CLIENT_ERROR"
    assert described["StatusMessage"].startswith(message)
    assert described["DatasetStats"] == before["DatasetStats"]
    assert described["LastUpdatedTimestamp"] > before["LastUpdatedTimestamp"]
    assert job.list_stored_lines(arn) == lines
    assert update_and_wait(job, arn, [make_line(5)])["Status"] == "UPDATE_COMPLETE"


def test_an_update_with_images_of_two_buckets_fails(
    job: Job,
) -> None:
    arn = job.create_dataset("TRAIN")
    described = update_and_wait(
        job, arn, b'{"source-ref":"s3://one/1"}\n{"source-ref":"s3://two/2"}\n'
    )
    assert "multiple S3 buckets" in described["StatusMessage"]
    assert described["DatasetStats"]["TotalEntries"] == 0


def test_the_status_is_update_in_progress_when_the_call_returns(
    job: Job, request_interceptor: RequestInterceptor
) -> None:
    train, test = job.create_pair([make_line(number, "a") for number in range(10)])
    goes_on = Event()
    with request_interceptor.add_rule(match_s3("PUT", "/contents/"), hold_until(goes_on)):
        send_update(job, train, [make_line(99, "b")])
        assert job.describe(train)["Status"] == "UPDATE_IN_PROGRESS"
        again = expect_error(
            "UpdateDatasetEntries", lambda: send_update(job, train, [make_line(1)])
        )
        deleted = expect_error("DeleteDataset", lambda: job.client.delete_dataset(DatasetArn=train))
        moved = expect_error(
            "DistributeDatasetEntries", lambda: job.start_distribution(train, test)
        )
        listed = list_image_names(job, train)
        goes_on.set()
    assert again[0] == deleted[0] == "ResourceInUseException"
    assert moved[0] == "ResourceNotReadyException"
    assert listed == [str(number) for number in range(10)]
    assert job.wait_for_dataset(train)["DatasetStats"]["TotalEntries"] == 11


def test_an_update_that_cannot_be_started_releases_the_dataset(
    job: Job, request_interceptor: RequestInterceptor
) -> None:
    arn = create_complete_dataset(job, [make_line(0)])
    with request_interceptor.add_rule(
        match_step_functions("StartExecution"), answer_json_error(400, "StateMachineDeleting")
    ):
        code, _ = expect_error(
            "UpdateDatasetEntries", lambda: send_update(job, arn, [make_line(1)])
        )
    assert code == "InternalServerError"
    described = job.describe(arn)
    assert (described["Status"], described["StatusMessageCode"]) == (
        "UPDATE_FAILED",
        "SERVICE_ERROR",
    )
    assert update_and_wait(job, arn, [make_line(1)])["Status"] == "UPDATE_COMPLETE"


def test_a_dataset_whose_creation_failed_cannot_be_updated(job: Job) -> None:
    arn = job.create_dataset("TRAIN", b"no json\n")
    job.wait_for_dataset(arn)
    code, message = expect_error(
        "UpdateDatasetEntries", lambda: send_update(job, arn, [make_line(0)])
    )
    assert code == "InvalidParameterException"
    assert "delete it" in message


def test_a_missing_dataset_is_not_found(job: Job) -> None:
    code, _ = expect_error(
        "UpdateDatasetEntries", lambda: send_update(job, MISSING_DATASET, [make_line(0)])
    )
    assert code == "ResourceNotFoundException"


def test_a_payload_below_the_limit_of_lambda_is_accepted_and_a_larger_one_rejected(
    job: Job,
) -> None:
    arn = job.create_dataset("TRAIN")
    text = [
        json.dumps({"source-ref": f"s3://{IMAGES}/{n}", "note": "x" * 900}) for n in range(4_200)
    ]
    assert 3_900_000 < sum(map(len, text)) < 4_300_000
    assert update_and_wait(job, arn, text)["DatasetStats"]["TotalEntries"] == 4_200
    larger = [line.replace("x" * 900, "x" * 1_180) for line in text]
    with pytest.raises(job.client.exceptions.ClientError) as caught:
        send_update(job, arn, larger)
    error = caught.value.response["Error"]
    assert error["Code"] == "LimitExceededException"
    assert "Send fewer entries at a time" in error["Message"]
