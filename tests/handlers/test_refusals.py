"""What a StatusMessage names: counts, codes, lines, buckets, groups; behind AWS's own words, which clients may look for."""

import json

import pytest

from tests.handlers.test_distribute_parameters import distribute, report
from tests.job import Job, line, two_labels
from tests.unit.any_lines import any_box, any_box_line

NOT_ENOUGH = "The manifest file doesn't have enough labeled images to distribute the dataset."
SEVERAL = "The manifest file contains images from multiple S3 buckets."


def faulty(count: int) -> list[str]:
    box = any_box_line(any_box(height=-50))
    return [json.dumps({**box, "source-ref": f"s3://example-images/f{n}"}) for n in range(count)]


@pytest.mark.parametrize(
    "lines", [faulty(20), ["{", *faulty(20)]], ids=["all", "behind a dropped one"]
)
def test_a_distribution_that_lacks_labels_tells_why_they_cannot_be_read(
    job: Job, lines: list[str]
) -> None:
    train, test = job.pair(lines)
    job.distribute(train, test)
    for arn in (train, test):
        message = job.settled(arn)["StatusMessage"]
        assert message.startswith(NOT_ENOUGH)
        assert message.endswith(
            "20 of 20 entries have errors in their labels: ERROR_INVALID_BOUNDING_BOX (20), the first on line 1."
        )


def test_codes_of_updated_and_distributed_datasets_are_in_their_report(job: Job) -> None:
    train, test = job.pair(two_labels(20))
    changes = "\n".join(faulty(2)).encode()
    job.client.update_dataset_entries(DatasetArn=train, Changes={"GroundTruth": changes})
    assert job.settled(train)["Status"] == "UPDATE_COMPLETE"
    job.distribute(train, test)
    assert job.settled(test)["Status"] == "UPDATE_COMPLETE"
    source = report(job)["source"]
    assert source["errorEntries"] == 2
    assert source["errors"] == [
        {"code": "ERROR_INVALID_BOUNDING_BOX", "entries": 2, "firstLine": 21},
        {"code": "ERROR_NO_VALID_ANNOTATIONS", "entries": 2, "firstLine": 21},
    ]


def test_the_buckets_of_a_manifest_are_named_each_with_a_line(job: Job) -> None:
    lines = two_labels(12)
    lines[9:9] = ['{"source-ref":"s3://pond-eu/x"}']
    described = job.settled(job.create("TRAIN", lines))
    assert described["Status"] == "CREATE_FAILED"
    assert described["StatusMessage"] == (
        f"{SEVERAL} The image of line 1 is in the bucket example-images, that of line 10 in pond-eu."
    )


def test_the_bucket_of_a_change_is_named_beside_the_dataset_s(job: Job) -> None:
    arn = job.create("TRAIN", two_labels(5))
    job.settled(arn)
    changes = f'{line(0, "a")}\n{{"source-ref":"s3://pond-eu/x"}}\n'.encode()
    for text, told in (
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
        assert job.settled(arn)["StatusMessage"] == f"{SEVERAL} {told}"


def test_a_label_of_one_group_is_missing_for_its_group(job: Job) -> None:
    lines = [line(f"v0/{n}", "newt") for n in range(60)]
    lines += [line(f"v{1 + n % 20}/{n}", "toad") for n in range(200)]
    train, test = job.pair(lines)
    distribute(job, train, test, GroupBy="/(v[0-9]+)/")
    assert job.settled(test)["StatusMessage"].endswith(
        " entries were moved to the test dataset. 1 label has all images in one group, which is not divided."
    )
