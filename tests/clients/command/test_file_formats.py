"""Files that are no manifest are recognized, and the message names the remedy."""

import bz2
import gzip
import json
import lzma
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.clients.command.terminal import make_labelled_lines, run_twofold, write_manifest
from tests.support.job import make_line
from twofold_command.file_formats import describe_packed_file

LINES = make_labelled_lines(50)
TEXT = "".join(f"{line}\n" for line in LINES)
COCO = {"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [], "categories": []}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"PAR1\0\0PAR1", "is a Parquet file", id="parquet"),
        pytest.param(b"PK\x03\x04\0\0", "is a ZIP file (or a spreadsheet)", id="zip"),
        pytest.param(b"\x28\xb5\x2f\xfd\0", "zstd -dc", id="zstandard"),
        pytest.param(b"\xff\xd8\xff\xe0", "is an image", id="jpeg"),
        pytest.param(b"file,label\na.jpg,cat\n", "looks like a CSV file: line 1 is 'file,label'"),
        pytest.param(
            "\ufefffile;label\na;b\n".encode(), "looks like a CSV file", id="csv of Excel"
        ),
        pytest.param(json.dumps(COCO).encode(), "looks like a COCO file", id="coco"),
        pytest.param(json.dumps(COCO, indent=2).encode(), "looks like a COCO file", id="long coco"),
        pytest.param(b"<annotation>\n</annotation>\n", "Pascal VOC", id="xml"),
        pytest.param(b"0 0.5 0.5 0.1 0.1\n", "a label file of YOLO", id="yolo"),
        pytest.param(b"names: [a, b]\n", "looks like a", id="yaml"),
        pytest.param(b"train: images\nnames:\n", "looks like a YAML file", id="data.yaml"),
    ],
)
def test_a_recognized_format_is_named(
    content: bytes, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = write_manifest(tmp_path, content)
    assert run_twofold("split", manifest, "-o", tmp_path / "out") == 1
    assert f"{manifest} " in (message := capsys.readouterr().err)
    assert reason in message
    assert message.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "command"),
    [
        pytest.param(bz2.compress(TEXT.encode()), "bunzip2", id="bzip2"),
        pytest.param(lzma.compress(TEXT.encode()), "xz", id="xz"),
        pytest.param(TEXT.encode("utf-16"), "iconv", id="utf-16"),
        pytest.param(TEXT.encode("utf-16-le"), "iconv", id="utf-16 without a mark"),
        pytest.param(TEXT.encode("utf-32"), "iconv", id="utf-32"),
    ],
)
def test_the_command_in_the_message_makes_a_manifest(
    content: bytes, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = tmp_path / "it's packed"
    packed.write_bytes(content)
    assert run_twofold("split", packed, "-o", tmp_path / "out") == 1
    _, _, remedy = capsys.readouterr().err.rpartition(": ")
    assert shlex.split(remedy)[0] == command
    subprocess.run(["/bin/sh", "-c", remedy.strip().removesuffix(".")], cwd=tmp_path, check=True)
    assert (tmp_path / "all.manifest").read_text("utf-8-sig") == TEXT
    assert run_twofold("split", tmp_path / "all.manifest", "-o", tmp_path / "out") == 0


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        pytest.param(f"[{','.join(LINES)}]", "jq -c '.[]'", id="an array"),
        pytest.param(json.dumps(json.loads(LINES[0]), indent=1), "jq -c . ", id="several lines"),
    ],
)
def test_json_documents_are_named(
    content: str, remedy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = write_manifest(tmp_path, content.encode())
    assert run_twofold("split", manifest, "-o", tmp_path / "out") == 1
    assert remedy in capsys.readouterr().err


def test_a_manifest_with_errors_keeps_their_codes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["file,label", *LINES[:2], *["a.jpg,cat"] * 8]
    manifest = write_manifest(tmp_path, lines)
    assert run_twofold("split", manifest, "-o", tmp_path / "out") == 1
    assert "line 1: ERROR_INVALID_JSON_LINE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "s3://bucket/a b",
            "s3://bucket/a b is an address, and the command reads files. "
            "Download it: aws s3 cp 's3://bucket/a b' all.manifest.",
        ),
        ("https://host/all.manifest", "curl -o all.manifest https://host/all.manifest"),
        ("missing", "missing cannot be read: No such file or directory."),
    ],
)
@pytest.mark.parametrize("command", ["split", "push"])
def test_addresses_and_standard_input_are_refused_with_a_remedy(
    command: str,
    name: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    service = ("birds", "--bucket", "b", "--endpoint", "http://127.0.0.1:1")
    assert run_twofold(command, name, *(service if command == "push" else ("-o", "out"))) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (None, "is a folder. Name a file."),
        ("data.yaml", "is a folder, perhaps of a YOLO dataset."),
        ("train.manifest", "is a folder. Name a manifest in it, such as "),
    ],
)
def test_a_folder_is_refused_with_a_remedy(
    file: str | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if file:
        (tmp_path / file).touch()
    assert run_twofold("split", tmp_path, "-o", tmp_path / "out") == 1
    assert message in capsys.readouterr().err


def test_push_uploads_no_standard_input(capsys: pytest.CaptureFixture[str]) -> None:
    service = ("--bucket", "b", "--endpoint", "http://127.0.0.1:1")
    assert run_twofold("push", "-", "birds", *service) == 1
    assert "Save standard input to a file" in capsys.readouterr().err


def test_push_uploads_no_packed_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packed = write_manifest(tmp_path, gzip.compress(TEXT.encode()))
    service = ("--bucket", "b", "--endpoint", "http://127.0.0.1:1")
    assert run_twofold("push", packed, "birds", *service) == 1
    assert "is a gzip file" in capsys.readouterr().err


@pytest.mark.parametrize("lines", [LINES, [], ["x"], [make_line("a", "cat")]])
def test_texts_are_no_packed_files(lines: list[str], tmp_path: Path) -> None:
    assert describe_packed_file(write_manifest(tmp_path, lines)) is None
