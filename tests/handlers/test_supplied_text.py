"""`SuppliedText` lists the lines of a dataset byte for byte, through every filter and page."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.handlers.any_request import boxed, faulty, refused
from tests.job import Job, line

MODELS = Path(__file__).parents[2] / "clients" / "aws-models"
LINES = [
    f"  {line('birds/0', 'robin')}\t",
    faulty("broken/1"),
    line("birds/2", "tree").replace("{", '{ "cl-metadata" :{"is_labeled":7},', 1),
    boxed("birds/3", "robin"),
    line("birds/4")[:-1] + ',"cl-errors":["mine"]} ',
]


@pytest.fixture(scope="module")
def supplied(request: pytest.FixtureRequest) -> tuple[Job, str]:
    job = Job.begin(request.getfixturevalue("stack"))
    job.models = MODELS
    arn = job.create("TRAIN", LINES)
    assert job.settled(arn)["Status"] == "CREATE_COMPLETE"
    return job, arn


def list_supplied(supplied: tuple[Job, str], **request: Any) -> list[str]:
    """The entries of all pages; each page says that it has supplied text."""
    job, arn = supplied
    paginator = job.client.get_paginator("list_dataset_entries")
    pages = list(paginator.paginate(DatasetArn=arn, SuppliedText=True, **request))
    assert all(page["SuppliedText"] is True for page in pages)
    return [entry for page in pages for entry in page["DatasetEntries"]]


@pytest.mark.parametrize("size", [1, 2, 100])
def test_pages_join_to_the_manifest(supplied: tuple[Job, str], size: int) -> None:
    assert list_supplied(supplied, PaginationConfig={"PageSize": size}) == LINES


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({"ContainsLabels": ["robin"]}, [0, 3]),
        ({"Labeled": False}, [1, 4]),
        ({"SourceRefContains": "birds/", "Labeled": True}, [0, 2, 3]),
        ({"HasErrors": True}, [1]),
        ({"ContainsLabels": ["none"]}, []),
    ],
    ids=str,
)
def test_filters_choose_the_same_entries(
    supplied: tuple[Job, str], filters: dict[str, Any], numbers: list[int]
) -> None:
    assert list_supplied(supplied, **filters) == [LINES[number] for number in numbers]


def test_an_empty_dataset_answers_that_it_knows_the_member(job: Job) -> None:
    job.models = MODELS
    arn = job.create("TEST")
    job.settled(arn)
    answer = job.client.list_dataset_entries(DatasetArn=arn, SuppliedText=True)
    assert (answer["DatasetEntries"], answer["SuppliedText"]) == ([], True)


@pytest.mark.parametrize("without", [{}, {"SuppliedText": False}], ids=str)
def test_without_it_entries_are_annotated_and_nothing_is_said(
    supplied: tuple[Job, str], without: dict[str, Any]
) -> None:
    job, arn = supplied
    answer = job.client.list_dataset_entries(DatasetArn=arn, **without)
    assert "SuppliedText" not in answer
    assert answer["DatasetEntries"] == Job.begin(job.stack).entries(arn) != LINES


def test_a_token_continues_a_list_of_its_own_kind(supplied: tuple[Job, str]) -> None:
    job, arn = supplied
    for first, second in [({"SuppliedText": True}, {}), ({}, {"SuppliedText": True})]:
        page = job.client.list_dataset_entries(DatasetArn=arn, MaxResults=2, **first)
        more = {"DatasetArn": arn, "MaxResults": 2, "NextToken": page["NextToken"], **second}
        code, _ = refused("ListDatasetEntries", partial(job.client.list_dataset_entries, **more))
        assert code == "InvalidPaginationTokenException"


def test_an_update_keeps_white_space_and_takes_out_what_the_service_adds(job: Job) -> None:
    job.models = MODELS
    arn = job.create("TRAIN", [line(0, "cat")])
    job.settled(arn)
    (listed,) = job.entries(arn)
    job.client.update_dataset_entries(
        DatasetArn=arn, Changes={"GroundTruth": f"{listed}\n \t{line(1, 'dog')}  "}
    )
    assert job.settled(arn)["Status"] == "UPDATE_COMPLETE"
    assert list_supplied((job, arn)) == [line(0, "cat"), f" \t{line(1, 'dog')}  "]
