"""Twofold's parameters of a distribution, from members of the request and tags of the project."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.emulator.server import BUCKET
from tests.api.api_calls import expect_error
from tests.clients.command.terminal import run_twofold
from tests.support.generated_manifests import generate_varied_manifest
from tests.support.job import Job, make_line, make_two_label_lines

LINES = [*make_two_label_lines(50), make_line("last", "dog")]


def distribute(job: Job, train: str, test: str, **members: Any) -> None:
    """Start a distribution with members of Twofold's model through a client with AWS's model."""
    body = {"Datasets": [{"Arn": train}, {"Arn": test}], **members}
    adding = _make_member_adder(members)
    client = job.client
    client.meta.events.register("before-call.rekognition.DistributeDatasetEntries", adding)
    client.distribute_dataset_entries(Datasets=body["Datasets"])


def _make_member_adder(members: dict[str, Any]) -> Callable[..., None]:
    def add(params: dict[str, Any], **_: Any) -> None:
        params["body"] = json.dumps(json.loads(params["body"]) | members).encode()

    return add


def tag_project(job: Job, **tags: str) -> None:
    named = {f"twofold:{name.replace('_', '-')}": value for name, value in tags.items()}
    job.client.tag_resource(ResourceArn=job.project, Tags=named)


def read_report(job: Job) -> dict[str, Any]:
    """Return the report of the project's last distribution."""
    name = job.project.split("/")[1]
    s3 = job.emulator.create_client("s3")
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"reports/{name}/")["Contents"]
    keys = [item["Key"] for item in listed if item["Key"].endswith("report.json")]
    reports = [json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()) for key in keys]
    last: dict[str, Any] = max(reports, key=lambda report: report["created"])
    return last


@pytest.mark.parametrize(
    ("members", "options"),
    [
        ({}, ()),
        ({"TestFraction": "1/3", "Seed": 7}, ("--test-fraction", "1/3", "--seed", "7")),
        ({"TestFraction": "12.5%"}, ("--test-fraction", "0.125")),
        ({"Seed": (1 << 63) - 1}, ("--seed", str((1 << 63) - 1))),
        ({"GroupBy": r"/(\d+)\d\.jpg"}, ("--group-by", r"/(\d+)\d\.jpg")),
        ({"Objective": "labels-and-boxes"}, ("--objective", "labels-and-boxes")),
    ],
)
def test_a_distribution_equals_the_split_of_the_command_byte_for_byte(
    job: Job, tmp_path: Path, members: dict[str, Any], options: tuple[str, ...]
) -> None:
    manifest = tmp_path / "any.manifest"
    manifest.write_bytes(generate_varied_manifest(150, seed=5))
    train, test = job.create_pair(manifest.read_bytes())
    distribute(job, train, test, **members)
    assert job.wait_for_dataset(test)["Status"] == "UPDATE_COMPLETE"
    assert run_twofold("split", manifest, "-o", tmp_path / "out", *options) == 0
    local = json.loads((tmp_path / "out" / "report.json").read_text())
    ours = read_report(job)
    for side in ("train", "test"):
        stored = ours["datasets"][side]
        key = stored["manifest"].removeprefix(f"s3://{BUCKET}/")
        body = job.emulator.create_client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
        assert body == (tmp_path / "out" / f"{side}.manifest").read_bytes()
        assert stored["digest"] == local["datasets"][side]["digest"]
    assert ours["certificate"] == local["certificate"]
    assert ours["parameters"] == local["parameters"]


def test_project_tags_are_defaults_and_request_members_take_precedence(job: Job) -> None:
    tag_project(job, test_fraction="1/2", seed="5", team="birds")
    train, test = job.create_pair(LINES)
    distribute(job, train, test, Seed=9)
    assert job.wait_for_dataset(test)["DatasetStats"]["TotalEntries"] == 26
    assert read_report(job)["parameters"] == {"testFraction": "1/2", "seed": 9}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("test_fraction", "2", "more than 0 and less than 1"),
        ("test_fraction", "a fifth", "regular expression pattern: [0-9./% ]+; it is 'a fifth'."),
        ("seed", "-1", "It must be a whole number; it is '-1'."),
        ("seed", str(1 << 63), f"value less than or equal to {(1 << 63) - 1}"),
        ("min_images_per_label", "0", "value greater than or equal to 1"),
        ("objective", "boxes", "enum value set: [labels, labels-and-boxes]; it is 'boxes'."),
        ("min_images_per_label", "many", "It must be a whole number; it is 'many'."),
    ],
)
def test_an_invalid_tag_is_rejected_by_name_at_the_distribution(
    job: Job, name: str, value: str, expected: str
) -> None:
    tag_project(job, **{name: value})
    train, test = job.create_pair(LINES)
    code, message = expect_error(
        "DistributeDatasetEntries", lambda: job.start_distribution(train, test)
    )
    assert code == "InvalidParameterException"
    assert message.startswith(f"The project's tag twofold:{name.replace('_', '-')} is not valid. ")
    assert expected in message
    assert job.describe(train)["Status"] == "CREATE_COMPLETE"


@pytest.mark.parametrize(
    ("members", "error", "expected"),
    [
        ({"TestFraction": "0"}, "InvalidParameterException", "TestFraction is not valid. The test"),
        ({"TestFraction": "3/2"}, "InvalidParameterException", "more than 0 and less than 1"),
        ({"TestFraction": "one"}, "ValidationException", "Value 'one' at 'testFraction' failed"),
        ({"TestFraction": 0.2}, "SerializationException", "can not be converted to a String"),
        ({"Seed": -1}, "ValidationException", "Value '-1' at 'seed' failed to satisfy constraint"),
        ({"Seed": "1"}, "SerializationException", "STRING_VALUE can not be converted to a Long"),
        ({"MinImagesPerLabel": 0}, "ValidationException", "greater than or equal to 1"),
        ({"GroupBy": "(" * 9}, "InvalidParameterException", "GroupBy is not valid. It is not a"),
        ({"GroupBy": "x" * 1001}, "ValidationException", "length less than or equal to 1000"),
        ({"Objective": "boxes"}, "ValidationException", "[labels, labels-and-boxes]"),
        ({"DryRun": "no"}, "SerializationException", "can not be converted to a Boolean"),
    ],
)
def test_an_invalid_member_is_rejected_with_the_valid_values(
    job: Job, members: dict[str, Any], error: str, expected: str
) -> None:
    train, test = job.create_dataset("TRAIN"), job.create_dataset("TEST")
    code, message = expect_error(
        "DistributeDatasetEntries", lambda: distribute(job, train, test, **members)
    )
    assert (code, expected in message) == (error, True), message


def test_a_label_below_the_minimum_number_of_images_fails_the_distribution(job: Job) -> None:
    train, test = job.create_pair([*make_two_label_lines(30), make_line("rare", "owl")])
    distribute(job, train, test, MinImagesPerLabel=2)
    described = job.wait_for_dataset(train)
    assert (described["Status"], described["StatusMessageCode"]) == (
        "UPDATE_FAILED",
        "CLIENT_ERROR",
    )
    assert (
        "Every label must have at least 2 images; fewer have 'owl' (1)."
        in (described["StatusMessage"])
    )
    distribute(job, train, test, MinImagesPerLabel=1)
    assert job.wait_for_dataset(train)["Status"] == "UPDATE_COMPLETE"


def test_a_dry_run_reports_the_split_and_moves_no_entry(job: Job) -> None:
    train, test = job.create_pair(LINES)
    before = job.list_entries(train)
    distribute(job, train, test, DryRun=True, TestFraction="1/3")
    for arn in (train, test):
        described = job.wait_for_dataset(arn)
        assert described["Status"] == "UPDATE_COMPLETE"
        assert described["StatusMessage"] == (
            "Dry run: 17 of 51 entries would be moved to the test dataset."
        )
    assert (job.list_entries(train), job.list_entries(test)) == (before, [])
    dry_run_report = read_report(job)
    assert dry_run_report["dryRun"] is True
    assert "datasets" not in dry_run_report
    distribute(job, train, test, TestFraction="1/3")
    assert job.wait_for_dataset(test)["DatasetStats"]["TotalEntries"] == 17
    report = read_report(job)
    assert report["dryRun"] is False
    assert dry_run_report["certificate"] == report["certificate"]
    assert dry_run_report["labels"] == report["labels"]


def test_entries_with_the_same_member_value_stay_in_one_dataset(job: Job) -> None:
    lines = [
        json.dumps(json.loads(one) | {"patient": number // 5}, separators=(",", ":"))
        for number, one in enumerate(make_two_label_lines(60))
    ]
    train, test = job.create_pair(lines)
    distribute(job, train, test, GroupBy="patient", Seed=3)
    assert job.wait_for_dataset(test)["Status"] == "UPDATE_COMPLETE"
    sides = [{json.loads(one)["patient"] for one in job.list_entries(arn)} for arn in (train, test)]
    assert sides[0] | sides[1] == set(range(12))
    assert not sides[0] & sides[1]
    expected = read_report(job)
    assert expected["parameters"] == {"testFraction": "1/5", "seed": 3, "groupBy": "patient"}
    assert (expected["groups"]["groups"], expected["groups"]["largestGroup"]) == (12, 5)


def test_entries_without_a_group_fail_the_distribution_and_are_listed(job: Job) -> None:
    lines = make_two_label_lines(30)
    for number in (4, 17):
        lines[number] = make_line(f"other/{number}", "dog")
    train, test = job.create_pair(lines)
    before = job.list_entries(train)
    distribute(job, train, test, GroupBy=r"images/(\d)")
    described = job.wait_for_dataset(train)
    assert (described["Status"], described["StatusMessageCode"]) == (
        "UPDATE_FAILED",
        "CLIENT_ERROR",
    )
    assert described["StatusMessage"] == (
        r"2 entries have no group by 'images/(\\d)'. "
        "line 5: The source-ref 's3://example-images/other/4.jpg' has no such group. "
        "line 18: The source-ref 's3://example-images/other/17.jpg' has no such group."
    )
    assert (job.list_entries(train), job.list_entries(test)) == (before, [])
