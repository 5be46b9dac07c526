"""Filtered and paged lists, against what a plain reading of the same lines says."""

import json
from itertools import product
from typing import Any

import pytest

from tests.handlers.any_request import NO_DATASET, boxed, entries, faulty, name, pages, refused
from tests.job import Job, line
from twofold.manifest.lines import Entry, read_entry

LINES = [
    line("birds/0", "robin"),
    line("birds/1", "robin", "tree"),
    line("birds/2"),
    boxed("birds/3", "tree", "robin"),
    faulty("broken/4"),
    line("Birds/5", "Robin"),
    line("ünder/6", "tree"),
    boxed("broken/7"),
    *(line(f"many/{number}", f"kind {number % 7}") for number in range(8, 60)),
]


@pytest.fixture(scope="module")
def listed(request: pytest.FixtureRequest) -> tuple[Job, str]:
    job = Job.begin(request.getfixturevalue("stack"))
    arn = job.create("TRAIN", LINES)
    assert job.settled(arn)["Status"] == "CREATE_COMPLETE"
    return job, arn


def expected(
    contains_labels: tuple[str, ...] = (),
    labeled: bool | None = None,
    source_ref_contains: str | None = None,
    has_errors: bool = False,
) -> list[str]:
    chosen = []
    for text in LINES:
        entry = read_entry(text.encode())
        assert isinstance(entry, Entry)
        if (
            (not contains_labels or not set(contains_labels).isdisjoint(entry.labels))
            and labeled in (None, entry.labeled)
            and (source_ref_contains or "") in entry.source_ref
            and (entry.has_errors or not has_errors)
        ):
            chosen.append(name(text))
    return chosen


LABELS: list[tuple[str, ...]] = [(), ("robin",), ("tree", "Robin"), ("kind 3", "none"), ("none",)]


@pytest.mark.parametrize("labels", LABELS, ids=str)
def test_every_combination_of_filters_is_their_and(
    listed: tuple[Job, str], labels: tuple[str, ...]
) -> None:
    job, arn = listed
    for labeled, text, has_errors in product(
        (None, True, False), (None, "birds/", "ünder"), (None, True)
    ):
        filters: dict[str, Any] = {"ContainsLabels": list(labels)} if labels else {}
        filters |= {} if labeled is None else {"Labeled": labeled}
        filters |= {} if text is None else {"SourceRefContains": text}
        filters |= {} if has_errors is None else {"HasErrors": has_errors}
        found = entries(job, arn, **filters)
        assert found == expected(labels, labeled, text, bool(has_errors)), filters


@pytest.mark.parametrize("size", [7, 59, 60])
@pytest.mark.parametrize("filters", [{}, {"ContainsLabels": ["tree"]}, {"SourceRefContains": "a"}])
def test_pages_of_any_size_join_to_the_list(
    listed: tuple[Job, str], filters: dict[str, Any], size: int
) -> None:
    job, arn = listed
    found = pages(
        job, "list_dataset_entries", "DatasetEntries", DatasetArn=arn, MaxResults=size, **filters
    )
    assert all(len(page) <= size for page in found)
    assert [name(one) for page in found for one in page] == entries(job, arn, **filters)


def test_has_errors_false_is_no_filter(listed: tuple[Job, str]) -> None:
    job, arn = listed
    assert entries(job, arn, HasErrors=False) == [name(text) for text in LINES]
    (broken,) = job.client.list_dataset_entries(DatasetArn=arn, HasErrors=True)["DatasetEntries"]
    assert json.loads(broken)["cl-errors"][0]["code"] == "ERROR_NO_LABEL_ATTRIBUTES"


def test_a_source_ref_is_found_by_its_text_and_not_by_its_spelling(job: Job) -> None:
    spelled = '{"source-ref":"s3://example-images/\\u00fcber\\/1.jpg","note":"über/2"}'
    arn = job.create("TRAIN", [spelled, line("x", "über")])
    job.settled(arn)
    assert entries(job, arn, SourceRefContains="über/") == ["über/1"]
    assert entries(job, arn, SourceRefContains="u00fc") == []
    assert entries(job, arn, SourceRefContains="über/2") == []


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
def test_a_token_is_for_the_filters_of_its_first_page(
    listed: tuple[Job, str], change: dict[str, Any]
) -> None:
    job, arn = listed
    token = job.client.list_dataset_entries(DatasetArn=arn, MaxResults=1)["NextToken"]
    assert (
        refused(
            "ListDatasetEntries",
            lambda: job.client.list_dataset_entries(DatasetArn=arn, NextToken=token, **change),
        )[0]
        == "InvalidPaginationTokenException"
    )
    changed_size = job.client.list_dataset_entries(DatasetArn=arn, NextToken=token, MaxResults=2)
    assert [name(one) for one in changed_size["DatasetEntries"]] == ["birds/1", "birds/2"]


@pytest.mark.parametrize("token", ["x", "AAAA", "ü", "W10", "e30", "a" * 1024, "//8="])
def test_what_is_no_token_is_refused(listed: tuple[Job, str], token: str) -> None:
    job, arn = listed
    code, message = refused(
        "ListDatasetEntries",
        lambda: job.client.list_dataset_entries(DatasetArn=arn, NextToken=token),
    )
    assert (code, message) == ("InvalidPaginationTokenException", "Invalid Pagination Token")


def test_a_token_of_another_dataset_is_refused(listed: tuple[Job, str], job: Job) -> None:
    other, arn = listed
    token = other.client.list_dataset_entries(DatasetArn=arn, MaxResults=1)["NextToken"]
    mine = job.create("TRAIN", [line(number) for number in range(3)])
    job.settled(mine)
    assert (
        refused(
            "ListDatasetEntries",
            lambda: job.client.list_dataset_entries(DatasetArn=mine, NextToken=token),
        )[0]
        == "InvalidPaginationTokenException"
    )


def test_a_list_goes_on_in_the_contents_that_it_began_with(job: Job) -> None:
    lines = [line(number, "a") for number in range(10)]
    train, test = job.pair(lines)
    first = job.client.list_dataset_entries(DatasetArn=train, MaxResults=4)
    job.distribute(train, test)
    job.settled(train)
    rest = job.client.list_dataset_entries(DatasetArn=train, NextToken=first["NextToken"])
    listed = [name(one) for one in first["DatasetEntries"] + rest["DatasetEntries"]]
    assert listed == [str(number) for number in range(10)]
    assert len(entries(job, train)) == 8


def test_an_empty_dataset_lists_nothing_under_any_filter(job: Job) -> None:
    arn = job.create("TRAIN")
    assert entries(job, arn) == entries(job, arn, Labeled=True, SourceRefContains="a") == []


def test_a_dataset_that_is_being_created_is_not_ready(job: Job) -> None:
    arn = job.create("TRAIN", [line(number) for number in range(50)])
    code, message = refused(
        "ListDatasetEntries", lambda: job.client.list_dataset_entries(DatasetArn=arn)
    )
    assert code == "ResourceNotReadyException"
    assert arn in message
    job.settled(arn)


def test_entries_of_no_dataset_are_not_found(job: Job) -> None:
    assert (
        refused(
            "ListDatasetEntries", lambda: job.client.list_dataset_entries(DatasetArn=NO_DATASET)
        )[0]
        == "ResourceNotFoundException"
    )
