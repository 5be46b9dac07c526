"""DistributeDatasetEntries from end to end, on manifests of every kind."""

import json
import os
import random
from pathlib import Path

import pytest

from local.stack import Stack
from tests.job import Job, label_counts, line, two_labels

FOLDER = os.environ.get("TWOFOLD_MANIFESTS", "")
EXAMPLE = Path(__file__).parents[1] / "local" / "example.manifest"
REAL = [EXAMPLE, *(sorted(Path(FOLDER).glob("*.manifest")) if FOLDER else [])]


@pytest.mark.parametrize("count", [3, 7, 8, 12, 13, 100, 101, 102, 103, 104, 250])
def test_exactly_a_fifth_moves(job: Job, count: int) -> None:
    lines = two_labels(count)
    train, test = job.pair(lines)
    job.distribute(train, test)
    assert job.settled(train)["Status"] == job.settled(test)["Status"] == "UPDATE_COMPLETE"
    moved = (2 * count + 5) // 10
    assert job.describe(test)["DatasetStats"]["TotalEntries"] == moved
    assert job.describe(train)["DatasetStats"]["TotalEntries"] == count - moved


def test_lines_stay_byte_for_byte_in_source_order(job: Job) -> None:
    lines = [
        line("ünïcode/日本", "é"),
        line("spaces", "é").replace('":', '" :\t'),
        '{"z":1,"source-ref":"s3://example-images/reordered"}',
        *two_labels(40),
    ]
    train, test = job.pair(("\r\n".join(lines)).encode())
    job.distribute(train, test)
    job.settled(train)
    for arn in (train, test):
        held = _held(job, arn)
        assert held == [one for one in lines if one in set(held)]
    assert sorted(_held(job, train) + _held(job, test)) == sorted(lines)


def test_the_split_does_not_depend_on_the_order_of_the_lines(job: Job, stack: Stack) -> None:
    lines = [line(i, *random.Random(i).sample("abcdef", 1 + i % 3)) for i in range(300)]
    splits = []
    for seed in (1, 2):
        shuffled = random.Random(seed).sample(lines, len(lines))
        one = Job.begin(stack)
        train, test = one.pair(shuffled)
        one.distribute(train, test)
        one.settled(test)
        splits.append(sorted(_held(one, test)))
    assert splits[0] == splits[1]


def test_every_label_keeps_its_share(job: Job) -> None:
    lines = [line(i, *random.Random(i).sample("abcdefghij", 1 + i % 4)) for i in range(1000)]
    train, test = job.pair(lines)
    job.distribute(train, test)
    job.settled(test)
    before, after = label_counts(lines), label_counts(_held(job, test))
    assert all(abs(after[label] - before[label] / 5) < 1 for label in before)


def test_either_order_of_the_pair_will_do(job: Job) -> None:
    train, test = job.pair(two_labels(10))
    job.distribute(test, train)
    assert job.settled(test)["DatasetStats"]["TotalEntries"] == 2


def test_both_datasets_change_in_the_same_moment(job: Job) -> None:
    """No reader sees an entry in both or in neither: what was listed before the flip and after it adds up."""
    train, test = job.pair(two_labels(50))
    job.distribute(train, test)
    seen = set()
    while True:
        described = job.describe(train)
        first = len(job.entries(test))
        if described["Status"] == "UPDATE_COMPLETE":
            break
        seen.add(first)
    assert seen <= {0, 10}
    assert len(job.entries(train)) + len(job.entries(test)) == 50


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        pytest.param(
            [line(1, "a"), line(2, "b"), line(3, "c")],
            "No label has two images",
            id="no label twice",
        ),
        pytest.param(two_labels(2), "leaves the test dataset empty", id="a fifth of two is none"),
        pytest.param(
            [line(i) for i in range(50)], "No label has two images", id="no labels at all"
        ),
    ],
)
def test_labels_that_cannot_be_on_both_sides_are_refused(
    job: Job, lines: list[str], reason: str
) -> None:
    train, test = job.pair(lines)
    job.distribute(train, test)
    for arn in (train, test):
        described = job.settled(arn)
        assert described["Status"] == "UPDATE_FAILED"
        assert described["StatusMessageCode"] == "CLIENT_ERROR"
        assert described["StatusMessage"].startswith(
            "The manifest file doesn't have enough labeled images to distribute the dataset."
        )
        assert reason in described["StatusMessage"]
    assert len(job.entries(train)) == len(lines)


def test_a_second_distribution_needs_an_empty_test_dataset(job: Job) -> None:
    train, test = job.pair(two_labels(10))
    job.distribute(train, test)
    job.settled(train)
    with pytest.raises(job.client.exceptions.InvalidParameterException, match="not empty"):
        job.distribute(train, test)


@pytest.mark.parametrize("manifest", REAL, ids=lambda path: path.stem)
def test_a_real_manifest_is_split_or_refused_as_documented(job: Job, manifest: Path) -> None:
    train, test = job.create("TRAIN", manifest.read_bytes()), job.create("TEST")
    created = job.settled(train)
    supplied = manifest.read_bytes().decode("utf-8-sig").splitlines()
    if created["Status"] == "CREATE_FAILED":
        assert created["StatusMessage"].startswith(
            "The manifest file has too many terminal errors."
        )
        return
    job.distribute(train, test)
    status = job.settled(test)
    before = created["DatasetStats"]["TotalEntries"]
    if status["Status"] == "UPDATE_FAILED":
        assert "doesn't have enough labeled images" in status["StatusMessage"]
        assert len(job.entries(train)) == before
        return
    held = [_held(job, train), _held(job, test)]
    assert len(held[1]) == (2 * before + 5) // 10
    assert len(held[0]) + len(held[1]) == before
    assert sorted(held[0] + held[1]) == sorted(one for one in supplied if "source-ref" in one)


def _held(job: Job, arn: str) -> list[str]:
    """The lines of the stored manifest itself."""
    project, kind, created = arn.split("/")[-4], arn.split("/")[-2], arn.split("/")[-1]
    item = job.stack.client("dynamodb").get_item(
        TableName="twofold-local",
        Key={"pk": {"S": f"project#{project}"}, "sk": {"S": f"dataset#{kind}#{created}"}},
    )["Item"]
    folder = item["Contents"]["M"]["Folder"]["S"]
    bucket = "twofold-local-123456789012-us-east-1"
    body = job.stack.client("s3").get_object(Bucket=bucket, Key=f"{folder}/entries.manifest")
    text: str = body["Body"].read().decode()
    assert text.endswith("\n")
    return text.split("\n")[:-1]


def test_the_index_and_the_listing_agree(job: Job) -> None:
    train, test = job.pair([line(i, "a", "b") if i % 2 else line(i) for i in range(40)])
    job.distribute(train, test)
    stats = job.settled(test)["DatasetStats"]
    listed = [json.loads(entry)["cl-metadata"]["is_labeled"] for entry in job.entries(test)]
    assert stats == {
        "TotalEntries": 8,
        "LabeledEntries": sum(listed),
        "TotalLabels": 2,
        "ErrorEntries": 0,
    }
