"""DistributeDatasetEntries with KeepTest: growing datasets through boto3, and the same split by the command."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.model import EXTENSION
from tests.api.api_calls import expect_error
from tests.api.test_history import distribute, list_history, read_manifest, revert
from tests.api.test_parameters import read_report
from tests.clients.command.terminal import make_labelled_lines, run_twofold
from tests.support.job import Job, make_line

OLD, NEW = 300, 400
LINES = make_labelled_lines(NEW)
Pair = tuple[str, str]


@pytest.fixture
def job(job: Job) -> Job:
    """A job whose client knows Twofold's own members."""
    return replace(job, models=EXTENSION)


@pytest.fixture
def grown(job: Job) -> Pair:
    """A distributed pair whose training dataset has new entries since."""
    pair = job.create_pair(LINES[:OLD])
    distribute(job, pair)
    grow(job, pair[0], LINES[OLD:])
    return pair


def grow(job: Job, arn: str, lines: list[str]) -> None:
    changes = {"GroundTruth": "".join(f"{line}\n" for line in lines).encode()}
    job.client.update_dataset_entries(DatasetArn=arn, Changes=changes)
    assert job.wait_for_dataset(arn)["Status"] == "UPDATE_COMPLETE"


def write_side(folder: Path, side: str, manifest: bytes) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{side}.manifest").write_bytes(manifest)


def test_a_grown_pair_keeps_its_split_as_the_command_does(job: Job, tmp_path: Path) -> None:
    pair = job.create_pair(LINES[:OLD])
    distribute(job, pair)
    previous, grown_manifest = tmp_path / "previous", tmp_path / "grown.manifest"
    for side, arn in zip(("train", "test"), pair, strict=True):
        write_side(previous, side, read_manifest(job, arn))
    grow(job, pair[0], LINES[OLD:])
    before = [read_manifest(job, arn) for arn in pair]
    grown_manifest.write_bytes(before[1] + before[0])
    distribute(job, pair, KeepTest=True)
    out = tmp_path / "out"
    assert run_twofold("split", grown_manifest, "-o", out, "--previous", previous) == 0
    train, test = (read_manifest(job, arn) for arn in pair)
    assert train == (out / "train.manifest").read_bytes()
    assert test == (out / "test.manifest").read_bytes()
    assert test.startswith(before[1])
    assert job.describe(pair[1])["StatusMessage"] == (
        "20 of 340 entries were moved to the test dataset, and 0 of 60 to the training dataset. "
        "Test set: 80 of 400 entries."
    )
    # `twofold verify` accepts the report of the service, with the previous split.
    (out / "report.json").write_text(json.dumps(read_report(job)))
    assert run_twofold("verify", out, "--previous", previous, "--source", grown_manifest) == 0
    report = read_report(job)
    assert report["previous"] == {
        "testEntries": 60,
        "trainEntries": 240,
        "newEntries": 100,
        "leftTest": 0,
        "enteredTest": 0,
    }


def test_a_dry_run_moves_nothing_and_predicts_the_result(job: Job, grown: Pair) -> None:
    before = [read_manifest(job, arn) for arn in grown]
    distribute(job, grown, KeepTest=True, DryRun=True)
    assert [read_manifest(job, arn) for arn in grown] == before
    message = job.describe(grown[0])["StatusMessage"]
    assert message.startswith("Dry run: 20 of 340 entries would be moved to the test dataset, and ")
    predicted = read_report(job)
    distribute(job, grown, KeepTest=True)
    report = read_report(job)
    for member in ("certificate", "previous", "labels", "parameters"):
        assert predicted[member] == report[member]


def test_a_revert_brings_back_both_datasets_byte_for_byte(job: Job, grown: Pair) -> None:
    before = [read_manifest(job, arn) for arn in grown]
    distribute(job, grown, KeepTest=True)
    after = [read_manifest(job, arn) for arn in grown]
    revert(job)
    assert [read_manifest(job, arn) for arn in grown] == before
    kept, first = list_history(job)
    assert (kept["Reverted"], kept["TotalEntries"], kept["TestEntries"]) == (True, 400, 80)
    assert kept["Parameters"]["KeepTest"] is True
    assert "KeepTest" not in first["Parameters"]
    distribute(job, grown, KeepTest=True)
    assert [read_manifest(job, arn) for arn in grown] == after
    # Nothing is new now: every entry stays where it is.
    distribute(job, grown, KeepTest=True)
    assert read_report(job)["previous"] == {
        "testEntries": 80,
        "trainEntries": 320,
        "newEntries": 0,
        "leftTest": 0,
        "enteredTest": 0,
    }
    assert [read_manifest(job, arn) for arn in grown] == after


def test_without_the_member_a_test_dataset_with_entries_is_refused(job: Job, grown: Pair) -> None:
    for members in ({}, {"KeepTest": False}):
        code, message = expect_error(
            "DistributeDatasetEntries",
            lambda members=members: distribute(job, grown, **members),  # type: ignore[misc]
        )
        assert code == "InvalidParameterException"
        assert message == f"The test dataset {grown[1]} is not empty: it has 60 entries."


def test_an_empty_test_dataset_has_nothing_to_keep(job: Job) -> None:
    pair = job.create_pair(LINES[:OLD])
    distribute(job, pair, KeepTest=True)
    kept = read_report(job)
    assert "previous" not in kept
    assert "KeepTest" not in list_history(job)[0]["Parameters"]
    revert(job)
    distribute(job, pair)
    for member in ("certificate", "parameters", "labels", "previous"):
        assert kept.get(member) == read_report(job).get(member)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"MinImagesPerLabel": 500}, "Every label must have at least 500 images"),
        ({"GroupBy": "patient"}, "400 entries have no group by 'patient'. line 1 of the test"),
    ],
)
def test_a_refusal_leaves_both_datasets_unchanged(
    job: Job, grown: Pair, members: dict[str, Any], reason: str
) -> None:
    before = [read_manifest(job, arn) for arn in grown]
    datasets = [{"Arn": arn} for arn in grown]
    job.client.distribute_dataset_entries(Datasets=datasets, KeepTest=True, **members)
    for arn in grown:
        described = job.wait_for_dataset(arn)
        assert described["Status"] == "UPDATE_FAILED"
        assert reason in described["StatusMessage"]
    assert [read_manifest(job, arn) for arn in grown] == before


def test_entries_that_were_added_to_the_test_dataset_stay(job: Job, grown: Pair) -> None:
    grow(job, grown[1], [make_line("special", "a")])
    distribute(job, grown, KeepTest=True, GroupBy=r"/([^/]+)\.jpg")
    assert b"/special.jpg" in read_manifest(job, grown[1])
