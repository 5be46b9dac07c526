"""Filtered and paged lists, compared with a linear scan of the same lines."""

import json
from itertools import product
from typing import Any

import pytest

from tests.api.api_calls import (
    MISSING_DATASET,
    expect_error,
    get_image_name,
    list_image_names,
    list_pages,
    make_box_line,
    make_line_with_error,
)
from tests.support.job import Job, make_line
from twofold.manifest.line.entry import Entry, read_entry

LINES = [
    make_line("birds/0", "robin"),
    make_line("birds/1", "robin", "tree"),
    make_line("birds/2"),
    make_box_line("birds/3", "tree", "robin"),
    make_line_with_error("broken/4"),
    make_line("Birds/5", "Robin"),
    make_line("ünder/6", "tree"),
    make_box_line("broken/7"),
    *(make_line(f"many/{number}", f"kind {number % 7}") for number in range(8, 60)),
]


@pytest.fixture(scope="module")
def job_and_dataset(request: pytest.FixtureRequest) -> tuple[Job, str]:
    job = Job.start(request.getfixturevalue("emulator"))
    arn = job.create_dataset("TRAIN", LINES)
    assert job.wait_for_dataset(arn)["Status"] == "CREATE_COMPLETE"
    return job, arn


def filter_lines(
    contains_labels: tuple[str, ...] = (),
    labeled: bool | None = None,
    source_ref_contains: str | None = None,
    has_errors: bool = False,
) -> list[str]:
    matches = []
    for text in LINES:
        entry = read_entry(text.encode())
        assert isinstance(entry, Entry)
        if (
            (not contains_labels or not set(contains_labels).isdisjoint(entry.labels))
            and labeled in (None, entry.labeled)
            and (source_ref_contains or "") in entry.source_ref
            and (entry.has_errors or not has_errors)
        ):
            matches.append(get_image_name(text))
    return matches


LABELS: list[tuple[str, ...]] = [(), ("robin",), ("tree", "Robin"), ("kind 3", "none"), ("none",)]


@pytest.mark.parametrize("labels", LABELS, ids=str)
def test_filters_are_joined_by_and(
    job_and_dataset: tuple[Job, str], labels: tuple[str, ...]
) -> None:
    job, arn = job_and_dataset
    for labeled, text, has_errors in product(
        (None, True, False), (None, "birds/", "ünder"), (None, True)
    ):
        filters: dict[str, Any] = {"ContainsLabels": list(labels)} if labels else {}
        filters |= {} if labeled is None else {"Labeled": labeled}
        filters |= {} if text is None else {"SourceRefContains": text}
        filters |= {} if has_errors is None else {"HasErrors": has_errors}
        names = list_image_names(job, arn, **filters)
        assert names == filter_lines(labels, labeled, text, bool(has_errors)), filters


@pytest.mark.parametrize("size", [7, 59, 60])
@pytest.mark.parametrize("filters", [{}, {"ContainsLabels": ["tree"]}, {"SourceRefContains": "a"}])
def test_pages_of_any_size_add_up_to_the_list(
    job_and_dataset: tuple[Job, str], filters: dict[str, Any], size: int
) -> None:
    job, arn = job_and_dataset
    pages = list_pages(
        job, "list_dataset_entries", "DatasetEntries", DatasetArn=arn, MaxResults=size, **filters
    )
    assert all(len(page) <= size for page in pages)
    assert [get_image_name(entry) for page in pages for entry in page] == list_image_names(
        job, arn, **filters
    )


def test_has_errors_false_is_no_filter(job_and_dataset: tuple[Job, str]) -> None:
    job, arn = job_and_dataset
    assert list_image_names(job, arn, HasErrors=False) == [get_image_name(text) for text in LINES]
    (broken,) = job.client.list_dataset_entries(DatasetArn=arn, HasErrors=True)["DatasetEntries"]
    assert json.loads(broken)["cl-errors"][0]["code"] == "ERROR_NO_LABEL_ATTRIBUTES"


def test_a_source_ref_is_searched_as_decoded_text(job: Job) -> None:
    spelled = '{"source-ref":"s3://example-images/\\u00fcber\\/1.jpg","note":"über/2"}'
    arn = job.create_dataset("TRAIN", [spelled, make_line("x", "über")])
    job.wait_for_dataset(arn)
    assert list_image_names(job, arn, SourceRefContains="über/") == ["über/1"]
    assert list_image_names(job, arn, SourceRefContains="u00fc") == []
    assert list_image_names(job, arn, SourceRefContains="über/2") == []


@pytest.mark.parametrize(
    "change",
    [
        {"Labeled": True},
        {"ContainsLabels": ["tree"]},
        {"SourceRefContains": "birds"},
        {"HasErrors": True},
    ],
    ids=str,
)
def test_a_token_with_other_filters_is_rejected(
    job_and_dataset: tuple[Job, str], change: dict[str, Any]
) -> None:
    job, arn = job_and_dataset
    token = job.client.list_dataset_entries(DatasetArn=arn, MaxResults=1)["NextToken"]
    assert (
        expect_error(
            "ListDatasetEntries",
            lambda: job.client.list_dataset_entries(DatasetArn=arn, NextToken=token, **change),
        )[0]
        == "InvalidPaginationTokenException"
    )
    changed_size = job.client.list_dataset_entries(DatasetArn=arn, NextToken=token, MaxResults=2)
    assert [get_image_name(entry) for entry in changed_size["DatasetEntries"]] == [
        "birds/1",
        "birds/2",
    ]


@pytest.mark.parametrize("token", ["x", "AAAA", "ü", "W10", "e30", "a" * 1024, "//8="])
def test_invalid_tokens_are_rejected(job_and_dataset: tuple[Job, str], token: str) -> None:
    job, arn = job_and_dataset
    code, message = expect_error(
        "ListDatasetEntries",
        lambda: job.client.list_dataset_entries(DatasetArn=arn, NextToken=token),
    )
    assert (code, message) == ("InvalidPaginationTokenException", "Invalid Pagination Token")


def test_a_token_of_another_dataset_is_rejected(job_and_dataset: tuple[Job, str], job: Job) -> None:
    other, arn = job_and_dataset
    token = other.client.list_dataset_entries(DatasetArn=arn, MaxResults=1)["NextToken"]
    mine = job.create_dataset("TRAIN", [make_line(number) for number in range(3)])
    job.wait_for_dataset(mine)
    assert (
        expect_error(
            "ListDatasetEntries",
            lambda: job.client.list_dataset_entries(DatasetArn=mine, NextToken=token),
        )[0]
        == "InvalidPaginationTokenException"
    )


def test_a_list_keeps_its_contents_after_a_distribution(job: Job) -> None:
    lines = [make_line(number, "a") for number in range(10)]
    train, test = job.create_pair(lines)
    first = job.client.list_dataset_entries(DatasetArn=train, MaxResults=4)
    job.start_distribution(train, test)
    job.wait_for_dataset(train)
    rest = job.client.list_dataset_entries(DatasetArn=train, NextToken=first["NextToken"])
    listed = [get_image_name(entry) for entry in first["DatasetEntries"] + rest["DatasetEntries"]]
    assert listed == [str(number) for number in range(10)]
    assert len(list_image_names(job, train)) == 8


def test_an_empty_dataset_lists_nothing_under_any_filter(job: Job) -> None:
    arn = job.create_dataset("TRAIN")
    assert (
        list_image_names(job, arn)
        == list_image_names(job, arn, Labeled=True, SourceRefContains="a")
        == []
    )


def test_a_dataset_that_is_being_created_is_not_ready(job: Job) -> None:
    arn = job.create_dataset("TRAIN", [make_line(number) for number in range(50)])
    code, message = expect_error(
        "ListDatasetEntries", lambda: job.client.list_dataset_entries(DatasetArn=arn)
    )
    assert code == "ResourceNotReadyException"
    assert arn in message
    job.wait_for_dataset(arn)


def test_listing_entries_of_a_missing_dataset_fails(job: Job) -> None:
    assert (
        expect_error(
            "ListDatasetEntries",
            lambda: job.client.list_dataset_entries(DatasetArn=MISSING_DATASET),
        )[0]
        == "ResourceNotFoundException"
    )
