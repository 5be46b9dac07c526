import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.compare import Result, compare
from bench.datasets import (
    generate_dataset,
    generate_lesion_dataset,
    generate_wide_dataset,
    read_folder,
)
from bench.divisions import FIVE_FOLDS, THREE_WAY, TWO_WAY, Division
from bench.methods import METHODS
from bench.objectives import (
    compute_deviations,
    compute_floor,
    compute_relative_cost,
    count_groups_of_labels,
    count_labels,
)
from bench.page import describe_machine, render_page
from bench.partition import NotAPartitionError, number_parts
from bench.ranking import list_defeats
from bench.worker import measure
from tests.clients.command.terminal import make_labelled_lines, write_manifest

SOME = {key: METHODS[key] for key in ("twofold", "twofold-grouped", "shuffle", "sklearn")} | {
    "absent": replace(METHODS["sklearn"], package="no-such-splitter")
}
SMALL = generate_dataset("small", 600, 12, 4, seed=1, group_size=4)


@pytest.fixture(scope="module")
def results() -> list[Result]:
    """Results of all splitters. A peer that is not installed has a reason instead of a run."""
    reported: list[Result] = []
    compared = list(compare([SMALL], reported.append, SOME, lambda _: False))
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
    (result, *_) = compare(
        [alone], lambda _: None, {"sklearn-stratified": METHODS["sklearn-stratified"]}
    )
    assert result.run is None
    assert result.reason.startswith(("raises ValueError: The least populated", "not installed"))


def test_datasets_are_divided_into_three_parts_and_folds() -> None:
    few = {key: METHODS[key] for key in ("twofold-grouped", "shuffle")}
    compared = list(compare([SMALL], lambda _: None, few))
    for division in ("two", "three", "folds"):
        grouped, shuffled = (result.run for result in compared if result.division == division)
        assert grouped
        assert shuffled
        assert (grouped.misplaced, grouped.divided, shuffled.misplaced) == (0, 0, 0)
        assert grouped.total < shuffled.total


def test_a_dataset_above_the_limit_of_a_splitter_is_not_run() -> None:
    few = {"shuffle": replace(METHODS["shuffle"], most_units=100)}
    (result,) = compare([SMALL], lambda _: None, few, divided=lambda _: False)
    assert result.reason == "not run: not offered above 100 groups"
    cells = {"shuffle": replace(METHODS["shuffle"], most_cells=7_199)}
    (result,) = compare([SMALL], lambda _: None, cells, divided=lambda _: False)
    assert result.reason == "not run: takes minutes above 7,199 entries times labels"


def test_twofold_is_exact_near_and_whole(results: list[Result]) -> None:
    runs = {result.method: result.run for result in results}
    plain, grouped, shuffled = runs["twofold"], runs["twofold-grouped"], runs["shuffle"]
    assert plain
    assert grouped
    assert shuffled
    assert (plain.misplaced, grouped.misplaced, grouped.divided) == (0, 0, 0)
    assert plain.total < shuffled.total
    assert plain.worst < 1
    assert 20e6 < shuffled.peak_bytes < 120e6
    assert plain.worst < shuffled.worst
    assert shuffled.divided
    assert plain.moved
    assert max(plain.moved) < 0.3


def test_a_split_with_the_previous_split_moves_less(results: list[Result]) -> None:
    run = results[0].run
    assert run
    assert run.moved
    assert run.kept
    assert max(run.kept) <= 0.01 < max(run.moved)


def test_stored_results_of_peers_are_not_repeated(tmp_path: Path) -> None:
    stored = tmp_path / "results.jsonl"
    few = {key: METHODS[key] for key in ("twofold", "shuffle")}

    def run() -> list[Result]:
        return list(compare([SMALL], lambda _: None, few, lambda _: False, stored))

    first = run()
    lines = [json.loads(line) for line in stored.read_text().splitlines()]
    for line in lines:
        line["result"]["run"]["seconds"] = 1_000
    stored.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    again = {result.method: result.run for result in run()}
    assert again["shuffle"]
    assert again["twofold"]
    assert first[1].run
    assert again["shuffle"].seconds == 1_000 != first[1].run.seconds
    assert again["twofold"].seconds < 1_000


def test_the_measures_equal_a_plain_count() -> None:
    run = measure("shuffle", SMALL, "three", 0)
    parts = METHODS["shuffle"].split(SMALL, THREE_WAY, 0)
    columns = SMALL.build_columns()
    carriers = [set[int]() for _ in range(columns.label_count)]
    for entry in range(len(SMALL)):
        for label in columns.labels[columns.offsets[entry] : columns.offsets[entry + 1]].tolist():
            carriers[label].add(entry)
    deviations = [
        abs(sum(parts[entry] == part for entry in entries) - share * len(entries))
        for part, share in enumerate(THREE_WAY.shares)
        for entries in carriers
    ]
    assert run.worst == pytest.approx(float(max(deviations)))
    assert run.total == pytest.approx(float(sum(deviations)))
    assert run.mean == pytest.approx(float(sum(deviations)) / len(deviations))
    assert run.misplaced == 0
    assert SMALL.groups is not None
    groups = [set(SMALL.groups[parts == part].tolist()) for part in range(3)]
    assert run.divided == len(
        (groups[0] & groups[1]) | (groups[0] & groups[2]) | (groups[1] & groups[2])
    )


def test_the_total_of_two_parts_is_the_one_of_the_certificate() -> None:
    run = measure("twofold", SMALL, "two", 0)
    columns = SMALL.build_columns()
    assert run.total == pytest.approx(compute_floor(columns.count_images(), TWO_WAY.shares))


def test_the_relative_cost_of_a_small_split() -> None:
    """Labels of 10 and 1 images in parts of 8 and 2 entries: the second is in one group, so it has no weight."""
    counts = np.array([[9, 1], [1, 0]])
    cost = compute_relative_cost(counts, np.array([8, 2]), np.array([10, 1]), TWO_WAY.shares)
    assert cost == pytest.approx(1 / 9 + 1 / 3)
    cost = compute_relative_cost(counts, np.array([8, 2]), np.array([10, 2]), TWO_WAY.shares)
    light, heavy = 2 / 11, 20 / 11
    assert cost == pytest.approx(light * (1 / 9 + 1 / 3) + heavy * (0.2 / 1.8 + 0.2 / 1.2))


@pytest.mark.parametrize("division", [TWO_WAY, THREE_WAY, FIVE_FOLDS])
def test_the_relative_cost_is_the_one_of_splitkit(division: Division) -> None:
    splitkit = pytest.importorskip("splitkit")
    shares = [float(share) for share in division.shares]
    group_parts = np.random.default_rng(0).integers(0, len(shares), SMALL.count_units())
    assert SMALL.groups is not None
    parts = group_parts[np.unique(SMALL.groups, return_inverse=True)[1]].astype(np.uint8)
    matrix = SMALL.build_columns().build_dense_matrix()
    grouped = splitkit.GroupedDataset.from_arrays(SMALL.groups, matrix)
    assignment = np.empty(grouped.n_groups, dtype=np.int64)
    assignment[grouped.item_group_index] = parts
    counts = count_labels(SMALL, parts, len(shares))
    cost = compute_relative_cost(
        counts, np.bincount(parts), count_groups_of_labels(SMALL), division.shares
    )
    assert cost == pytest.approx(splitkit.evaluate(grouped, assignment, shares), rel=1e-6)


@pytest.mark.parametrize(
    ("images", "division", "floor"),
    [
        (5, TWO_WAY, 0),
        (7, TWO_WAY, 0.4),
        (1, FIVE_FOLDS, 1.6),
        (13, FIVE_FOLDS, 2.4),
        (10, THREE_WAY, 1),
        (3, THREE_WAY, 1.1),
    ],
)
def test_the_floor_is_the_least_deviation_of_whole_numbers(
    images: int, division: Division, floor: float
) -> None:
    assert compute_floor(np.array([images]), division.shares) == pytest.approx(floor)
    counts = _list_compositions(images, len(division.shares))
    totals = [
        compute_deviations(np.array(count)[:, None], division.shares).sum() for count in counts
    ]
    assert min(totals) == pytest.approx(floor * (2 if division is TWO_WAY else 1))


def _list_compositions(total: int, parts: int) -> list[list[int]]:
    if parts == 1:
        return [[total]]
    return [
        [first, *rest]
        for first in range(total + 1)
        for rest in _list_compositions(total - first, parts - 1)
    ]


@pytest.mark.parametrize(
    ("division", "sizes", "misplaced"),
    [
        (TWO_WAY, [4, 1], 0),
        (TWO_WAY, [50, 13], 0),
        (TWO_WAY, [52, 11], 2),
        (THREE_WAY, [7, 1, 2], 0),
        (THREE_WAY, [7, 3, 0], 1),
        (FIVE_FOLDS, [118, 119, 118, 119, 119], 0),
        (FIVE_FOLDS, [118, 118, 118, 119, 120], 1),
    ],
)
def test_entries_in_the_wrong_part_are_counted(
    division: Division, sizes: list[int], misplaced: int
) -> None:
    assert division.count_misplaced(sizes) == misplaced


@pytest.mark.parametrize(
    ("train", "test"), [([0, 1], [1, 2]), ([0], [2]), ([0, 1, 3], [2]), ([], [])]
)
def test_a_result_that_is_no_partition_is_refused(train: list[int], test: list[int]) -> None:
    with pytest.raises(NotAPartitionError):
        number_parts(3, [train, test])


def test_wide_data_has_nearly_no_equal_label_sets() -> None:
    data = generate_wide_dataset("wide", 502, 174, 26, 0.9, seed=7)
    assert len(set(data.number_label_sets().tolist())) == 502
    assert 25 < len(data.labels) / len(data) < 27
    assert data.count_images().min() > 0


def test_lesions_have_the_shape_of_ham10000() -> None:
    data = generate_lesion_dataset("lesions", seed=9)
    assert (len(data), data.count_units(), data.label_count) == (10_015, 7_470, 29)
    assert set(np.diff(data.offsets).tolist()) == {4}
    assert data.groups is not None
    sets_of_groups = set(zip(data.groups.tolist(), data.number_label_sets().tolist(), strict=True))
    assert len(sets_of_groups) == 7_470


def test_columns_are_the_labels_that_occur_and_unlabelled_entries() -> None:
    columns = SMALL.take(np.arange(100)).build_columns()
    matrix = columns.build_dense_matrix()
    assert (matrix.sum(axis=0) > 0).all()
    unlabelled = np.diff(SMALL.offsets)[:100] == 0
    assert np.array_equal(matrix[:, -1] == 1, unlabelled)
    assert np.array_equal(
        matrix[~unlabelled, :-1].sum(axis=1), np.diff(SMALL.offsets)[:100][~unlabelled]
    )


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
    write_manifest(tmp_path, make_labelled_lines(120))
    (tmp_path / "few.manifest").write_text(make_labelled_lines(10)[0])
    (data,) = read_folder(tmp_path)
    assert (data.name, len(data), data.label_count) == ("all", 120, 10)
    assert data.count_images().sum() == len(data.labels)


def test_the_page_has_a_row_for_every_run_and_names_no_machine(results: list[Result]) -> None:
    text = render_page([SMALL], results[:-1])
    section = text.partition("## small")[2]
    assert all(
        f"| {METHODS[result.method].title} |" in section for result in results[:-1] if result.run
    )
    assert "| Twofold, given the previous split |" in section
    assert "600 entries, 12 labels, 117 groups" in section
    assert describe_machine() in text
    assert str(Path.cwd()) not in text


def test_a_reason_is_in_the_page(results: list[Result]) -> None:
    failed = replace(results[0], run=None, reason="raises ValueError: a|b")
    assert "raises ValueError: a\\|b" in render_page([SMALL], [failed])


def test_the_page_lists_where_a_peer_is_better(results: list[Result]) -> None:
    """Peers that divide groups do not count."""
    grouped = next(result for result in results if result.method == "twofold-grouped")
    run = grouped.run
    assert run
    better = replace(run, relative=run.relative / 2, total=run.total + 1)
    peers = [
        replace(grouped, method="splitkit", run=better),
        replace(grouped, method="iterstrat", run=replace(run, total=0)),
    ]
    (defeat,) = list_defeats([grouped, *peers])
    assert (defeat.dataset, defeat.measure, defeat.peer) == (
        "small",
        "splitkit's cost",
        "splitkit, annealing",
    )
    assert "better for rare labels, with a total of 4.0 (Twofold: 3.0)" in defeat.reason
    assert "| small | 80/20 | splitkit's cost |" in render_page([SMALL], [grouped, *peers])
    assert not list(list_defeats([grouped, replace(grouped, method="splitkit")]))
