"""Reverts of distributions, and the history of a project."""

import json
import urllib.request
from dataclasses import replace
from typing import Any

import pytest
import urllib3

from local.emulator.server import BUCKET
from local.model import EXTENSION
from tests.api.api_calls import expect_error, get_contents_folder
from tests.api.conformance import assert_response_conforms
from tests.support.job import Job, make_line, make_two_label_lines

Pair = tuple[str, str]


@pytest.fixture
def job(job: Job) -> Job:
    """A job whose client knows Twofold's own operations."""
    return replace(job, models=EXTENSION)


@pytest.fixture
def pair(job: Job) -> Pair:
    return job.create_pair(make_two_label_lines(60))


def distribute(job: Job, pair: Pair, **members: Any) -> None:
    datasets = [{"Arn": arn} for arn in pair]
    job.client.distribute_dataset_entries(Datasets=datasets, **members)
    for arn in pair:
        assert job.wait_for_dataset(arn)["Status"] == "UPDATE_COMPLETE"


def revert(job: Job) -> None:
    assert_response_conforms(
        "RevertDatasetDistribution", job.client.revert_dataset_distribution(ProjectArn=job.project)
    )


def list_history(job: Job, **request: Any) -> list[dict[str, Any]]:
    response = job.client.list_dataset_distributions(ProjectArn=job.project, **request)
    assert_response_conforms("ListDatasetDistributions", response)
    distributions: list[dict[str, Any]] = response["Distributions"]
    return distributions


def read_manifest(job: Job, arn: str) -> bytes:
    key = f"{get_contents_folder(job, arn)}/entries.manifest"
    body: bytes = job.emulator.create_client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return body


def expect_revert_error(job: Job) -> tuple[str, str]:
    return expect_error("RevertDatasetDistribution", lambda: revert(job))


def test_a_distribution_is_reverted_byte_for_byte_and_repeated_with_another_seed(
    job: Job, pair: Pair
) -> None:
    train, test = pair
    before = read_manifest(job, train)
    distribute(job, pair, Seed=1)
    first = job.list_entries(test)
    for _ in range(2):
        revert(job)
        assert read_manifest(job, train) == before
        assert job.list_entries(test) == []
        for arn in pair:
            described = job.describe(arn)
            assert described["Status"] == "UPDATE_COMPLETE"
            assert described["StatusMessage"].startswith("The distribution was reverted")
        assert job.describe(train)["DatasetStats"]["TotalEntries"] == 60
    distribute(job, pair, Seed=2)
    assert job.list_entries(test) != first
    revert(job)
    distribute(job, pair, Seed=1)
    assert job.list_entries(test) == first


def test_the_history_has_caller_parameters_and_times(job: Job, pair: Pair) -> None:
    train, test = pair
    assert list_history(job) == []
    distribute(job, pair, DryRun=True, TestFraction="1/3", MinImagesPerLabel=2)
    distribute(job, pair, GroupBy=r"images/(\d+)", Seed=5)
    revert(job)
    distribution, dry_run = list_history(job)
    assert (dry_run["DryRun"], dry_run["TestEntries"], dry_run["Reverted"]) == (True, 20, False)
    assert dry_run["Parameters"] == {
        "TestFraction": "1/3",
        "Seed": 0,
        "MinImagesPerLabel": 2,
        "Objective": "labels",
    }
    assert (distribution["DryRun"], distribution["TestEntries"], distribution["Reverted"]) == (
        False,
        12,
        True,
    )
    assert (distribution["TotalEntries"], distribution["Parameters"]["GroupBy"]) == (
        60,
        r"images/(\d+)",
    )
    assert (distribution["TrainDatasetArn"], distribution["TestDatasetArn"]) == (train, test)
    assert (
        distribution["Caller"]
        == distribution["RevertedBy"]
        == "arn:aws:iam::123456789012:user/local"
    )
    assert (
        distribution["StartTimestamp"]
        <= distribution["EndTimestamp"]
        <= distribution["RevertedTimestamp"]
    )
    assert distribution["Certificate"]["Optimal"] is True
    assert distribution["Certificate"]["Deviation"] == distribution["Certificate"]["LowerBound"]
    first = job.client.list_dataset_distributions(ProjectArn=job.project, MaxResults=1)
    assert first["Distributions"][0]["DistributionId"] == distribution["DistributionId"]
    (second,) = list_history(job, MaxResults=1, NextToken=first["NextToken"])
    assert second["DistributionId"] == dry_run["DistributionId"]


def test_the_history_has_presigned_links_to_both_reports(job: Job, pair: Pair) -> None:
    distribute(job, pair)
    (distribution,) = list_history(job)
    with urllib.request.urlopen(distribution["ReportUrl"]) as response:  # noqa: S310 our own server
        assert json.load(response)["operation"] == distribution["DistributionId"]
    with urllib.request.urlopen(distribution["ReportPageUrl"]) as response:  # noqa: S310
        assert response.read().startswith(b"<!doctype html>")
    assert "X-Amz-Expires=900" in distribution["ReportUrl"]


@pytest.mark.parametrize("name", [".", ".."])
def test_report_links_work_for_clients_that_resolve_dot_segments(job: Job, name: str) -> None:
    """Browsers, urllib3 and curl resolve dot segments."""
    job = Job(job.emulator, job.client.create_project(ProjectName=name)["ProjectArn"], EXTENSION)
    pair = job.create_pair(make_two_label_lines(20))
    distribute(job, pair)
    (distribution,) = list_history(job)
    for link in (distribution["ReportUrl"], distribution["ReportPageUrl"]):
        assert urllib3.request("GET", link).status == 200
    assert len(job.list_entries(pair[1])) == 4


@pytest.mark.parametrize("which", [0, 1])
def test_a_revert_after_a_change_fails_and_names_the_dataset(
    job: Job, pair: Pair, which: int
) -> None:
    distribute(job, pair)
    job.client.update_dataset_entries(
        DatasetArn=pair[which], Changes={"GroundTruth": make_line("late", "dog").encode()}
    )
    assert job.wait_for_dataset(pair[which])["Status"] == "UPDATE_COMPLETE"
    before = [job.list_entries(arn) for arn in pair]
    code, message = expect_revert_error(job)
    assert code == "InvalidParameterException"
    assert f"the dataset {pair[which]} has been changed since, at 20" in message
    assert [job.list_entries(arn) for arn in pair] == before


def test_a_revert_after_a_deletion_fails_and_names_the_dataset(job: Job, pair: Pair) -> None:
    distribute(job, pair)
    job.client.delete_dataset(DatasetArn=pair[1])
    code, message = expect_revert_error(job)
    assert code == "InvalidParameterException"
    assert message.endswith(f"the dataset {pair[1]} has been deleted since.")


def test_a_revert_ignores_dry_runs_and_failures(job: Job, pair: Pair) -> None:
    distribute(job, pair, DryRun=True)
    assert expect_revert_error(job)[0] == "InvalidParameterException"
    distribute(job, pair)
    job.client.update_dataset_entries(DatasetArn=pair[0], Changes={"GroundTruth": b"no manifest"})
    assert job.wait_for_dataset(pair[0])["Status"] == "UPDATE_FAILED"
    revert(job)
    assert job.describe(pair[0])["DatasetStats"]["TotalEntries"] == 60


def test_a_copy_keeps_its_contents_after_a_revert(job: Job, pair: Pair) -> None:
    distribute(job, pair)
    other = Job.start(job.emulator)
    copy = job.client.create_dataset(
        ProjectArn=other.project, DatasetType="TRAIN", DatasetSource={"DatasetArn": pair[0]}
    )["DatasetArn"]
    entries = job.list_entries(copy)
    revert(job)
    assert job.list_entries(copy) == entries
    assert len(entries) == 48


def test_a_new_project_with_an_old_name_has_an_empty_history(job: Job, pair: Pair) -> None:
    distribute(job, pair)
    for arn in pair:
        job.client.delete_dataset(DatasetArn=arn)
    job.client.delete_project(ProjectArn=job.project)
    name = job.project.split("/")[1]
    job.project = job.client.create_project(ProjectName=name)["ProjectArn"]
    assert list_history(job) == []
    code, message = expect_revert_error(job)
    assert (code, "has no distribution to revert" in message) == (
        "InvalidParameterException",
        True,
    )
