from typing import Any

from tests.handlers.any_request import NO_DATASET, boxed, pages, refused
from tests.job import Job, line


def labels(job: Job, arn: str, **request: Any) -> list[tuple[str, dict[str, int]]]:
    found = pages(job, "list_dataset_labels", "DatasetLabelDescriptions", DatasetArn=arn, **request)
    return [(one["LabelName"], one["LabelStats"]) for page in found for one in page]


def created(job: Job, lines: list[str]) -> str:
    arn = job.create("TRAIN", lines)
    assert job.settled(arn)["Status"] == "CREATE_COMPLETE"
    return arn


def test_labels_come_as_first_seen_with_their_entries_and_boxes(job: Job) -> None:
    lines = [line(0, "zebra"), boxed(1, "ant", "bee", "ant"), line(2, "zebra", "bee"), line(3)]
    assert labels(job, created(job, lines)) == [
        ("zebra", {"EntryCount": 2}),
        ("ant", {"EntryCount": 1, "BoundingBoxCount": 2}),
        ("bee", {"EntryCount": 2, "BoundingBoxCount": 1}),
    ]


def test_labels_page_by_page_are_the_labels_once_each(job: Job) -> None:
    arn = created(job, [line(number, f"label-{number:03}") for number in range(205)])
    found = pages(
        job, "list_dataset_labels", "DatasetLabelDescriptions", DatasetArn=arn, MaxResults=100
    )
    assert [len(page) for page in found] == [100, 100, 5]
    listed = [one["LabelName"] for page in found for one in page]
    assert listed == [f"label-{number:03}" for number in range(205)]


def test_no_token_follows_the_last_full_page(job: Job) -> None:
    arn = created(job, [line(number, f"label-{number}") for number in range(4)])
    found = pages(
        job, "list_dataset_labels", "DatasetLabelDescriptions", DatasetArn=arn, MaxResults=2
    )
    assert [len(page) for page in found] == [2, 2]


def test_a_distribution_leaves_each_dataset_the_labels_that_its_entries_carry(job: Job) -> None:
    lines = [line(0, "rare"), *(line(number, "common") for number in range(1, 11))]
    train, test = job.pair(lines)
    job.distribute(train, test)
    job.settled(train)
    both = {name for name, _ in labels(job, train)}, {name for name, _ in labels(job, test)}
    assert both == ({"rare", "common"}, {"common"})


def test_an_empty_dataset_has_no_labels(job: Job) -> None:
    assert labels(job, job.create("TRAIN")) == []


def test_a_token_of_another_list_is_refused(job: Job) -> None:
    arn = created(job, [line(0, "a"), line(1, "b")])
    token = job.client.list_dataset_entries(DatasetArn=arn, MaxResults=1)["NextToken"]
    code, _ = refused(
        "ListDatasetLabels", lambda: job.client.list_dataset_labels(DatasetArn=arn, NextToken=token)
    )
    assert code == "InvalidPaginationTokenException"


def test_labels_of_no_dataset_are_not_found(job: Job) -> None:
    assert (
        refused("ListDatasetLabels", lambda: job.client.list_dataset_labels(DatasetArn=NO_DATASET))[
            0
        ]
        == "ResourceNotFoundException"
    )
