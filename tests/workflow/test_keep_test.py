"""A distribution that keeps the entries of the test dataset: two sources, many shards, and the command as reference."""

import json
from pathlib import Path
from random import Random

import pytest
from xxhash import xxh3_64_intdigest

from tests.clients.command.terminal import make_labelled_lines, run_twofold
from tests.support.generated_manifests import generate_varied_manifest
from tests.support.hash_collisions import make_colliding_texts
from tests.support.job import make_line
from tests.support.workflow_harness import LIMITS, NOW, WorkflowHarness, make_distribution
from twofold.errors import ConservationError, DamagedObjectError, OperationRefused
from twofold.manifest.digests import DIGEST_MODULUS
from twofold.manifest.index.dataset_index import DatasetIndex
from twofold.records import Contents, DatasetType, Operation, SplitParameters
from twofold.stores.keys import ContentsKeys, ReportKeys
from twofold.stores.objects import SourceChangedError
from twofold.stores.table import history, operations, projects, retired
from twofold.workflow.group import group_range
from twofold.workflow.messages import RANGE_TASKS, TransferPlan
from twofold.workflow.plan import plan_ranges

VIDEO = r"/(video-\d+)/"
ODD = r"/video-\d*(\d)/"
"""Other groups than VIDEO: the groups of the first split are divided."""


def claim_grown_pair(
    harness: WorkflowHarness,
    test: list[str],
    placed: list[str],
    new: list[str],
    parameters: SplitParameters | None = None,
) -> Operation:
    """Claim a test dataset, and a training dataset of `placed` entries of the last distribution and of `new` entries."""
    project = harness.create_project()
    train_dataset = harness.ingest(_join([*placed, *new]), project)
    test_dataset = harness.ingest(_join(test), project, DatasetType.TEST)
    operation = make_distribution(train_dataset, test_dataset).model_copy(
        update={
            "test_before": test_dataset.contents,
            "train_after_last": _make_contents(placed) if placed else None,
            "parameters": parameters or SplitParameters(),
        }
    )
    assert operations.claim(harness.table, operation, (train_dataset, test_dataset), NOW)
    return operation


def _join(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _make_contents(lines: list[str]) -> Contents:
    digest = sum(xxh3_64_intdigest(line.encode()) for line in lines) % DIGEST_MODULUS
    return Contents(
        folder="contents/placed",
        entries=len(lines),
        bytes=0,
        digest=f"{digest:016x}",
        labeled_entries=0,
        total_labels=0,
        error_entries=0,
    )


def distribute(harness: WorkflowHarness, operation: Operation) -> TransferPlan:
    """Run all states of the distribution; return the plan."""
    if operation.parameters and operation.parameters.group_by:
        ranges = plan_ranges(harness.bucket, operation, LIMITS)
        for task in RANGE_TASKS.validate_json(harness.bucket.get(ranges.tasks.key)):
            group_range(harness.bucket, operation, ranges.source, task)
    plan = harness.select_entries(operation)
    # In another order than that of the source.
    tasks = list(harness.read_move_tasks(plan))
    Random(0).shuffle(tasks)
    harness.move_shards(operation, plan, tasks)
    harness.publish(operation, plan)
    return plan


def split_with_command(
    folder: Path, test: list[str], placed: list[str], new: list[str], *options: str
) -> Path:
    """Split the same entries with `twofold split --previous`; return the folder of the split."""
    previous = folder / "previous"
    previous.mkdir()
    (previous / "train.manifest").write_bytes(_join(placed))
    (previous / "test.manifest").write_bytes(_join(test))
    grown = folder / "grown.manifest"
    grown.write_bytes(_join([*test, *placed, *new]))
    out = folder / "out"
    assert run_twofold("split", grown, "-o", out, "--previous", previous, *options) == 0
    return out


@pytest.mark.usefixtures("small_sizes")
@pytest.mark.parametrize(
    ("parameters", "options"),
    [
        (SplitParameters(), ()),
        (SplitParameters(test_fraction="1/3", seed=7), ("--test-fraction", "1/3", "--seed", "7")),
        (SplitParameters(test_fraction="1/10"), ("--test-fraction", "0.1")),
        (SplitParameters(group_by=VIDEO), ("--group-by", VIDEO)),
        (SplitParameters(group_by=ODD), ("--group-by", ODD)),
    ],
    ids=["default", "larger", "smaller", "groups", "divided groups"],
)
@pytest.mark.parametrize("placed_entries", [240, 0])
def test_the_result_equals_the_split_of_the_command_with_the_previous_split(
    harness: WorkflowHarness,
    tmp_path: Path,
    parameters: SplitParameters,
    options: tuple[str, ...],
    placed_entries: int,
) -> None:
    lines = make_labelled_lines(400)
    # A fifth of the old videos, whole, and no label or file in an order that the split could depend on.
    test = [line for line in lines[:300] if "video-0" in line or "video-1" in line][:60]
    old = [line for line in lines if line not in set(test)]
    placed, new = old[:placed_entries], old[placed_entries:]
    operation = claim_grown_pair(harness, test, placed, new, parameters)
    plan = distribute(harness, operation)
    assert len(harness.read_move_tasks(plan)) > 5
    out = split_with_command(tmp_path, test, placed, new, *options)
    train_id, test_id = operation.datasets
    assert harness.read_manifest(test_id) == (out / "test.manifest").read_bytes()
    assert harness.read_manifest(train_id) == (out / "train.manifest").read_bytes()
    local = json.loads((out / "report.json").read_bytes())
    report = json.loads(harness.bucket.get(ReportKeys(train_id.project, operation.id).report))
    for member in ("parameters", "certificate", "previous", "labels", "coOccurrence"):
        assert report[member] == local[member]
    assert report["source"]["digest"] == local["source"]["digest"]
    for dataset in operation.datasets:
        index, manifest = harness.read_index(dataset), harness.read_manifest(dataset)
        assert index.length.tolist() == [len(line) for line in manifest.splitlines()]


@pytest.mark.usefixtures("small_sizes")
def test_growth_does_not_enlarge_the_label_sets_of_the_indexes(harness: WorkflowHarness) -> None:
    lines = make_labelled_lines(300)
    operation = claim_grown_pair(harness, lines[:60], lines[60:250], lines[250:])
    distribute(harness, operation)
    indexes = [harness.read_index(dataset) for dataset in operation.datasets]
    for index in indexes:
        distinct = {
            tuple(index.names[label] for label in index.set_labels[first:last])
            for first, last in zip(index.set_offsets[:-1], index.set_offsets[1:], strict=True)
        }
        assert len(distinct) == index.set_offsets.size - 1
        assert len(set(index.names)) == len(index.names) == 10


def test_both_old_contents_are_retired_and_a_revert_brings_both_back(
    harness: WorkflowHarness,
) -> None:
    lines = make_labelled_lines(200)
    operation = claim_grown_pair(harness, lines[:40], lines[40:150], lines[150:])
    before = [harness.read_manifest(dataset) for dataset in operation.datasets]
    distribute(harness, operation)
    after = [harness.read_manifest(dataset) for dataset in operation.datasets]
    assert sorted(b"".join(after).splitlines()) == sorted(b"".join(before).splitlines())
    project = projects.find(harness.table, operation.datasets[0].project)
    assert project
    last = history.find_last_distribution(harness.table, project)
    assert last
    folders = [
        contents.folder for contents in (operation.before, operation.test_before) if contents
    ]
    notes = {folder: retired.find_retirement(harness.table, folder) for folder in folders}
    assert None not in notes.values()
    assert history.revert(harness.table, last.distribution, notes, "me", NOW + 2)
    assert [harness.read_manifest(dataset) for dataset in operation.datasets] == before
    assert all(retired.find_retirement(harness.table, folder) is None for folder in folders)


def test_images_in_both_datasets_are_refused_with_their_lines(harness: WorkflowHarness) -> None:
    lines = make_labelled_lines(100)
    shared = claim_grown_pair(harness, lines[:20], lines[18:60], lines[60:])
    with pytest.raises(
        OperationRefused,
        match=r"^2 images are in both datasets, for example that of line 19 of the test dataset and line 1 of the training",
    ):
        harness.select_entries(shared)


def test_images_of_two_buckets_are_refused(harness: WorkflowHarness) -> None:
    lines = make_labelled_lines(100)
    test = [line.replace("example-images", "other-images") for line in lines[:20]]
    operation = claim_grown_pair(harness, test, lines[20:60], lines[60:])
    with pytest.raises(OperationRefused, match=r"other-images, those of the training .* example-"):
        harness.select_entries(operation)


def test_a_line_without_a_group_is_named_with_its_dataset(harness: WorkflowHarness) -> None:
    lines = [make_line(number, "dog" if number % 2 else "cat") for number in range(40)]
    lines[0], lines[30] = make_line("first", "dog"), make_line("other", "cat")
    operation = claim_grown_pair(
        harness, lines[:10], lines[10:30], lines[30:], SplitParameters(group_by=r"images/(\d+)")
    )
    with pytest.raises(
        OperationRefused,
        match=r"^2 .* line 1 of the test dataset: .* line 21 of the training dataset: ",
    ):
        distribute(harness, operation)


@pytest.mark.parametrize("side", [0, 1])
def test_a_lost_or_changed_source_fails_the_distribution(
    harness: WorkflowHarness, side: int
) -> None:
    lines = make_labelled_lines(100)
    operation = claim_grown_pair(harness, lines[:20], lines[20:60], lines[60:])
    state = harness.read_state(operation)
    plan = harness.select_entries(operation)
    contents = (operation.before, operation.test_before)[side]
    assert contents
    key = ContentsKeys(contents.folder).manifest
    body = harness.bucket.get(key)
    harness.bucket.put(key, body.replace(b"a", b"b"))
    with pytest.raises(SourceChangedError):
        harness.move_shards(operation, plan)
    with pytest.raises(SourceChangedError):
        harness.publish(operation, plan)
    harness.bucket.put(key, body)
    assert harness.read_state(operation) == state


def test_groups_of_other_lines_fail_the_distribution(harness: WorkflowHarness) -> None:
    lines = make_labelled_lines(100)
    operation = claim_grown_pair(
        harness, lines[:20], lines[20:60], lines[60:], SplitParameters(group_by=VIDEO)
    )
    assert operation.before
    assert operation.test_before
    short = operation.before.model_copy(update={"entries": operation.before.entries - 1})
    ranges = plan_ranges(harness.bucket, operation, LIMITS)
    for task in RANGE_TASKS.validate_json(harness.bucket.get(ranges.tasks.key)):
        group_range(harness.bucket, operation, ranges.source, task)
    with pytest.raises(ConservationError, match="100 lines have groups; the distribution has 99"):
        harness.select_entries(operation.model_copy(update={"before": short}))
    wrong = operation.test_before.model_copy(update={"digest": "0" * 16})
    with pytest.raises(DamagedObjectError):
        harness.select_entries(operation.model_copy(update={"test_before": wrong}))


def test_placed_entries_come_from_the_last_distribution_that_was_not_reverted(
    harness: WorkflowHarness,
) -> None:
    operation = harness.claim_distribution(_join(make_labelled_lines(100)))
    train, test = operation.datasets
    project = projects.find(harness.table, train.project)
    assert project
    assert history.find_contents_after_last_distribution(harness.table, project, train) is None
    plan = harness.select_entries(operation)
    harness.move_shards(operation, plan)
    harness.publish(operation, plan)
    placed = history.find_contents_after_last_distribution(harness.table, project, train)
    assert placed == harness.find_dataset(train).contents
    assert history.find_contents_after_last_distribution(harness.table, project, test) is None
    later = train.model_copy(update={"created": train.created + 1})
    assert history.find_contents_after_last_distribution(harness.table, project, later) is None
    last = history.find_last_distribution(harness.table, project)
    assert last
    assert operation.before
    notes = {
        operation.before.folder: retired.find_retirement(harness.table, operation.before.folder)
    }
    assert history.revert(harness.table, last.distribution, notes, "me", NOW + 2)
    assert history.find_contents_after_last_distribution(harness.table, project, train) is None


@pytest.mark.usefixtures("small_sizes")
def test_images_of_both_datasets_with_equal_hashes_are_different_entries(
    harness: WorkflowHarness, tmp_path: Path
) -> None:
    colliding = [
        make_line("name", "ab"[i % 2]).replace("s3://example-images/name.jpg", source_ref)
        for i, source_ref in enumerate(make_colliding_texts(12))
    ]
    lines = make_labelled_lines(100)
    test, placed, new = [*lines[:20], *colliding[:4]], lines[20:60], [*lines[60:], *colliding[4:]]
    operation = claim_grown_pair(harness, test, placed, new)
    distribute(harness, operation)
    out = split_with_command(tmp_path, test, placed, new)
    train_id, test_id = operation.datasets
    assert harness.read_manifest(test_id) == (out / "test.manifest").read_bytes()
    assert harness.read_manifest(train_id) == (out / "train.manifest").read_bytes()


@pytest.mark.usefixtures("small_sizes")
def test_boxes_and_errors_of_both_datasets_are_joined(
    harness: WorkflowHarness, tmp_path: Path
) -> None:
    varied = harness.ingest(generate_varied_manifest(120, seed=3))
    lines = harness.read_manifest(varied.id).decode().splitlines()
    bucket = json.loads(lines[0])["source-ref"].split("/")[2]
    for place in (10, 50, 100):
        wrong = {"a": 1, "a-metadata": {"type": "groundtruth/x"}}
        lines.insert(place, json.dumps({"source-ref": f"s3://{bucket}/wrong-{place}", **wrong}))
    test, placed, new = lines[:20], lines[20:80], lines[80:]
    operation = claim_grown_pair(
        harness,
        test,
        placed,
        new,
        SplitParameters(objective="labels-and-boxes", test_fraction="1/4"),
    )
    distribute(harness, operation)
    out = split_with_command(
        tmp_path, test, placed, new, "--objective", "labels-and-boxes", "--test-fraction", "1/4"
    )
    train_id, test_id = operation.datasets
    assert harness.read_manifest(test_id) == (out / "test.manifest").read_bytes()
    assert harness.read_manifest(train_id) == (out / "train.manifest").read_bytes()
    local = json.loads((out / "report.json").read_bytes())
    report = json.loads(harness.bucket.get(ReportKeys(train_id.project, operation.id).report))
    for member in ("errorEntries", "errors"):
        assert report["source"][member] == local["source"][member]
    assert report["source"]["errorEntries"] == 3
    for member in ("labels", "boxDeviation", "previous", "certificate"):
        assert report[member] == local[member]
    # The indexes are those of the manifests, as if these were ingested again.
    for dataset in operation.datasets:
        again = harness.ingest(harness.read_manifest(dataset))
        fresh, index = harness.read_index(again.id), harness.read_index(dataset)
        assert index.compute_stats() == fresh.compute_stats()
        assert index.source.tolist() == fresh.source.tolist()
        assert index.codes.tolist() == fresh.codes.tolist()
        for count in (DatasetIndex.count_boxes_by_label, DatasetIndex.count_entries_by_label):
            counts, expected = (
                dict(zip(each.names, count(each).tolist(), strict=True)) for each in (index, fresh)
            )
            assert {name: n for name, n in counts.items() if n} == {
                name: n for name, n in expected.items() if n
            }
