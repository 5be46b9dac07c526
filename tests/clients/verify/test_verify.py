import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xxhash import xxh3_64_intdigest, xxh3_128_intdigest

import twofold_verify
from local.emulator.server import BUCKET
from local.run.results import ResultStore
from tests.clients.command.terminal import (
    make_labelled_lines,
    read_split,
    run_twofold,
    write_manifest,
)
from tests.support.job import Job, make_line
from tests.support.manifest_lines import lines
from twofold.manifest.line.entry import Entry, read_entry
from twofold_verify.bounds import compute_integrality_floor, find_nearest_sum
from twofold_verify.catalogue import CHECKS
from twofold_verify.hashes import hash_xxh3_64, hash_xxh3_128_low
from twofold_verify.labels import read_labels

FOLDER = os.environ.get("TWOFOLD_MANIFESTS", "")
REAL = sorted(Path(FOLDER).glob("*.manifest")) if FOLDER else []
VIDEO = r"/(video-\d+)/"


@given(st.binary(max_size=300) | st.integers(241, 3000).flatmap(lambda n: st.binary(min_size=n)))
def test_the_hashes_are_those_of_the_library(data: bytes) -> None:
    assert hash_xxh3_64(data) == xxh3_64_intdigest(data)
    assert hash_xxh3_128_low(data) == xxh3_128_intdigest(data) % (1 << 64)


def test_the_hashes_are_right_at_every_length() -> None:
    data = bytes((7 * i * i + i // 251) % 256 for i in range(2100))
    for size in (*range(260), 1023, 1024, 1025, 1087, 1088, 1089, 2047, 2048, 2049, 2100):
        assert hash_xxh3_64(data[:size]) == xxh3_64_intdigest(data[:size])
        assert hash_xxh3_128_low(data[:size]) == xxh3_128_intdigest(data[:size]) % (1 << 64)


@given(lines)
def test_labels_are_read_as_the_index_reads_them(one: bytes) -> None:
    entry = read_entry(one)
    if isinstance(entry, Entry):
        assert read_labels(json.loads(one)) == dict(zip(entry.labels, entry.boxes, strict=True))


@pytest.mark.parametrize("manifest", REAL, ids=lambda path: path.stem)
def test_labels_of_real_lines_are_read_equally(manifest: Path) -> None:
    for one in manifest.read_bytes().splitlines():
        entry = read_entry(one)
        if isinstance(entry, Entry):
            assert read_labels(json.loads(one)) == dict(zip(entry.labels, entry.boxes, strict=True))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.data())
def test_the_nearest_sum_is_that_of_all_choices(sizes: list[int], data: st.DataObject) -> None:
    wanted = data.draw(st.integers(0, sum(sizes)))
    sums = {0}
    for size in sizes:
        sums |= {total + size for total in sums}
    assert find_nearest_sum(sizes, wanted) == min(
        sums, key=lambda total: (abs(total - wanted), total)
    )


@given(st.lists(st.integers(0, 60), max_size=6), st.fractions(0, 1, max_denominator=30))
def test_no_whole_numbers_are_nearer_than_the_floor(images: list[int], fraction: Fraction) -> None:
    nearest = [min(abs(t - fraction * n) for t in range(n + 1)) for n in images]
    assert compute_integrality_floor(images, fraction) == sum(nearest)


@pytest.mark.parametrize(
    "options",
    [[], ["--seed=77"], ["--test-fraction=1/3"], ["--test-fraction=0.7"], [f"--group-by={VIDEO}"]],
    ids=lambda options: "".join(options) or "plain",
)
def test_a_split_of_the_command_is_verified(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        run_twofold(
            "split", write_manifest(tmp_path, make_labelled_lines(200)), "-o", tmp_path, *options
        )
        == 0
    )
    capsys.readouterr()
    assert run_twofold("verify", tmp_path) == 0
    told = capsys.readouterr().out
    assert told.count("\nok  ") == len(CHECKS) - 1
    assert told.endswith("Verified.\n")


@pytest.mark.parametrize("options", [(), ("--group-by", "/(video-[0-9]+)/")], ids=["", "groups"])
def test_a_split_with_the_largest_seed_is_verified(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    """The sum of the seed and the constant has 65 bits; keys use 64."""
    out, seed = tmp_path / "out", (1 << 63) - 1
    manifest = write_manifest(tmp_path, make_labelled_lines(200))
    assert run_twofold("split", manifest, "-o", out, "--seed", seed, *options) == 0
    assert run_twofold("verify", out) == 0


def test_a_split_of_the_service_is_verified(job: Job, tmp_path: Path) -> None:
    train, test = job.create_pair(make_labelled_lines(200))
    job.start_distribution(train, test)
    job.wait_for_dataset(test)
    store = ResultStore(job.emulator.create_client("s3"), BUCKET)
    report = store.read_report(job.project.split("/")[1])
    (tmp_path / "report.json").write_text(json.dumps(report))
    for side in ("train", "test"):
        store.download_manifest(
            report["datasets"][side], tmp_path / f"{side}.manifest", lambda _: None
        )
    assert run_twofold("verify", tmp_path) == 0


@pytest.mark.parametrize("manifest", REAL, ids=lambda path: path.stem)
def test_real_splits_are_verified(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if run_twofold("split", manifest, "-o", tmp_path) == 0:
        assert run_twofold("verify", tmp_path) == 0
    else:
        assert "The manifest file" in capsys.readouterr().err


Split = tuple[list[str], list[str], dict[str, Any]]


def move_one(split: Split) -> None:
    split[1].append(split[0].pop())


def repeat_one(split: Split) -> None:
    split[0].append(split[1][0])


def remove_one(split: Split) -> None:
    split[0].pop()


def swap_equal_labels(split: Split) -> None:
    """Swaps two entries with equal labels, so that every count stays the same."""
    train, test, _ = split
    train_labels = [read_labels(json.loads(line)) for line in train]
    for position, line in enumerate(test):
        labels = read_labels(json.loads(line))
        if labels in train_labels:
            other = train_labels.index(labels)
            train[other], test[position] = line, train[other]
            return
    raise AssertionError("No two entries have equal labels.")


def truncate_line(split: Split) -> None:
    split[0][3] = split[0][3][:-1]


def change_byte(split: Split) -> None:
    split[0][3] = split[0][3].replace("human", "Human")


def change_label(split: Split) -> None:
    split[0][3] = split[0][3].replace('"class-name":"', '"class-name":"x')


def make_claim(*path: str, value: Any) -> Callable[[Split], None]:
    def change_report(split: Split) -> None:
        document = split[2]
        for step in path[:-1]:
            document = document[step]
        assert document[path[-1]] != value
        document[path[-1]] = value

    change_report.__name__ = ".".join(path)
    return change_report


@pytest.mark.parametrize(
    ("harm", "found_by"),
    [
        (move_one, {"contents", "count", "labels"}),
        (repeat_one, {"partition", "contents", "count"}),
        (remove_one, {"contents", "count"}),
        (swap_equal_labels, {"contents", "order"}),
        (truncate_line, {"lines", "contents", "count"}),
        (change_byte, {"contents"}),
        (change_label, {"contents", "labels"}),
        (make_claim("datasets", "test", "digest", value="0" * 16), {"contents"}),
        (make_claim("source", "digest", value="0" * 16), {"contents"}),
        (make_claim("certificate", "testEntriesWanted", value=81), {"count"}),
        (make_claim("certificate", "deviation", value="1/5"), {"optimum"}),
        (make_claim("certificate", "lowerBound", value="0"), {"optimum"}),
        (make_claim("certificate", "optimal", value=False), {"optimum"}),
        (make_claim("certificate", "pairDeviation", value="0"), {"pairs"}),
        (make_claim("certificate", "pairs", value=1), {"pairs"}),
        (make_claim("certificate", "swappedEntries", value=99), {"order"}),
        (make_claim("parameters", "seed", value=1), {"order"}),
        (make_claim("parameters", "testFraction", value="1/4"), {"count", "labels", "optimum"}),
        (make_claim("labelsMissingInTest", value=["a"]), {"labels"}),
        (make_claim("unlabelled", "train", value=999), {"labels"}),
    ],
    ids=lambda harm: getattr(harm, "__name__", ""),
)
def test_every_change_is_found(
    harm: Callable[[Split], None],
    found_by: set[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert (
        run_twofold("split", write_manifest(tmp_path, make_labelled_lines(400)), "-o", tmp_path)
        == 0
    )
    split = read_split(tmp_path)
    harm(split)
    write_split(tmp_path, split)
    assert list_failed_checks(tmp_path, capsys) >= found_by


def test_a_divided_group_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = write_manifest(tmp_path, make_labelled_lines(200))
    assert run_twofold("split", manifest, "-o", tmp_path, "--group-by", VIDEO) == 0
    train, test, report = read_split(tmp_path)
    train[0], test[0] = test[0], train[0]
    write_split(tmp_path, (train, test, report))
    assert "groups" in list_failed_checks(tmp_path, capsys)


def write_split(folder: Path, split: Split) -> None:
    train, test, report = split
    for name, side in (("train", train), ("test", test)):
        text = "".join(f"{line}\n" for line in side)
        (folder / f"{name}.manifest").write_text(text, encoding="utf-8")
    (folder / "report.json").write_text(json.dumps(report))


def list_failed_checks(folder: Path, capsys: pytest.CaptureFixture[str]) -> set[str]:
    """Returns the names of the failed checks."""
    capsys.readouterr()
    assert run_twofold("verify", folder, "--json") == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["verified"] is False
    return {check["name"] for check in answer["checks"] if not check["passed"]}


@pytest.mark.parametrize("lost", ["train.manifest", "test.manifest", "report.json"])
def test_a_missing_file_is_named(
    lost: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        run_twofold("split", write_manifest(tmp_path, make_labelled_lines(50)), "-o", tmp_path) == 0
    )
    (tmp_path / lost).unlink()
    assert run_twofold("verify", tmp_path) == 1
    assert f"{tmp_path / lost} cannot be read" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("report", "named"),
    [
        ("[]", "it has an array as its outermost value"),
        ("{", "it is not valid JSON"),
        ("{}", "it has no twofold"),
        ('{"twofold":"1","parameters":{"testFraction":"1/5"}}', "it has no certificate"),
        ('{"operation":"x","dataset":1}', "it has no twofold"),
    ],
)
def test_what_is_no_report_is_said_so(
    report: str, named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        run_twofold("split", write_manifest(tmp_path, make_labelled_lines(50)), "-o", tmp_path) == 0
    )
    (tmp_path / "report.json").write_text(report)
    assert run_twofold("verify", tmp_path) == 1
    assert named in capsys.readouterr().out


def test_the_verifier_needs_nothing_but_python(tmp_path: Path) -> None:
    assert (
        run_twofold("split", write_manifest(tmp_path, make_labelled_lines(100)), "-o", tmp_path)
        == 0
    )
    copy = tmp_path / "bare" / "twofold_verify"
    shutil.copytree(Path(twofold_verify.__file__).parent, copy)
    command: list[str | Path] = [sys.executable, "-S", "-E", "-m", "twofold_verify", tmp_path]
    done = subprocess.run(command, cwd=copy.parent, capture_output=True, check=False)
    assert done.stderr == b""
    assert done.stdout.endswith(b"\nVerified.\n")
    assert done.returncode == 0


def test_a_report_of_version_2_is_verified_without_a_dual_bound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [make_line(str(i), "cat" if i < 12 else "dog") for i in range(23)]
    assert run_twofold("split", write_manifest(tmp_path, lines), "-o", tmp_path) == 0
    report = tmp_path / "report.json"
    document = json.loads(report.read_bytes())
    assert document["certificate"]["proof"] == "dual bound"
    del document["certificate"]["dualBound"]
    report.write_text(json.dumps(document))
    assert run_twofold("verify", tmp_path) == 1
    document["certificate"] |= {"algorithmVersion": 2, "proof": "MILP optimum"}
    report.write_text(json.dumps(document))
    capsys.readouterr()
    assert run_twofold("verify", tmp_path) == 0
    assert "4/5 is a bound only by the solver's claim (MILP optimum)" in capsys.readouterr().out
