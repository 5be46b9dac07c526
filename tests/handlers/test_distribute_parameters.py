"""What a distribution can be asked for beyond Rekognition: by members of the request, or by tags of the project."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.stack import BUCKET
from tests.command.terminal import twofold
from tests.handlers.any_request import refused
from tests.job import Job, line, two_labels
from tests.manifests import any_manifest

LINES = [*two_labels(50), line("last", "dog")]


def distribute(job: Job, train: str, test: str, **members: Any) -> None:
    """As a client with Twofold's model would; the tests' client knows only AWS's."""
    body = {"Datasets": [{"Arn": train}, {"Arn": test}], **members}
    adding = _adding(members)
    client = job.client
    client.meta.events.register("before-call.rekognition.DistributeDatasetEntries", adding)
    client.distribute_dataset_entries(Datasets=body["Datasets"])


def _adding(members: dict[str, Any]) -> Callable[..., None]:
    def add(params: dict[str, Any], **_: Any) -> None:
        params["body"] = json.dumps(json.loads(params["body"]) | members).encode()

    return add


def tag(job: Job, **tags: str) -> None:
    named = {f"twofold:{name.replace('_', '-')}": value for name, value in tags.items()}
    job.client.tag_resource(ResourceArn=job.project, Tags=named)


def report(job: Job) -> dict[str, Any]:
    """Of the project's last distribution."""
    name = job.project.split("/")[1]
    s3 = job.stack.client("s3")
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"reports/{name}/")["Contents"]
    found = [one["Key"] for one in listed if one["Key"].endswith("report.json")]
    reports = [json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()) for key in found]
    last: dict[str, Any] = max(reports, key=lambda one: one["created"])
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
def test_a_distribution_is_byte_for_byte_the_split_of_the_command(
    job: Job, tmp_path: Path, members: dict[str, Any], options: tuple[str, ...]
) -> None:
    manifest = tmp_path / "any.manifest"
    manifest.write_bytes(any_manifest(150, seed=5))
    train, test = job.pair(manifest.read_bytes())
    distribute(job, train, test, **members)
    assert job.settled(test)["Status"] == "UPDATE_COMPLETE"
    assert twofold("split", manifest, "-o", tmp_path / "out", *options) == 0
    local = json.loads((tmp_path / "out" / "report.json").read_text())
    ours = report(job)
    for side in ("train", "test"):
        stored = ours["datasets"][side]
        key = stored["manifest"].removeprefix(f"s3://{BUCKET}/")
        body = job.stack.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
        assert body == (tmp_path / "out" / f"{side}.manifest").read_bytes()
        assert stored["digest"] == local["datasets"][side]["digest"]
    assert ours["certificate"] == local["certificate"]
    assert ours["parameters"] == local["parameters"]


def test_tags_of_the_project_are_the_defaults_and_the_request_wins(job: Job) -> None:
    tag(job, test_fraction="1/2", seed="5", team="birds")
    train, test = job.pair(LINES)
    distribute(job, train, test, Seed=9)
    assert job.settled(test)["DatasetStats"]["TotalEntries"] == 26
    assert report(job)["parameters"] == {"testFraction": "1/2", "seed": 9}


@pytest.mark.parametrize(
    ("name", "value", "told"),
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
def test_a_bad_tag_is_refused_when_it_is_needed_and_named(
    job: Job, name: str, value: str, told: str
) -> None:
    tag(job, **{name: value})
    train, test = job.pair(LINES)
    code, message = refused("DistributeDatasetEntries", lambda: job.distribute(train, test))
    assert code == "InvalidParameterException"
    assert message.startswith(f"The project's tag twofold:{name.replace('_', '-')} is not valid. ")
    assert told in message
    assert job.describe(train)["Status"] == "CREATE_COMPLETE"


@pytest.mark.parametrize(
    ("members", "error", "told"),
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
def test_a_bad_member_is_refused_with_what_is_allowed(
    job: Job, members: dict[str, Any], error: str, told: str
) -> None:
    train, test = job.create("TRAIN"), job.create("TEST")
    code, message = refused(
        "DistributeDatasetEntries", lambda: distribute(job, train, test, **members)
    )
    assert (code, told in message) == (error, True), message


def test_a_label_with_fewer_images_than_asked_for_fails_the_distribution(job: Job) -> None:
    train, test = job.pair([*two_labels(30), line("rare", "owl")])
    distribute(job, train, test, MinImagesPerLabel=2)
    described = job.settled(train)
    assert (described["Status"], described["StatusMessageCode"]) == (
        "UPDATE_FAILED",
        "CLIENT_ERROR",
    )
    assert (
        "Every label must have at least 2 images; fewer have 'owl' (1)."
        in (described["StatusMessage"])
    )
    distribute(job, train, test, MinImagesPerLabel=1)
    assert job.settled(train)["Status"] == "UPDATE_COMPLETE"


def test_a_dry_run_says_what_would_be_and_moves_nothing(job: Job) -> None:
    train, test = job.pair(LINES)
    before = job.entries(train)
    distribute(job, train, test, DryRun=True, TestFraction="1/3")
    for arn in (train, test):
        described = job.settled(arn)
        assert described["Status"] == "UPDATE_COMPLETE"
        assert described["StatusMessage"] == (
            "Dry run: 17 of 51 entries would be moved to the test dataset."
        )
    assert (job.entries(train), job.entries(test)) == (before, [])
    tried = report(job)
    assert tried["dryRun"] is True
    assert "datasets" not in tried
    distribute(job, train, test, TestFraction="1/3")
    assert job.settled(test)["DatasetStats"]["TotalEntries"] == 17
    done = report(job)
    assert done["dryRun"] is False
    assert tried["certificate"] == done["certificate"]
    assert tried["labels"] == done["labels"]


def test_a_group_is_a_field_of_the_line_and_stays_on_one_side(job: Job) -> None:
    lines = [
        json.dumps(json.loads(one) | {"patient": number // 5}, separators=(",", ":"))
        for number, one in enumerate(two_labels(60))
    ]
    train, test = job.pair(lines)
    distribute(job, train, test, GroupBy="patient", Seed=3)
    assert job.settled(test)["Status"] == "UPDATE_COMPLETE"
    sides = [{json.loads(one)["patient"] for one in job.entries(arn)} for arn in (train, test)]
    assert sides[0] | sides[1] == set(range(12))
    assert not sides[0] & sides[1]
    told = report(job)
    assert told["parameters"] == {"testFraction": "1/5", "seed": 3, "groupBy": "patient"}
    assert (told["groups"]["groups"], told["groups"]["largestGroup"]) == (12, 5)


def test_entries_without_a_group_fail_the_distribution_and_are_named(job: Job) -> None:
    lines = two_labels(30)
    for number in (4, 17):
        lines[number] = line(f"other/{number}", "dog")
    train, test = job.pair(lines)
    before = job.entries(train)
    distribute(job, train, test, GroupBy=r"images/(\d)")
    described = job.settled(train)
    assert (described["Status"], described["StatusMessageCode"]) == (
        "UPDATE_FAILED",
        "CLIENT_ERROR",
    )
    assert described["StatusMessage"] == (
        r"2 entries have no group by 'images/(\\d)'. "
        "line 5: The source-ref 's3://example-images/other/4.jpg' has no such group. "
        "line 18: The source-ref 's3://example-images/other/17.jpg' has no such group."
    )
    assert (job.entries(train), job.entries(test)) == (before, [])
