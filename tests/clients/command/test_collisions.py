"""Source-refs and group keys with equal hashes stay distinct, in any order of lines, and the splits verify."""

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from tests.clients.command.terminal import (
    make_labelled_lines,
    read_split,
    run_twofold,
    write_manifest,
)
from tests.support.hash_collisions import make_colliding_texts
from tests.support.job import make_line, make_two_label_lines
from tests.support.manifest_lines import make_class_metadata


def make_entry(source_ref: str, label: str, **members: str) -> str:
    text = {"source-ref": source_ref, "a": 1, "a-metadata": make_class_metadata(label), **members}
    return json.dumps(text, separators=(",", ":"))


def make_colliding_lines(count: int) -> list[str]:
    return [
        make_entry(name, "cat" if n % 3 else "dog")
        for n, name in enumerate(make_colliding_texts(count))
    ]


def split_into_sets(
    tmp_path: Path, lines: Sequence[str], *options: object
) -> tuple[set[str], set[str]]:
    assert (
        run_twofold("split", write_manifest(tmp_path, lines), "-o", tmp_path / "out", *options) == 0
    )
    train, test, _ = read_split(tmp_path / "out")
    assert sorted([*train, *test]) == sorted(lines)
    return set(train), set(test)


@pytest.mark.parametrize("others", [0, 60])
def test_no_image_is_dropped_and_the_split_does_not_depend_on_the_order(
    others: int, tmp_path: Path
) -> None:
    lines = [*make_colliding_lines(40), *make_two_label_lines(others)]
    first = split_into_sets(tmp_path, lines)
    assert run_twofold("verify", tmp_path / "out") == 0
    for seed in range(3):
        Random(seed).shuffle(lines)
        assert split_into_sets(tmp_path, lines) == first
    split_into_sets(tmp_path, lines, "--seed", 5, "--objective", "labels-and-boxes")
    assert run_twofold("verify", tmp_path / "out") == 0


def test_colliding_images_do_not_move_other_images(tmp_path: Path) -> None:
    """Colliding lines with a separate label do not change the hashes or the sides of the remaining images."""
    lines = make_two_label_lines(100)
    _, alone = split_into_sets(tmp_path, lines)
    _, beside = split_into_sets(
        tmp_path, [*lines, *[make_entry(name, "made") for name in make_colliding_texts(20)]]
    )
    assert alone <= beside | alone
    assert len(alone & beside) >= 15


def test_a_copy_of_a_colliding_image_is_a_duplicate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [*make_colliding_lines(20), *make_two_label_lines(40)]
    assert run_twofold("split", write_manifest(tmp_path, [*lines, lines[3]]), "-o", tmp_path) == 0
    told = capsys.readouterr().out
    assert "line 61: ERROR_DUPLICATE_SOURCE_REF The source-ref is already on line 4." in told


def test_groups_stay_apart(tmp_path: Path) -> None:
    names = make_colliding_texts(30, "patient ")
    lines = [
        make_entry(f"s3://example-images/{n}", "cat" if n % 3 else "dog", patient=names[n % 30])
        for n in range(300)
    ]
    first = split_into_sets(tmp_path, lines, "--group-by", "patient")
    assert read_split(tmp_path / "out")[2]["groups"]["groups"] == 30  # type: ignore[index]
    assert run_twofold("verify", tmp_path / "out") == 0
    Random(1).shuffle(lines)
    assert split_into_sets(tmp_path, lines, "--group-by", "patient") == first


def test_a_new_image_that_collides_with_an_old_image_is_new(tmp_path: Path) -> None:
    lines = make_colliding_lines(60)
    old, new = [*lines[:30], *make_two_label_lines(60)], lines[30:]
    split_into_sets(tmp_path, old)
    (tmp_path / "out").rename(tmp_path / "before")
    split_into_sets(tmp_path, [*old, *new], "--previous", tmp_path / "before")
    assert read_split(tmp_path / "out")[2]["previous"]["newEntries"] == 30  # type: ignore[index]
    assert run_twofold("verify", tmp_path / "out", "--previous", tmp_path / "before") == 0


def test_both_spellings_of_the_scheme_are_one_image(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = make_labelled_lines(50)
    capital = [one.replace("s3://", "S3://") for one in lines]
    assert (
        run_twofold(
            "split", write_manifest(tmp_path, [*lines, capital[7], lines[9]]), "-o", tmp_path
        )
        == 0
    )
    told = capsys.readouterr().out
    assert "line 51: ERROR_DUPLICATE_SOURCE_REF The source-ref is already on line 8." in told
    assert "line 52: ERROR_DUPLICATE_SOURCE_REF The source-ref is already on line 10." in told
    split_into_sets(tmp_path, capital)
    assert run_twofold("verify", tmp_path / "out") == 0
    (tmp_path / "out").rename(tmp_path / "before")
    split_into_sets(tmp_path, [*lines, make_line("more", "a")], "--previous", tmp_path / "before")
    assert read_split(tmp_path / "out")[2]["previous"]["newEntries"] == 1  # type: ignore[index]
    assert run_twofold("verify", tmp_path / "out", "--previous", tmp_path / "before") == 0


@pytest.mark.parametrize("scheme", ["s3", "S3"], ids=["one line", "all lines"])
def test_splits_of_both_spellings_of_the_scheme_verify(tmp_path: Path, scheme: str) -> None:
    """The lines have duplicates in the other spelling, and file names that recur in another folder."""
    lines = [
        make_line(f"folder-{i % 2}/image-{i // 2}", f"label-{i % 3}").replace(
            "s3://", f"{scheme}://"
        )
        for i in range(60)
    ]
    other = {"s3": "S3", "S3": "s3"}[scheme]
    lines[4] = lines[4].replace(f"{scheme}://", f"{other}://")
    lines.append(lines[7].replace(f"{scheme}://", f"{other}://"))
    manifest = write_manifest(tmp_path, lines)
    assert run_twofold("split", manifest, "-o", tmp_path / "out") == 0
    assert "similarSources" in read_split(tmp_path / "out")[2]
    assert run_twofold("verify", tmp_path / "out") == 0
    assert run_twofold("verify", tmp_path / "out", "--source", manifest) == 0
