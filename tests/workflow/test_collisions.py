"""Workflows on manifests with colliding hashes of source-refs, in many ranges and shards."""

import json

import pytest

from tests.support.hash_collisions import make_colliding_texts
from tests.support.manifest_lines import make_class_metadata
from tests.support.workflow_harness import WorkflowHarness, make_manifest
from tests.workflow.test_group import plan_range_tasks, with_group_by
from tests.workflow.test_merge import run_update
from twofold.workflow import group


def make_lines(names: list[str], label: str = "cat") -> list[bytes]:
    return [
        json.dumps({"source-ref": name, "a": 1, "a-metadata": make_class_metadata(label)}).encode()
        + b"\n"
        for name in names
    ]


NAMES = make_colliding_texts(20, "s3://garden/")


@pytest.mark.usefixtures("small_sizes")
def test_only_repeated_images_are_rejected(harness: WorkflowHarness) -> None:
    lines = make_lines(NAMES)
    dataset = harness.ingest(b"".join([*lines, lines[4], lines[11]]))
    assert harness.read_manifest(dataset.id) == b"".join(lines)
    assert "2 of 22 lines were dropped: line 21" in dataset.status_message


@pytest.mark.usefixtures("small_sizes")
def test_an_update_replaces_the_image_that_it_names(harness: WorkflowHarness) -> None:
    lines = make_lines(NAMES[:15])
    dataset = harness.ingest(b"".join(lines))
    (changed,), (new,) = make_lines(NAMES[7:8], "dog"), make_lines(NAMES[15:16])
    run_update(harness, dataset, changed + new)
    assert harness.read_manifest(dataset.id) == b"".join([*lines[:7], changed, *lines[8:], new])


@pytest.mark.usefixtures("small_sizes")
def test_an_update_may_spell_the_scheme_in_either_way(harness: WorkflowHarness) -> None:
    lines = make_lines([f"{scheme}://garden/{n}" for n, scheme in enumerate(["s3", "S3"] * 8)])
    dataset = harness.ingest(b"".join(lines))
    changes = make_lines(
        [f"{scheme}://garden/{n}" for n, scheme in enumerate(["S3", "s3"] * 8)], "dog"
    )
    run_update(harness, dataset, b"".join(changes))
    assert harness.read_manifest(dataset.id) == b"".join(changes)


@pytest.mark.usefixtures("small_sizes")
def test_the_split_is_the_same_in_any_order(harness: WorkflowHarness) -> None:
    test_sets = set()
    lines = [*make_lines(NAMES), *make_manifest(40).splitlines(keepends=True)]
    lines = [line.replace(b"s3://garden/", b"s3://b/") for line in lines]
    first = lines[20].split(b"s3://")[1].split(b"/")[0]
    lines = [line.replace(b"s3://b/", b"s3://" + first + b"/") for line in lines]
    for manifest in (lines, lines[::-1]):
        operation = harness.claim_distribution(b"".join(manifest))
        plan = harness.select_entries(operation)
        harness.move_shards(operation, plan)
        harness.publish(operation, plan)
        test_sets.add(frozenset(harness.read_manifest(operation.datasets[1]).splitlines()))
    assert len(test_sets) == 1


@pytest.mark.usefixtures("small_sizes")
def test_groups_stay_apart(harness: WorkflowHarness) -> None:
    keys = make_colliding_texts(12, "patient ")
    lines = [
        json.dumps({"source-ref": f"s3://garden/{n}", "patient": keys[n % 12]}).encode() + b"\n"
        for n in range(48)
    ]
    operation = with_group_by(harness.claim_distribution(b"".join(lines)), "patient")
    ranges, tasks = plan_range_tasks(harness, operation)
    assert len(tasks) > 3
    for task in tasks:
        group.group_range(harness.bucket, operation, ranges.source, task)
    groups = group.read_groups(harness.bucket, operation).tolist()
    assert groups == groups[:12] * 4
    assert len(set(groups)) == 12
