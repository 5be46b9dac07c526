"""`SuppliedText` lists the lines of a dataset byte for byte, through every filter and page."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.api.api_calls import expect_error, make_box_line, make_line_with_error
from tests.support.job import Job, make_line

MODELS = Path(__file__).parents[2] / "clients" / "aws-models"
LINES = [
    f"  {make_line('birds/0', 'robin')}\t",
    make_line_with_error("broken/1"),
    make_line("birds/2", "tree").replace("{", '{ "cl-metadata" :{"is_labeled":7},', 1),
    make_box_line("birds/3", "robin"),
    make_line("birds/4")[:-1] + ',"cl-errors":["mine"]} ',
]


@pytest.fixture(scope="module")
def job_and_dataset(request: pytest.FixtureRequest) -> tuple[Job, str]:
    job = Job.start(request.getfixturevalue("emulator"))
    job.models = MODELS
    arn = job.create_dataset("TRAIN", LINES)
    assert job.wait_for_dataset(arn)["Status"] == "CREATE_COMPLETE"
    return job, arn


def list_supplied_text(job_and_dataset: tuple[Job, str], **request: Any) -> list[str]:
    """Return the entries of all pages, with a check of `SuppliedText` in each page."""
    job, arn = job_and_dataset
    paginator = job.client.get_paginator("list_dataset_entries")
    pages = list(paginator.paginate(DatasetArn=arn, SuppliedText=True, **request))
    assert all(page["SuppliedText"] is True for page in pages)
    return [entry for page in pages for entry in page["DatasetEntries"]]


@pytest.mark.parametrize("size", [1, 2, 100])
def test_pages_add_up_to_the_manifest(job_and_dataset: tuple[Job, str], size: int) -> None:
    assert list_supplied_text(job_and_dataset, PaginationConfig={"PageSize": size}) == LINES


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
def test_filters_select_the_same_entries(
    job_and_dataset: tuple[Job, str], filters: dict[str, Any], numbers: list[int]
) -> None:
    assert list_supplied_text(job_and_dataset, **filters) == [LINES[number] for number in numbers]


def test_the_response_for_an_empty_dataset_has_the_member(job: Job) -> None:
    job.models = MODELS
    arn = job.create_dataset("TEST")
    job.wait_for_dataset(arn)
    response = job.client.list_dataset_entries(DatasetArn=arn, SuppliedText=True)
    assert (response["DatasetEntries"], response["SuppliedText"]) == ([], True)


@pytest.mark.parametrize("without", [{}, {"SuppliedText": False}], ids=str)
def test_without_the_mode_entries_have_service_members(
    job_and_dataset: tuple[Job, str], without: dict[str, Any]
) -> None:
    job, arn = job_and_dataset
    response = job.client.list_dataset_entries(DatasetArn=arn, **without)
    assert "SuppliedText" not in response
    assert response["DatasetEntries"] == Job.start(job.emulator).list_entries(arn) != LINES


def test_a_token_of_another_mode_is_rejected(job_and_dataset: tuple[Job, str]) -> None:
    job, arn = job_and_dataset
    for first, second in [({"SuppliedText": True}, {}), ({}, {"SuppliedText": True})]:
        page = job.client.list_dataset_entries(DatasetArn=arn, MaxResults=2, **first)
        more = {"DatasetArn": arn, "MaxResults": 2, "NextToken": page["NextToken"], **second}
        code, _ = expect_error(
            "ListDatasetEntries", partial(job.client.list_dataset_entries, **more)
        )
        assert code == "InvalidPaginationTokenException"


def test_an_update_keeps_white_space_and_removes_service_members(job: Job) -> None:
    job.models = MODELS
    arn = job.create_dataset("TRAIN", [make_line(0, "cat")])
    job.wait_for_dataset(arn)
    (listed,) = job.list_entries(arn)
    job.client.update_dataset_entries(
        DatasetArn=arn, Changes={"GroundTruth": f"{listed}\n \t{make_line(1, 'dog')}  "}
    )
    assert job.wait_for_dataset(arn)["Status"] == "UPDATE_COMPLETE"
    assert list_supplied_text((job, arn)) == [make_line(0, "cat"), f" \t{make_line(1, 'dog')}  "]
