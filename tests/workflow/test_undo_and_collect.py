"""RevertDatasetDistribution and Collect: the first wins, and reverted contents are never deleted."""

import pytest

from tests.support.workflow_harness import NOW, WorkflowHarness, make_manifest
from twofold.records import Distribution, Operation
from twofold.stores.keys import ContentsKeys
from twofold.stores.table import history, projects, retired
from twofold.workflow.collect import DAY_MILLISECONDS, collect_retired_folders

LATER = NOW + 2 * DAY_MILLISECONDS


@pytest.fixture
def distribution(harness: WorkflowHarness) -> Distribution:
    """A completed distribution."""
    operation = harness.claim_distribution(make_manifest(60))
    plan = harness.select_entries(operation)
    harness.move_shards(operation, plan)
    harness.publish(operation, plan)
    return find_distribution(harness, operation)


def find_distribution(harness: WorkflowHarness, operation: Operation) -> Distribution:
    project = projects.find(harness.table, operation.datasets[0].project)
    assert project is not None
    last = history.find_last_distribution(harness.table, project)
    assert last is not None
    return last.distribution


def revert(harness: WorkflowHarness, distribution: Distribution) -> bool:
    note = retired.find_retirement(harness.table, distribution.before.folder)
    notes = {distribution.before.folder: note}
    return history.revert(harness.table, distribution, notes, "me", LATER)


def has_previous_contents(harness: WorkflowHarness, distribution: Distribution) -> bool:
    return (
        harness.bucket.find_size(ContentsKeys(distribution.before.folder).manifest)
        == distribution.before.bytes
    )


def test_reverted_contents_are_never_collected(
    harness: WorkflowHarness, distribution: Distribution
) -> None:
    assert revert(harness, distribution)
    collect_retired_folders(harness.table, harness.bucket, 1, LATER + 2 * DAY_MILLISECONDS)
    assert has_previous_contents(harness, distribution)
    assert [len(harness.read_manifest(dataset)) for dataset in distribution.datasets] == [
        distribution.before.bytes,
        0,
    ]
    remaining = [harness.list_keys(contents.folder) for contents in distribution.after]
    assert remaining == [[], []], "the contents of the distribution are collected"


def test_a_revert_between_the_list_and_the_hold_of_collect_wins(
    harness: WorkflowHarness, distribution: Distribution
) -> None:
    (due,) = (
        folder
        for folder in retired.list_retired_before(harness.table, LATER)
        if folder.folder == distribution.before.folder
    )
    assert revert(harness, distribution)
    assert not retired.hold_folder(harness.table, due)
    assert has_previous_contents(harness, distribution)


def test_a_revert_after_the_hold_of_collect_changes_nothing(
    harness: WorkflowHarness, distribution: Distribution
) -> None:
    note = retired.find_retirement(harness.table, distribution.before.folder)
    (due,) = (
        folder
        for folder in retired.list_retired_before(harness.table, LATER)
        if folder.folder == distribution.before.folder
    )
    assert retired.hold_folder(harness.table, due)
    before = [harness.find_dataset(dataset) for dataset in distribution.datasets]
    notes = {distribution.before.folder: note}
    assert not history.revert(harness.table, distribution, notes, "me", LATER)
    assert not revert(harness, distribution)
    assert [harness.find_dataset(dataset) for dataset in distribution.datasets] == before


def test_only_one_of_two_reverts_succeeds(
    harness: WorkflowHarness, distribution: Distribution
) -> None:
    note = retired.find_retirement(harness.table, distribution.before.folder)
    notes = {distribution.before.folder: note}
    results = [history.revert(harness.table, distribution, notes, "me", LATER) for _ in range(2)]
    assert results == [True, False]
