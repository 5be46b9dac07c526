"""What was distributed can be had back, and what was done is remembered."""

import json
import urllib.request
from dataclasses import replace
from typing import Any

import pytest
import urllib3

from local.model import EXTENSION
from local.stack import BUCKET
from tests.contract.conformance import assert_response_conforms
from tests.handlers.any_request import folder, refused
from tests.job import Job, line, two_labels

Pair = tuple[str, str]


@pytest.fixture
def job(job: Job) -> Job:
    """A job whose client knows Twofold's own operations."""
    return replace(job, models=EXTENSION)


@pytest.fixture
def pair(job: Job) -> Pair:
    return job.pair(two_labels(60))


def distribute(job: Job, pair: Pair, **members: Any) -> None:
    datasets = [{"Arn": arn} for arn in pair]
    job.client.distribute_dataset_entries(Datasets=datasets, **members)
    for arn in pair:
        assert job.settled(arn)["Status"] == "UPDATE_COMPLETE"


def revert(job: Job) -> None:
    assert_response_conforms(
        "RevertDatasetDistribution", job.client.revert_dataset_distribution(ProjectArn=job.project)
    )


def history(job: Job, **request: Any) -> list[dict[str, Any]]:
    answer = job.client.list_dataset_distributions(ProjectArn=job.project, **request)
    assert_response_conforms("ListDatasetDistributions", answer)
    found: list[dict[str, Any]] = answer["Distributions"]
    return found


def manifest(job: Job, arn: str) -> bytes:
    key = f"{folder(job, arn)}/entries.manifest"
    body: bytes = job.stack.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return body


def no_undo(job: Job) -> tuple[str, str]:
    return refused("RevertDatasetDistribution", lambda: revert(job))


def test_a_distribution_is_undone_byte_for_byte_and_can_be_made_with_another_seed(
    job: Job, pair: Pair
) -> None:
    train, test = pair
    before = manifest(job, train)
    distribute(job, pair, Seed=1)
    first = job.entries(test)
    for _ in range(2):
        revert(job)
        assert manifest(job, train) == before
        assert job.entries(test) == []
        for arn in pair:
            described = job.describe(arn)
            assert described["Status"] == "UPDATE_COMPLETE"
            assert described["StatusMessage"].startswith("The distribution was reverted")
        assert job.describe(train)["DatasetStats"]["TotalEntries"] == 60
    distribute(job, pair, Seed=2)
    assert job.entries(test) != first
    revert(job)
    distribute(job, pair, Seed=1)
    assert job.entries(test) == first


def test_the_history_says_who_did_what_and_when(job: Job, pair: Pair) -> None:
    train, test = pair
    assert history(job) == []
    distribute(job, pair, DryRun=True, TestFraction="1/3", MinImagesPerLabel=2)
    distribute(job, pair, GroupBy=r"images/(\d+)", Seed=5)
    revert(job)
    done, tried = history(job)
    assert (tried["DryRun"], tried["TestEntries"], tried["Reverted"]) == (True, 20, False)
    assert tried["Parameters"] == {
        "TestFraction": "1/3",
        "Seed": 0,
        "MinImagesPerLabel": 2,
        "Objective": "labels",
    }
    assert (done["DryRun"], done["TestEntries"], done["Reverted"]) == (False, 12, True)
    assert (done["TotalEntries"], done["Parameters"]["GroupBy"]) == (60, r"images/(\d+)")
    assert (done["TrainDatasetArn"], done["TestDatasetArn"]) == (train, test)
    assert done["Caller"] == done["RevertedBy"] == "arn:aws:iam::123456789012:user/local"
    assert done["StartTimestamp"] <= done["EndTimestamp"] <= done["RevertedTimestamp"]
    assert done["Certificate"]["Optimal"] is True
    assert done["Certificate"]["Deviation"] == done["Certificate"]["LowerBound"]
    first = job.client.list_dataset_distributions(ProjectArn=job.project, MaxResults=1)
    assert first["Distributions"][0]["DistributionId"] == done["DistributionId"]
    (second,) = history(job, MaxResults=1, NextToken=first["NextToken"])
    assert second["DistributionId"] == tried["DistributionId"]


def test_the_history_links_to_both_reports_for_whoever_has_the_link(job: Job, pair: Pair) -> None:
    distribute(job, pair)
    (done,) = history(job)
    with urllib.request.urlopen(done["ReportUrl"]) as answer:  # noqa: S310 our own server
        assert json.load(answer)["operation"] == done["DistributionId"]
    with urllib.request.urlopen(done["ReportPageUrl"]) as answer:  # noqa: S310
        assert answer.read().startswith(b"<!doctype html>")
    assert "X-Amz-Expires=900" in done["ReportUrl"]


@pytest.mark.parametrize("name", [".", ".."])
def test_links_to_reports_work_where_a_client_resolves_dot_segments(job: Job, name: str) -> None:
    """As browsers, urllib3 and curl do."""
    job = Job(job.stack, job.client.create_project(ProjectName=name)["ProjectArn"], EXTENSION)
    pair = job.pair(two_labels(20))
    distribute(job, pair)
    (done,) = history(job)
    for link in (done["ReportUrl"], done["ReportPageUrl"]):
        assert urllib3.request("GET", link).status == 200
    assert len(job.entries(pair[1])) == 4


@pytest.mark.parametrize("which", [0, 1])
def test_a_dataset_that_was_changed_since_is_named_and_nothing_is_undone(
    job: Job, pair: Pair, which: int
) -> None:
    distribute(job, pair)
    job.client.update_dataset_entries(
        DatasetArn=pair[which], Changes={"GroundTruth": line("late", "dog").encode()}
    )
    assert job.settled(pair[which])["Status"] == "UPDATE_COMPLETE"
    before = [job.entries(arn) for arn in pair]
    code, message = no_undo(job)
    assert code == "InvalidParameterException"
    assert f"the dataset {pair[which]} has been changed since, at 20" in message
    assert [job.entries(arn) for arn in pair] == before


def test_a_dataset_that_was_deleted_since_is_named(job: Job, pair: Pair) -> None:
    distribute(job, pair)
    job.client.delete_dataset(DatasetArn=pair[1])
    code, message = no_undo(job)
    assert code == "InvalidParameterException"
    assert message.endswith(f"the dataset {pair[1]} has been deleted since.")


def test_a_dry_run_or_a_failure_in_between_does_not_stand_in_the_way(job: Job, pair: Pair) -> None:
    distribute(job, pair, DryRun=True)
    assert no_undo(job)[0] == "InvalidParameterException"
    distribute(job, pair)
    job.client.update_dataset_entries(DatasetArn=pair[0], Changes={"GroundTruth": b"no manifest"})
    assert job.settled(pair[0])["Status"] == "UPDATE_FAILED"
    revert(job)
    assert job.describe(pair[0])["DatasetStats"]["TotalEntries"] == 60


def test_a_copy_of_what_was_distributed_keeps_it_through_the_undoing(job: Job, pair: Pair) -> None:
    distribute(job, pair)
    other = Job.begin(job.stack)
    copy = job.client.create_dataset(
        ProjectArn=other.project, DatasetType="TRAIN", DatasetSource={"DatasetArn": pair[0]}
    )["DatasetArn"]
    entries = job.entries(copy)
    revert(job)
    assert job.entries(copy) == entries
    assert len(entries) == 48


def test_a_project_of_the_same_name_begins_with_an_empty_history(job: Job, pair: Pair) -> None:
    distribute(job, pair)
    for arn in pair:
        job.client.delete_dataset(DatasetArn=arn)
    job.client.delete_project(ProjectArn=job.project)
    name = job.project.split("/")[1]
    job.project = job.client.create_project(ProjectName=name)["ProjectArn"]
    assert history(job) == []
    code, message = no_undo(job)
    assert (code, "has no distribution that could be reverted" in message) == (
        "InvalidParameterException",
        True,
    )
