from typing import Any

from tests.api.api_calls import MISSING_DATASET, expect_error, list_pages, make_box_line
from tests.support.job import Job, make_line


def list_labels(job: Job, arn: str, **request: Any) -> list[tuple[str, dict[str, int]]]:
    all_pages = list_pages(
        job, "list_dataset_labels", "DatasetLabelDescriptions", DatasetArn=arn, **request
    )
    return [(label["LabelName"], label["LabelStats"]) for page in all_pages for label in page]


def create_complete_dataset(job: Job, lines: list[str]) -> str:
    arn = job.create_dataset("TRAIN", lines)
    assert job.wait_for_dataset(arn)["Status"] == "CREATE_COMPLETE"
    return arn


def test_labels_are_in_order_of_first_entry_with_entry_and_box_counts(job: Job) -> None:
    lines = [
        make_line(0, "zebra"),
        make_box_line(1, "ant", "bee", "ant"),
        make_line(2, "zebra", "bee"),
        make_line(3),
    ]
    assert list_labels(job, create_complete_dataset(job, lines)) == [
        ("zebra", {"EntryCount": 2}),
        ("ant", {"EntryCount": 1, "BoundingBoxCount": 2}),
        ("bee", {"EntryCount": 2, "BoundingBoxCount": 1}),
    ]


def test_pages_list_each_label_once(job: Job) -> None:
    arn = create_complete_dataset(
        job, [make_line(number, f"label-{number:03}") for number in range(205)]
    )
    all_pages = list_pages(
        job, "list_dataset_labels", "DatasetLabelDescriptions", DatasetArn=arn, MaxResults=100
    )
    assert [len(page) for page in all_pages] == [100, 100, 5]
    listed = [label["LabelName"] for page in all_pages for label in page]
    assert listed == [f"label-{number:03}" for number in range(205)]


def test_a_full_last_page_has_no_token(job: Job) -> None:
    arn = create_complete_dataset(
        job, [make_line(number, f"label-{number}") for number in range(4)]
    )
    all_pages = list_pages(
        job, "list_dataset_labels", "DatasetLabelDescriptions", DatasetArn=arn, MaxResults=2
    )
    assert [len(page) for page in all_pages] == [2, 2]


def test_after_a_distribution_each_dataset_has_the_labels_of_its_entries(job: Job) -> None:
    lines = [make_line(0, "rare"), *(make_line(number, "common") for number in range(1, 11))]
    train, test = job.create_pair(lines)
    job.start_distribution(train, test)
    job.wait_for_dataset(train)
    both = (
        {name for name, _ in list_labels(job, train)},
        {name for name, _ in list_labels(job, test)},
    )
    assert both == ({"rare", "common"}, {"common"})


def test_an_empty_dataset_has_no_labels(job: Job) -> None:
    assert list_labels(job, job.create_dataset("TRAIN")) == []


def test_a_token_of_another_list_is_rejected(job: Job) -> None:
    arn = create_complete_dataset(job, [make_line(0, "a"), make_line(1, "b")])
    token = job.client.list_dataset_entries(DatasetArn=arn, MaxResults=1)["NextToken"]
    code, _ = expect_error(
        "ListDatasetLabels", lambda: job.client.list_dataset_labels(DatasetArn=arn, NextToken=token)
    )
    assert code == "InvalidPaginationTokenException"


def test_listing_labels_of_a_missing_dataset_fails(job: Job) -> None:
    assert (
        expect_error(
            "ListDatasetLabels", lambda: job.client.list_dataset_labels(DatasetArn=MISSING_DATASET)
        )[0]
        == "ResourceNotFoundException"
    )
