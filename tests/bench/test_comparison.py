from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from bench.compare import Result, compare
from bench.datasets import generate_dataset, read_folder
from bench.methods import METHODS, NotAPartitionError, mask
from bench.page import describe_machine, render_page
from bench.worker import measure
from tests.clients.command.terminal import make_labelled_lines, write_manifest

SOME = {
    key: METHODS[key]
    for key in ("twofold", "twofold-grouped", "shuffle", "twofold-kept", "sklearn", "iterstrat")
} | {"absent": replace(METHODS["sklearn"], package="no-such-splitter")}
SMALL = generate_dataset("small", 600, 12, 4, seed=1, group_size=4)


@pytest.fixture(scope="module")
def results() -> list[Result]:
    """Results of all splitters. A peer that is not installed has a reason instead of a run."""
    reported: list[Result] = []
    compared = list(compare([SMALL], reported.append, SOME))
    assert reported == compared
    return compared


def test_every_splitter_has_a_run_or_a_reason(results: list[Result]) -> None:
    assert [result.method for result in results] == list(SOME)
    for result in results:
        installed = SOME[result.method].version() is not None
        assert (result.run is not None) == installed
        assert result.reason == ("" if installed else "not installed")
    assert all(result.run for result in results[:3])


def test_the_exception_of_a_splitter_is_its_reason() -> None:
    """No label set has two images, so the peer cannot stratify, if it is installed."""
    alone = generate_dataset("alone", 40, 30, 20, seed=3)
    (result,) = compare(
        [alone], lambda _: None, {"sklearn-stratified": METHODS["sklearn-stratified"]}
    )
    assert result.run is None
    assert result.reason.startswith(("raises ValueError: The least populated", "not installed"))


def test_twofold_is_exact_near_and_whole(results: list[Result]) -> None:
    runs = {result.method: result.run for result in results}
    plain, grouped, shuffled = runs["twofold"], runs["twofold-grouped"], runs["shuffle"]
    assert plain
    assert grouped
    assert shuffled
    assert (plain.size_error, grouped.size_error, grouped.divided) == (0, 0, 0)
    assert plain.worst < 1
    assert 20e6 < shuffled.peak_bytes < 120e6
    assert plain.off_by_one == 0
    assert plain.worst < shuffled.worst
    assert shuffled.divided
    assert all(share is not None and share < 0.3 for share in plain.moved)


def test_a_split_with_the_previous_split_moves_less(results: list[Result]) -> None:
    runs = {result.method: result.run for result in results}
    plain, kept = runs["twofold"], runs["twofold-kept"]
    assert plain
    assert kept
    assert max(share or 0 for share in kept.moved) <= 0.01
    assert max(share or 0 for share in plain.moved) > 0.01


def test_the_measures_equal_a_plain_count() -> None:
    run = measure("shuffle", SMALL, 0)
    test = METHODS["shuffle"].split(SMALL, 0)
    chosen = set(np.flatnonzero(test).tolist())
    worst = Fraction(0)
    for label in range(SMALL.label_count):
        carriers = [
            entry
            for entry in range(len(SMALL))
            if label in SMALL.labels[SMALL.offsets[entry] : SMALL.offsets[entry + 1]]
        ]
        test_images = sum(entry in chosen for entry in carriers)
        worst = max(worst, abs(test_images - Fraction(len(carriers), 5)))
    assert run.worst == pytest.approx(float(worst))
    assert run.size_error == len(chosen) - 120
    assert SMALL.groups is not None
    groups = [set(SMALL.groups[side].tolist()) for side in (test, ~test)]
    assert run.divided == len(groups[0] & groups[1])


@pytest.mark.parametrize(
    ("train", "test"), [([0, 1], [1, 2]), ([0], [2]), ([0, 1, 3], [2]), ([], [])]
)
def test_a_result_that_is_no_partition_is_refused(train: list[int], test: list[int]) -> None:
    with pytest.raises(NotAPartitionError):
        mask(3, train, test)


def test_generated_labels_are_skewed_and_groups_uneven() -> None:
    data = generate_dataset("any", 20_000, 100, 8, seed=2, group_size=20)
    images = np.sort(data.count_images())[::-1]
    assert images[0] > 20 * images[80] > 0
    assert data.groups is not None
    sizes = np.unique(data.groups, return_counts=True)[1]
    assert sizes.max() > 5 * np.median(sizes)
    assert np.diff(data.offsets).max() == 8
    assert 0.01 < (np.diff(data.offsets) == 0).mean() < 0.04


def test_taking_entries_keeps_their_labels() -> None:
    chosen = np.array([5, 3, 599, 3])
    dataset = SMALL.take(chosen)
    for place, entry in enumerate(chosen.tolist()):
        expected = SMALL.labels[SMALL.offsets[entry] : SMALL.offsets[entry + 1]]
        labels = dataset.labels[dataset.offsets[place] : dataset.offsets[place + 1]]
        assert labels.tolist() == expected.tolist()
    assert np.array_equal(dataset.build_dense_matrix(), SMALL.build_dense_matrix()[chosen])


def test_a_folder_of_manifests_is_read(tmp_path: Path) -> None:
    write_manifest(tmp_path, make_labelled_lines(50))
    (tmp_path / "few.manifest").write_text(make_labelled_lines(10)[0])
    (data,) = read_folder(tmp_path)
    assert (data.name, len(data), data.label_count) == ("all", 50, 10)
    assert data.count_images().sum() == len(data.labels)


def test_the_page_has_a_row_for_every_run_and_names_no_machine(results: list[Result]) -> None:
    text = render_page([SMALL], results[:-1])
    section = text.partition("## small")[2]
    assert all(f"| {METHODS[result.method].title} |" in section for result in results[:-1])
    assert "600 entries, 12 labels" in section
    assert describe_machine() in text
    assert str(Path.cwd()) not in text


def test_a_reason_is_in_the_page(results: list[Result]) -> None:
    failed = replace(results[0], run=None, reason="raises ValueError: a|b")
    assert "raises ValueError: a\\|b" in render_page([SMALL], [failed])
