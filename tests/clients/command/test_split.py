import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.emulator.server import BUCKET
from local.example import EXAMPLE_MANIFEST as EXAMPLE
from local.run.results import ResultStore
from tests.clients.command.terminal import (
    SPLIT_FILES,
    make_labelled_lines,
    read_split,
    run_twofold,
    write_manifest,
)
from tests.support.job import Job, make_line, make_two_label_lines
from tests.support.label_sets import tabulate_labels
from tests.support.manifest_files import draw_file
from twofold.manifest.index.dataset_index import DatasetIndex
from twofold.manifest.index.hash_collisions import make_line_reader
from twofold.manifest.index.range_indexer import index_lines
from twofold.manifest.index.resolve import join_ranges
from twofold.manifest.line.byte_ranges import read_lines
from twofold.manifest.transfer.shards import cut_shards
from twofold_command import indexing, transfer
from twofold_command.indexing import read_chunks

TWOFOLD = Path(sys.executable).with_name("twofold")


def test_two_files_hold_every_line_once_in_the_order_of_the_manifest(tmp_path: Path) -> None:
    lines = make_labelled_lines(500)
    assert run_twofold("split", write_manifest(tmp_path, lines), "-o", tmp_path / "out") == 0
    train, test, _ = read_split(tmp_path / "out")
    held = set(test)
    assert (len(train), len(test)) == (400, 100)
    assert [one for one in lines if one in held] == test
    assert [one for one in lines if one not in held] == train


def test_the_files_are_those_of_the_service(job: Job, tmp_path: Path) -> None:
    lines = [*make_labelled_lines(300), "no entry", make_line("spaces", "é").replace('":', '" :\t')]
    content = ("\ufeff" + "\r\n".join(lines)).encode()
    train, test = job.create_pair(content)
    job.start_distribution(train, test)
    job.wait_for_dataset(test)
    store = ResultStore(job.emulator.create_client("s3"), BUCKET)
    theirs = store.read_report(job.project.split("/")[1])
    assert run_twofold("split", write_manifest(tmp_path, content), "-o", tmp_path) == 0
    *_, ours = read_split(tmp_path)
    for side in ("train", "test"):
        fetched = tmp_path / "fetched"
        store.download_manifest(theirs["datasets"][side], fetched, lambda _: None)
        assert (tmp_path / f"{side}.manifest").read_bytes() == fetched.read_bytes()
        del theirs["datasets"][side]["manifest"]
    shared: dict[str, Any] = json.loads(json.dumps(ours))
    for side in ("train", "test"):
        del shared["datasets"][side]["manifest"]
    del shared["source"], shared["dropped"], shared["warnings"]
    assert theirs.items() >= shared.items()


@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(content=draw_file(), span=st.integers(64, 400), chunk=st.integers(5, 300))
def test_where_the_manifest_is_cut_does_not_matter(
    content: bytes, span: int, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = write_manifest(tmp_path, content)
    whole = run_twofold("split", manifest, "-o", tmp_path / "whole")
    with monkeypatch.context() as patched:
        patched.setattr(indexing, "RANGE_BYTES", span)
        patched.setattr(indexing, "CHUNK_BYTES", chunk)
        patched.setattr(transfer, "cut_shards", partial(cut_shards, shard_bytes=span))
        assert run_twofold("split", manifest, "-o", tmp_path / "cut") == whole
    if whole == 0:
        assert read_split(tmp_path / "whole") == read_split(tmp_path / "cut")


def test_each_line_is_read_once_to_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = write_manifest(tmp_path, make_labelled_lines(500))
    bytes_read = 0

    def count_bytes(*arguments: Any) -> Iterator[bytes]:
        nonlocal bytes_read
        for chunk in read_chunks(*arguments):
            bytes_read += len(chunk)
            yield chunk

    monkeypatch.setattr(transfer, "read_chunks", count_bytes)
    monkeypatch.setattr(transfer, "cut_shards", partial(cut_shards, shard_bytes=10_000))
    assert run_twofold("split", manifest, "-o", tmp_path / "out") == 0
    assert manifest.stat().st_size - 500 <= bytes_read <= manifest.stat().st_size


def test_the_number_of_processes_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = write_manifest(tmp_path, make_labelled_lines(2000))
    monkeypatch.setattr(indexing, "RANGE_BYTES", 100_000)
    for processes in (1, 2):
        out = tmp_path / str(processes)
        assert run_twofold("split", manifest, "-o", out, "--processes", processes) == 0
    assert read_split(tmp_path / "1") == read_split(tmp_path / "2")


@pytest.mark.parametrize("text", ["0.25", "1/4", "25%", " .25", "25 %", "2/8", "0.2500"])
def test_a_fraction_can_be_written_in_many_ways(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = write_manifest(tmp_path, make_labelled_lines(40))
    assert run_twofold("split", manifest, "-o", tmp_path, "--test-fraction", text, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["parameters"] == {"testFraction": "1/4", "seed": 0}
    assert report["datasets"]["test"]["entries"] == 10
    assert report == read_split(tmp_path)[2]


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--test-fraction", "0", "more than 0 and less than 1"),
        ("--test-fraction", "120%", "more than 0 and less than 1"),
        ("--test-fraction", "1/1000001", "a denominator of at most 1,000,000"),
        ("--test-fraction", "a fifth", "such as 0.2, 1/5 or 20%"),
        ("--seed", "-1", "from 0 to 9223372036854775807"),
        ("--seed", "9223372036854775808", "from 0 to 9223372036854775807"),
        ("--seed", "٣", "an integer"),
        ("--processes", "0", "from 1 to 256"),
        ("--group-by", "(", "not a regular expression"),
        ("--group-by", "(a)(b)", "exactly one capturing group, not 2"),
        ("--group-by", "(?=a)(b)", "not a regular expression that RE2 takes"),
        ("--group-by", "", "1 to 1000 characters"),
    ],
)
def test_usage_errors_name_the_valid_values(
    option: str, value: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = write_manifest(tmp_path, make_labelled_lines(40))
    assert run_twofold("split", manifest, "-o", tmp_path / "out", f"{option}={value}") == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("twofold split: error: ")
    assert reason in told.err
    assert not (tmp_path / "out").exists()


def test_rejected_lines_are_printed_with_their_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = make_two_label_lines(20)
    lines[6:6] = ["{", lines[2]]
    assert run_twofold("split", write_manifest(tmp_path, lines), "-o", tmp_path) == 0
    told = capsys.readouterr().out
    assert "  line 7: ERROR_INVALID_JSON_LINE" in told
    assert "  line 8: ERROR_DUPLICATE_SOURCE_REF The source-ref is already on line 3." in told
    _, _, report = read_split(tmp_path)
    dropped: Any = report["dropped"]
    assert dropped["lines"] == 2
    assert [one["line"] for one in dropped["reasons"]] == [7, 8]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (
            [*make_two_label_lines(7), "{", "}"],
            "too many terminal errors. 2 of 9 lines were dropped: line 8",
        ),
        ([make_line(i) for i in range(20)], "No label has two images"),
        (make_two_label_lines(2), "leaves the test dataset empty"),
        (
            [*make_two_label_lines(9), '{"source-ref":"s3://other/x"}'],
            "images from multiple S3 buckets",
        ),
        (b"", "is empty"),
    ],
)
def test_manifests_that_the_service_refuses_are_refused(
    lines: list[str] | bytes, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = write_manifest(tmp_path, lines)
    assert run_twofold("split", manifest, "-o", tmp_path / "out") == 1
    told = capsys.readouterr().err
    assert told.startswith(f"twofold: {manifest}")
    assert reason in told
    assert sorted(each.name for each in tmp_path.iterdir()) == ["all.manifest"]


def test_a_failure_leaves_the_old_files(tmp_path: Path) -> None:
    good, out = write_manifest(tmp_path, make_labelled_lines(50)), tmp_path / "out"
    assert run_twofold("split", good, "-o", out) == 0
    (out / "notes.txt").write_text("mine")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert run_twofold("split", write_manifest(tmp_path, b"{\n"), "-o", out) == 1
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_report_that_cannot_be_replaced_keeps_the_old_manifests(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "report.json").mkdir(parents=True)
    (out / "train.manifest").write_text("mine")
    assert run_twofold("split", write_manifest(tmp_path, make_labelled_lines(50)), "-o", out) == 1
    assert (out / "train.manifest").read_text() == "mine"
    assert sorted(each.name for each in out.iterdir()) == ["report.json", "train.manifest"]


def test_the_manifest_is_never_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = write_manifest(tmp_path, make_labelled_lines(50)).rename(tmp_path / "train.manifest")
    before = manifest.read_bytes()
    assert run_twofold("split", manifest, "-o", tmp_path) == 1
    assert "is the manifest itself" in capsys.readouterr().err
    assert manifest.read_bytes() == before


def test_a_manifest_that_changes_while_it_is_read_is_not_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, out = write_manifest(tmp_path, make_labelled_lines(50)), tmp_path / "out"
    transfer_shard = transfer.transfer_shard

    def change_and_transfer(task: transfer.ShardTask) -> Any:
        manifest.write_bytes(manifest.read_bytes().replace(b"human", b"Human"))
        return transfer_shard(task)

    monkeypatch.setattr(transfer, "transfer_shard", change_and_transfer)
    assert run_twofold("split", manifest, "-o", out) == 1
    assert "changed while it was read" in capsys.readouterr().err
    assert not out.exists()


def test_lines_of_equal_length_that_change_places_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [make_line(100 + number, "ab"[number % 2]) for number in range(50)]
    manifest, out = write_manifest(tmp_path, lines), tmp_path / "out"
    transfer_shard = transfer.transfer_shard

    def reorder_and_transfer(task: transfer.ShardTask) -> Any:
        write_manifest(tmp_path, lines[::-1])
        return transfer_shard(task)

    monkeypatch.setattr(transfer, "transfer_shard", reorder_and_transfer)
    assert run_twofold("split", manifest, "-o", out) == 1
    assert "changed while it was read" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("name", ["missing", ".", "/dev/null"])
def test_a_path_that_is_not_a_regular_file_is_named(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_twofold("split", tmp_path / name, "-o", tmp_path / "out") == 1
    assert str(tmp_path / name) in capsys.readouterr().err


def test_json_output_has_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_twofold("split", tmp_path / "missing", "-o", tmp_path / "out", "--json") == 1
    assert "missing cannot be read" in json.loads(capsys.readouterr().out)["error"]


def test_kept_indexes_are_those_of_the_manifests_and_go_with_their_split(tmp_path: Path) -> None:
    manifest, out = write_manifest(tmp_path, make_labelled_lines(200)), tmp_path / "out"
    assert run_twofold("split", manifest, "-o", out, "--keep-index") == 0
    for side in ("train", "test"):
        kept = DatasetIndex.decode((out / f"{side}.index").read_bytes())
        content = (out / f"{side}.manifest").read_bytes()
        own = join_ranges(
            [index_lines(read_lines([content], 0, len(content)))], make_line_reader(content)
        ).index
        for column in ("length", "source", "flags"):
            np.testing.assert_array_equal(getattr(kept, column), getattr(own, column))
        assert tabulate_labels(kept).items() == tabulate_labels(own).items()
    assert run_twofold("split", manifest, "-o", out, "--seed", 1) == 0
    assert sorted(path.name for path in out.iterdir()) == SPLIT_FILES


def test_the_installed_command_runs_and_is_plain_when_piped(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path, make_labelled_lines(200))
    command: list[str | Path] = [TWOFOLD, "split", manifest, "-o", tmp_path / "out"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stderr == b""
    assert b"\x1b" not in done.stdout
    assert done.stdout.decode().startswith("Test set: 40 of 200 images (20 %).")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == SPLIT_FILES


def test_a_terminal_shows_progress_and_clears_it(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    manifest = write_manifest(tmp_path, make_labelled_lines(200))
    command: list[str | Path] = [TWOFOLD, "split", manifest, "-o", tmp_path / "out"]
    subprocess.run(command, stderr=theirs, stdout=subprocess.DEVNULL, check=True)
    os.close(theirs)
    seen = os.read(ours, 10_000).decode()
    os.close(ours)
    assert re.search(r"\r\x1b\[KReading  ░{24}  0 %", seen)
    assert seen.endswith("\r\x1b[K")


@pytest.mark.parametrize("pause", [0, 0.1, 0.3])
@pytest.mark.parametrize(
    ("stop", "number", "code"), [(os.killpg, signal.SIGINT, 130), (os.kill, signal.SIGTERM, 143)]
)
def test_a_stopped_command_leaves_nothing(
    stop: Callable[[int, int], None], number: int, code: int, pause: float, tmp_path: Path
) -> None:
    """Ctrl-C goes to the process group, SIGTERM to the command; the split takes several times the longest pause."""
    running = start_split(tmp_path)
    time.sleep(pause)
    stop(running.pid, number)
    _, told = running.communicate(timeout=60)
    assert running.returncode == code
    assert b"Traceback" not in told
    assert [path.name for path in tmp_path.iterdir()] == ["all.manifest"]


def test_a_killed_command_leaves_no_process(tmp_path: Path) -> None:
    running = start_split(tmp_path)
    time.sleep(1)
    running.kill()
    running.communicate(timeout=60)
    assert running.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 30
    while _is_running(running.pid):
        assert time.monotonic() < deadline
        time.sleep(0.1)


@cache
def make_long_manifest() -> bytes:
    return "".join(f"{line}\n" for line in make_labelled_lines(150_000)).encode()


def start_split(folder: Path) -> subprocess.Popen[bytes]:
    """Starts a split of several seconds in a new process group and waits until it has begun."""
    manifest, out = write_manifest(folder, make_long_manifest()), folder / "out"
    command: list[str | Path] = [TWOFOLD, "split", manifest, "-o", out, "--processes", "2"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)
    while not list(folder.glob(".twofold-*")):
        assert running.poll() is None
        time.sleep(0.01)
    return running


def _is_running(group: int) -> bool:
    """Returns whether the process group has a process."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_share_is_exact_for_any_fraction(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path, make_labelled_lines(101))
    for fraction in (Fraction(1, 3), Fraction(2, 3), Fraction(1, 101), Fraction(99, 100)):
        assert run_twofold("split", manifest, "-o", tmp_path, f"--test-fraction={fraction}") == 0
        assert len(read_split(tmp_path)[1]) == (2 * fraction * 101 + 1) // 2


def test_boxes_are_balanced_if_asked_for_and_verified(tmp_path: Path) -> None:
    found = []
    for objective in ("labels", "labels-and-boxes"):
        out = tmp_path / objective
        assert run_twofold("split", EXAMPLE, "-o", out, "--objective", objective) == 0
        assert run_twofold("verify", out) == 0
        report: Any = read_split(out)[2]
        found.append((Fraction(report["boxDeviation"]), report["certificate"]["deviation"]))
    assert found[1][0] < found[0][0]
    assert found[1][1] == found[0][1]


@pytest.mark.parametrize("member", ["boxes", "boxesInTest", "boxDeviation"])
def test_verify_notices_a_wrong_number_of_boxes(
    tmp_path: Path, member: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_twofold("split", EXAMPLE, "-o", tmp_path) == 0
    report: Any = read_split(tmp_path)[2]
    report["labels"][0][member] = "7/5" if member == "boxDeviation" else 999
    (tmp_path / "report.json").write_text(json.dumps(report))
    assert run_twofold("verify", tmp_path) == 1
    assert f"FAIL  labels     {member} of labels, number 1: " in capsys.readouterr().out
