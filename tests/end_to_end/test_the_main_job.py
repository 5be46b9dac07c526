"""DistributeDatasetEntries from end to end, on manifests of every kind."""

import json
import os
import random
from pathlib import Path

import pytest

from local.emulator.server import Emulator
from tests.support.job import Job, count_labels, make_line, make_two_label_lines

FOLDER = os.environ.get("TWOFOLD_MANIFESTS", "")
EXAMPLE = Path(__file__).parents[2] / "local" / "example.manifest"
REAL = [EXAMPLE, *(sorted(Path(FOLDER).glob("*.manifest")) if FOLDER else [])]


@pytest.mark.parametrize("count", [3, 7, 8, 12, 13, 100, 101, 102, 103, 104, 250])
def test_exactly_a_fifth_moves(job: Job, count: int) -> None:
    lines = make_two_label_lines(count)
    train, test = job.create_pair(lines)
    job.start_distribution(train, test)
    assert (
        job.wait_for_dataset(train)["Status"]
        == job.wait_for_dataset(test)["Status"]
        == "UPDATE_COMPLETE"
    )
    moved = (2 * count + 5) // 10
    assert job.describe(test)["DatasetStats"]["TotalEntries"] == moved
    assert job.describe(train)["DatasetStats"]["TotalEntries"] == count - moved


def test_lines_stay_byte_for_byte_in_source_order(job: Job) -> None:
    lines = [
        make_line("ünïcode/日本", "é"),
        make_line("spaces", "é").replace('":', '" :\t'),
        '{"z":1,"source-ref":"s3://example-images/reordered"}',
        *make_two_label_lines(40),
    ]
    train, test = job.create_pair(("\r\n".join(lines)).encode())
    job.start_distribution(train, test)
    job.wait_for_dataset(train)
    for arn in (train, test):
        held = _list_lines(job, arn)
        assert held == [line for line in lines if line in set(held)]
    assert sorted(_list_lines(job, train) + _list_lines(job, test)) == sorted(lines)


def test_the_split_does_not_depend_on_the_order_of_the_lines(job: Job, emulator: Emulator) -> None:
    lines = [make_line(i, *random.Random(i).sample("abcdef", 1 + i % 3)) for i in range(300)]
    splits = []
    for seed in (1, 2):
        shuffled = random.Random(seed).sample(lines, len(lines))
        other_job = Job.start(emulator)
        train, test = other_job.create_pair(shuffled)
        other_job.start_distribution(train, test)
        other_job.wait_for_dataset(test)
        splits.append(sorted(_list_lines(other_job, test)))
    assert splits[0] == splits[1]


def test_every_label_keeps_its_share(job: Job) -> None:
    lines = [make_line(i, *random.Random(i).sample("abcdefghij", 1 + i % 4)) for i in range(1000)]
    train, test = job.create_pair(lines)
    job.start_distribution(train, test)
    job.wait_for_dataset(test)
    before, after = count_labels(lines), count_labels(_list_lines(job, test))
    assert all(abs(after[label] - before[label] / 5) < 1 for label in before)


def test_either_order_of_the_pair_will_do(job: Job) -> None:
    train, test = job.create_pair(make_two_label_lines(10))
    job.start_distribution(test, train)
    assert job.wait_for_dataset(test)["DatasetStats"]["TotalEntries"] == 2


def test_both_datasets_change_in_the_same_moment(job: Job) -> None:
    """Every reader sees each entry in exactly one dataset, before and after the change."""
    train, test = job.create_pair(make_two_label_lines(50))
    job.start_distribution(train, test)
    seen = set()
    while True:
        described = job.describe(train)
        first = len(job.list_entries(test))
        if described["Status"] == "UPDATE_COMPLETE":
            break
        seen.add(first)
    assert seen <= {0, 10}
    assert len(job.list_entries(train)) + len(job.list_entries(test)) == 50


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        pytest.param(
            [make_line(1, "a"), make_line(2, "b"), make_line(3, "c")],
            "No label has two images",
            id="no label twice",
        ),
        pytest.param(
            make_two_label_lines(2), "leaves the test dataset empty", id="a fifth of two is none"
        ),
        pytest.param(
            [make_line(i) for i in range(50)], "No label has two images", id="no labels at all"
        ),
    ],
)
def test_labels_that_cannot_be_on_both_sides_are_refused(
    job: Job, lines: list[str], reason: str
) -> None:
    train, test = job.create_pair(lines)
    job.start_distribution(train, test)
    for arn in (train, test):
        described = job.wait_for_dataset(arn)
        assert described["Status"] == "UPDATE_FAILED"
        assert described["StatusMessageCode"] == "CLIENT_ERROR"
        assert described["StatusMessage"].startswith(
            "The manifest file doesn't have enough labeled images to distribute the dataset."
        )
        assert reason in described["StatusMessage"]
    assert len(job.list_entries(train)) == len(lines)


def test_a_second_distribution_needs_an_empty_test_dataset(job: Job) -> None:
    train, test = job.create_pair(make_two_label_lines(10))
    job.start_distribution(train, test)
    job.wait_for_dataset(train)
    with pytest.raises(job.client.exceptions.InvalidParameterException, match="not empty"):
        job.start_distribution(train, test)


@pytest.mark.parametrize("manifest", REAL, ids=lambda path: path.stem)
def test_a_real_manifest_is_split_or_refused_as_documented(job: Job, manifest: Path) -> None:
    train, test = job.create_dataset("TRAIN", manifest.read_bytes()), job.create_dataset("TEST")
    created = job.wait_for_dataset(train)
    supplied = manifest.read_bytes().decode("utf-8-sig").splitlines()
    if created["Status"] == "CREATE_FAILED":
        assert created["StatusMessage"].startswith(
            "The manifest file has too many terminal errors."
        )
        return
    job.start_distribution(train, test)
    status = job.wait_for_dataset(test)
    before = created["DatasetStats"]["TotalEntries"]
    if status["Status"] == "UPDATE_FAILED":
        assert "doesn't have enough labeled images" in status["StatusMessage"]
        assert len(job.list_entries(train)) == before
        return
    held = [_list_lines(job, train), _list_lines(job, test)]
    assert len(held[1]) == (2 * before + 5) // 10
    assert len(held[0]) + len(held[1]) == before
    assert sorted(held[0] + held[1]) == sorted(one for one in supplied if "source-ref" in one)


def _list_lines(job: Job, arn: str) -> list[str]:
    """The lines of the stored manifest itself."""
    project, kind, created = arn.split("/")[-4], arn.split("/")[-2], arn.split("/")[-1]
    item = job.emulator.create_client("dynamodb").get_item(
        TableName="twofold-local",
        Key={"pk": {"S": f"project#{project}"}, "sk": {"S": f"dataset#{kind}#{created}"}},
    )["Item"]
    folder = item["Contents"]["M"]["Folder"]["S"]
    bucket = "twofold-local-123456789012-us-east-1"
    body = job.emulator.create_client("s3").get_object(
        Bucket=bucket, Key=f"{folder}/entries.manifest"
    )
    text: str = body["Body"].read().decode()
    assert text.endswith("\n")
    return text.split("\n")[:-1]


def test_the_index_and_the_listing_agree(job: Job) -> None:
    train, test = job.create_pair(
        [make_line(i, "a", "b") if i % 2 else make_line(i) for i in range(40)]
    )
    job.start_distribution(train, test)
    stats = job.wait_for_dataset(test)["DatasetStats"]
    listed = [json.loads(entry)["cl-metadata"]["is_labeled"] for entry in job.list_entries(test)]
    assert stats == {
        "TotalEntries": 8,
        "LabeledEntries": sum(listed),
        "TotalLabels": 2,
        "ErrorEntries": 0,
    }
