"""Manifests that were made to make two images or groups one: each stays itself, in any order of lines, and verifies."""

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from tests.collisions import colliding
from tests.command.terminal import labelled, read, twofold, written
from tests.job import line, two_labels
from tests.unit.any_lines import any_class


def entry(source_ref: str, label: str, **members: str) -> str:
    text = {"source-ref": source_ref, "a": 1, "a-metadata": any_class(label), **members}
    return json.dumps(text, separators=(",", ":"))


def made(count: int) -> list[str]:
    return [entry(name, "cat" if n % 3 else "dog") for n, name in enumerate(colliding(count))]


def sides(tmp_path: Path, lines: Sequence[str], *options: object) -> tuple[set[str], set[str]]:
    assert twofold("split", written(tmp_path, lines), "-o", tmp_path / "out", *options) == 0
    train, test, _ = read(tmp_path / "out")
    assert sorted([*train, *test]) == sorted(lines)
    return set(train), set(test)


@pytest.mark.parametrize("others", [0, 60])
def test_no_image_is_dropped_and_the_split_does_not_depend_on_the_order(
    others: int, tmp_path: Path
) -> None:
    lines = [*made(40), *two_labels(others)]
    first = sides(tmp_path, lines)
    assert twofold("verify", tmp_path / "out") == 0
    for seed in range(3):
        Random(seed).shuffle(lines)
        assert sides(tmp_path, lines) == first
    sides(tmp_path, lines, "--seed", 5, "--objective", "labels-and-boxes")
    assert twofold("verify", tmp_path / "out") == 0


def test_images_beside_made_ones_are_where_they_were(tmp_path: Path) -> None:
    """What is honest keeps its hash: so many made lines of a label of their own move nobody else."""
    lines = two_labels(100)
    _, alone = sides(tmp_path, lines)
    _, beside = sides(tmp_path, [*lines, *[entry(name, "made") for name in colliding(20)]])
    assert alone <= beside | alone
    assert len(alone & beside) >= 15


def test_a_copy_of_a_made_image_is_still_a_duplicate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [*made(20), *two_labels(40)]
    assert twofold("split", written(tmp_path, [*lines, lines[3]]), "-o", tmp_path) == 0
    told = capsys.readouterr().out
    assert "line 61: ERROR_DUPLICATE_SOURCE_REF The source-ref is already on line 4." in told


def test_groups_stay_apart(tmp_path: Path) -> None:
    names = colliding(30, "patient ")
    lines = [
        entry(f"s3://example-images/{n}", "cat" if n % 3 else "dog", patient=names[n % 30])
        for n in range(300)
    ]
    first = sides(tmp_path, lines, "--group-by", "patient")
    assert read(tmp_path / "out")[2]["groups"]["groups"] == 30  # type: ignore[index]
    assert twofold("verify", tmp_path / "out") == 0
    Random(1).shuffle(lines)
    assert sides(tmp_path, lines, "--group-by", "patient") == first


def test_a_new_image_is_new_also_if_it_was_made_to_look_like_an_old_one(tmp_path: Path) -> None:
    lines = made(60)
    old, new = [*lines[:30], *two_labels(60)], lines[30:]
    sides(tmp_path, old)
    (tmp_path / "out").rename(tmp_path / "before")
    sides(tmp_path, [*old, *new], "--previous", tmp_path / "before")
    assert read(tmp_path / "out")[2]["previous"]["newEntries"] == 30  # type: ignore[index]
    assert twofold("verify", tmp_path / "out", "--previous", tmp_path / "before") == 0


def test_both_spellings_of_the_scheme_are_one_image(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = labelled(50)
    capital = [one.replace("s3://", "S3://") for one in lines]
    assert twofold("split", written(tmp_path, [*lines, capital[7], lines[9]]), "-o", tmp_path) == 0
    told = capsys.readouterr().out
    assert "line 51: ERROR_DUPLICATE_SOURCE_REF The source-ref is already on line 8." in told
    assert "line 52: ERROR_DUPLICATE_SOURCE_REF The source-ref is already on line 10." in told
    sides(tmp_path, capital)
    assert twofold("verify", tmp_path / "out") == 0
    (tmp_path / "out").rename(tmp_path / "before")
    sides(tmp_path, [*lines, line("more", "a")], "--previous", tmp_path / "before")
    assert read(tmp_path / "out")[2]["previous"]["newEntries"] == 1  # type: ignore[index]
    assert twofold("verify", tmp_path / "out", "--previous", tmp_path / "before") == 0


@pytest.mark.parametrize("scheme", ["s3", "S3"], ids=["one line", "all lines"])
def test_splits_of_both_spellings_of_the_scheme_verify(tmp_path: Path, scheme: str) -> None:
    """With duplicates in the other spelling, and with file names that recur in another folder."""
    lines = [
        line(f"folder-{i % 2}/image-{i // 2}", f"label-{i % 3}").replace("s3://", f"{scheme}://")
        for i in range(60)
    ]
    other = {"s3": "S3", "S3": "s3"}[scheme]
    lines[4] = lines[4].replace(f"{scheme}://", f"{other}://")
    lines.append(lines[7].replace(f"{scheme}://", f"{other}://"))
    manifest = written(tmp_path, lines)
    assert twofold("split", manifest, "-o", tmp_path / "out") == 0
    assert "similarSources" in read(tmp_path / "out")[2]
    assert twofold("verify", tmp_path / "out") == 0
    assert twofold("verify", tmp_path / "out", "--source", manifest) == 0
