"""Details in StatusMessage after AWS's own text: counts, codes, lines, buckets, groups."""

import json

import pytest

from tests.api.test_parameters import distribute, read_report
from tests.support.job import Job, make_line, make_two_label_lines
from tests.support.manifest_lines import make_box, make_box_line

NOT_ENOUGH = "The manifest file doesn't have enough labeled images to distribute the dataset."
SEVERAL = "The manifest file contains images from multiple S3 buckets."


def make_lines_with_errors(count: int) -> list[str]:
    box = make_box_line(make_box(height=-50))
    return [json.dumps({**box, "source-ref": f"s3://example-images/f{n}"}) for n in range(count)]


@pytest.mark.parametrize(
    "lines",
    [make_lines_with_errors(20), ["{", *make_lines_with_errors(20)]],
    ids=["all", "behind a dropped one"],
)
def test_a_distribution_without_labels_reports_their_errors(job: Job, lines: list[str]) -> None:
    train, test = job.create_pair(lines)
    job.start_distribution(train, test)
    for arn in (train, test):
        message = job.wait_for_dataset(arn)["StatusMessage"]
        assert message.startswith(NOT_ENOUGH)
        assert message.endswith(
            "20 of 20 entries have errors in their labels: ERROR_INVALID_BOUNDING_BOX (20), the first on line 1."
        )


def test_the_report_has_the_error_codes_of_an_updated_dataset(job: Job) -> None:
    train, test = job.create_pair(make_two_label_lines(20))
    changes = "\n".join(make_lines_with_errors(2)).encode()
    job.client.update_dataset_entries(DatasetArn=train, Changes={"GroundTruth": changes})
    assert job.wait_for_dataset(train)["Status"] == "UPDATE_COMPLETE"
    job.start_distribution(train, test)
    assert job.wait_for_dataset(test)["Status"] == "UPDATE_COMPLETE"
    source = read_report(job)["source"]
    assert source["errorEntries"] == 2
    assert source["errors"] == [
        {"code": "ERROR_INVALID_BOUNDING_BOX", "entries": 2, "firstLine": 21},
        {"code": "ERROR_NO_VALID_ANNOTATIONS", "entries": 2, "firstLine": 21},
    ]


def test_the_message_names_the_buckets_of_a_manifest_with_lines(job: Job) -> None:
    lines = make_two_label_lines(12)
    lines[9:9] = ['{"source-ref":"s3://pond-eu/x"}']
    described = job.wait_for_dataset(job.create_dataset("TRAIN", lines))
    assert described["Status"] == "CREATE_FAILED"
    assert described["StatusMessage"] == (
        f"{SEVERAL} The image of line 1 is in the bucket example-images, that of line 10 in pond-eu."
    )


def test_the_message_names_the_buckets_of_an_update_and_of_the_dataset(job: Job) -> None:
    arn = job.create_dataset("TRAIN", make_two_label_lines(5))
    job.wait_for_dataset(arn)
    changes = f'{make_line(0, "a")}\n{{"source-ref":"s3://pond-eu/x"}}\n'.encode()
    for text, expected in (
        (
            changes,
            "The image of line 1 is in the bucket example-images, that of line 2 in pond-eu.",
        ),
        (
            changes.split(b"\n")[1],
            "The dataset's images are in the bucket example-images, that of line 1 of the changes in pond-eu.",
        ),
    ):
        job.client.update_dataset_entries(DatasetArn=arn, Changes={"GroundTruth": text})
        assert job.wait_for_dataset(arn)["StatusMessage"] == f"{SEVERAL} {expected}"


def test_the_message_counts_labels_with_all_images_in_one_group(job: Job) -> None:
    lines = [make_line(f"v0/{n}", "newt") for n in range(60)]
    lines += [make_line(f"v{1 + n % 20}/{n}", "toad") for n in range(200)]
    train, test = job.create_pair(lines)
    distribute(job, train, test, GroupBy="/(v[0-9]+)/")
    assert job.wait_for_dataset(test)["StatusMessage"].endswith(
        " entries were moved to the test dataset. 1 label has all images in one group, which is not divided."
    )
