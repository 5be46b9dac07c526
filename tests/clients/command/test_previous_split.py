import json
from pathlib import Path

import pytest

from tests.clients.command.terminal import (
    make_labelled_lines,
    read_split,
    run_twofold,
    write_manifest,
)
from tests.support.job import make_line


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Returns the folder of a split of the first 400 of 500 lines."""
    folder = tmp_path / "old"
    folder.mkdir()
    assert (
        run_twofold(
            "split", write_manifest(folder, make_labelled_lines(500)[:400]), "-o", folder / "split"
        )
        == 0
    )
    return folder / "split"


def split_again(folder: Path, old: Path) -> Path:
    """Split the grown manifest with the previous split `old`; return the folder of the new split."""
    out = folder / "new"
    manifest = write_manifest(folder, make_labelled_lines(500))
    assert run_twofold("split", manifest, "-o", out, "--previous", old) == 0
    return out


def test_a_grown_manifest_keeps_the_split_that_it_had(tmp_path: Path, old: Path) -> None:
    out = split_again(tmp_path, old)
    _, test, report = read_split(out)
    assert len(test) == 100
    assert set(read_split(old)[1]) <= set(test)
    assert report["previous"]["leftTest"] == 0  # type: ignore[index]
    assert report["previous"]["newEntries"] == 100  # type: ignore[index]
    assert report["certificate"]["optimal"] is True  # type: ignore[index]


def test_without_the_previous_split_more_would_have_moved(tmp_path: Path, old: Path) -> None:
    out = tmp_path / "new"
    assert run_twofold("split", write_manifest(tmp_path, make_labelled_lines(500)), "-o", out) == 0
    assert not set(read_split(old)[1]) <= set(read_split(out)[1])


def test_groups_are_kept_as_well(tmp_path: Path) -> None:
    lines = [
        make_line(f"video-{i % 60}/{i}", "ab"[i % 7 % 2], "cde"[i % 11 % 3]) for i in range(300)
    ]
    early = [one for one in lines if "/video-5" not in one]
    by = ("--group-by", r"/(video-\d+)/")
    (tmp_path / "a").mkdir()
    old, out = tmp_path / "old", tmp_path / "new"
    assert run_twofold("split", write_manifest(tmp_path / "a", early), "-o", old, *by) == 0
    assert (
        run_twofold("split", write_manifest(tmp_path, lines), "-o", out, *by, "--previous", old)
        == 0
    )
    gone = set(read_split(old)[1]) - set(read_split(out)[1])
    assert len(gone) <= 5
    assert run_twofold("verify", out, "--previous", old) == 0


def test_verify_checks_the_order_against_the_previous_split(
    tmp_path: Path, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = split_again(tmp_path, old)
    assert run_twofold("verify", out, "--previous", old) == 0
    assert "0 of 80 test entries left" in capsys.readouterr().out
    assert run_twofold("verify", out) == 0
    assert "Not checked: the order depends on the previous split" in capsys.readouterr().out
    assert run_twofold("verify", old, "--previous", old) == 1
    assert run_twofold("verify", out, "--previous", out) == 1
    assert "digest of the previous train.manifest" in capsys.readouterr().out


@pytest.mark.parametrize("member", ["testEntries", "newEntries", "leftTest", "enteredTest"])
def test_verify_finds_a_wrong_count_of_moved_images(
    tmp_path: Path, old: Path, member: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = split_again(tmp_path, old)
    report = json.loads((out / "report.json").read_bytes())
    report["previous"][member] += 1
    (out / "report.json").write_text(json.dumps(report))
    assert run_twofold("verify", out, "--previous", old) == 1
    assert "FAIL  previous" in capsys.readouterr().out


def test_a_folder_without_a_split_is_named(
    tmp_path: Path, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = write_manifest(tmp_path, make_labelled_lines(500))
    assert run_twofold("split", manifest, "-o", tmp_path / "new", "--previous", tmp_path) == 1
    assert "train.manifest cannot be read" in capsys.readouterr().err
    (old / "test.manifest").write_bytes((old / "train.manifest").read_bytes())
    assert run_twofold("split", manifest, "-o", tmp_path / "new", "--previous", old) == 1
    assert "320 source-refs are in both" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_verify_limits_the_time_of_an_expression(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twofold_verify.expressions.BUDGET_SECONDS", 0.3)
    lines = [make_line(f"{'a' * 60}-{i}", "ab"[i % 2]) for i in range(20)]
    out = tmp_path / "out"
    assert (
        run_twofold("split", write_manifest(tmp_path, lines), "-o", out, "--group-by", "a-([0-9]+)")
        == 0
    )
    report = json.loads((out / "report.json").read_bytes())
    report["parameters"]["groupBy"] = "((?:a|aa)+)+$"
    (out / "report.json").write_text(json.dumps(report))
    assert run_twofold("verify", out) == 1
    assert "has 1 capturing groups" not in (found := capsys.readouterr().out)
    assert "takes too long" in found


def test_lines_that_end_with_carriage_returns_are_kept_and_verified(tmp_path: Path) -> None:
    """Text that was written with `\\r\\n` where the system makes `\\r\\n` of each `\\n`."""
    lines = make_labelled_lines(120)
    manifests = [tmp_path / "some.manifest", tmp_path / "all.manifest"]
    for manifest, kept in zip(manifests, (lines[:100], lines), strict=True):
        manifest.write_bytes("".join(f"{each}\r\r\n" for each in kept).encode())
    old, new = tmp_path / "old", tmp_path / "new"
    assert run_twofold("split", manifests[0], "-o", old) == 0
    assert run_twofold("split", manifests[1], "-o", new, "--previous", old) == 0
    assert run_twofold("verify", new, "--previous", old, "--source", manifests[1]) == 0


def test_a_renamed_bucket_is_matched_by_key_and_named(
    tmp_path: Path, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, renamed = split_again(tmp_path, old), tmp_path / "renamed"
    lines = [
        line.replace("s3://example-images/", "S3://moved-images/")
        for line in make_labelled_lines(500)
    ]
    capsys.readouterr()
    manifest = write_manifest(tmp_path, lines)
    assert run_twofold("split", manifest, "-o", renamed, "--previous", old) == 0
    assert "0 of 80 test images left" in (shown := capsys.readouterr().out)
    assert "new images: 100. The previous images are in another bucket: matched by key." in shown
    report, same = read_split(renamed)[2], read_split(out)[2]
    assert report["previous"] == same["previous"]
    assert report["parameters"]["previous"]["matchedBy"] == "key"  # type: ignore[index]
    assert "matchedBy" not in same["parameters"]["previous"]  # type: ignore[index]
    assert "in another bucket: matched by key" in (renamed / "report.html").read_text()
    assert run_twofold("verify", renamed, "--previous", old, "--source", manifest) == 0
    assert "No previous image is in this bucket: matched by key" in capsys.readouterr().out


@pytest.mark.parametrize("bucket", ["example-images", "moved-images"])
def test_verify_refuses_a_wrong_claim_of_a_match_by_key(
    tmp_path: Path, old: Path, bucket: str
) -> None:
    lines = [line.replace("example-images", bucket) for line in make_labelled_lines(500)]
    out = tmp_path / "new"
    assert run_twofold("split", write_manifest(tmp_path, lines), "-o", out, "--previous", old) == 0
    report = json.loads((out / "report.json").read_bytes())
    parameters = report["parameters"]["previous"]
    assert ("matchedBy" in parameters) == (bucket == "moved-images")
    if parameters.pop("matchedBy", None) is None:
        parameters["matchedBy"] = "key"
    (out / "report.json").write_text(json.dumps(report))
    assert run_twofold("verify", out, "--previous", old) == 1


def test_a_previous_split_without_any_of_the_images_is_no_match(tmp_path: Path, old: Path) -> None:
    lines = [line.replace("video-", "film-") for line in make_labelled_lines(500)]
    out = tmp_path / "new"
    assert run_twofold("split", write_manifest(tmp_path, lines), "-o", out, "--previous", old) == 0
    report = read_split(out)[2]
    assert report["previous"] == {
        "testEntries": 0,
        "trainEntries": 0,
        "newEntries": 500,
        "leftTest": 0,
        "enteredTest": 0,
    }
    assert run_twofold("verify", out, "--previous", old) == 0
