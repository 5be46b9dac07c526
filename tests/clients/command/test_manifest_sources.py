"""Manifests with gzip, and from standard input."""

import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.command.terminal import make_labelled_lines, run_twofold, write_manifest

TWOFOLD = Path(sys.executable).with_name("twofold")
LINES = make_labelled_lines(100)
TEXT = "".join(f"{line}\n" for line in LINES).encode()
# Two members, as `cat a.gz b.gz` and parallel compressors make them.
PACKED = gzip.compress(TEXT[:5000]) + gzip.compress(TEXT[5000:])
FILES = ("train.manifest", "test.manifest")


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def run_command(
    scratch: Path, *arguments: object, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [str(TWOFOLD), *map(str, arguments)],
        env=os.environ | {"TMPDIR": str(scratch)},
        cwd=scratch.parent,
        capture_output=True,
        check=False,
        timeout=100,
        input=stdin,
    )


@pytest.mark.parametrize(
    ("name", "content", "stdin"),
    [
        pytest.param("all.manifest.gz", PACKED, b"", id="gzip"),
        pytest.param("-", b"", TEXT, id="standard input"),
        pytest.param("-", b"", PACKED, id="gzip on standard input"),
    ],
)
@pytest.mark.parametrize("options", [(), ("--folds", "2")], ids=["two parts", "folds"])
def test_the_split_has_the_bytes_of_the_split_of_the_plain_file(
    name: str, content: bytes, stdin: bytes, options: tuple[str, ...], tmp_path: Path, scratch: Path
) -> None:
    plain = write_manifest(tmp_path, TEXT)
    assert run_twofold("split", plain, "-o", tmp_path / "plain", *options) == 0
    source = name if name == "-" else str(tmp_path / name)
    if content:
        Path(source).write_bytes(content)
    split = run_command(scratch, "split", source, "-o", "out", *options, stdin=stdin)
    assert (split.returncode, split.stderr) == (0, b"")
    for file in FILES if not options else ("fold-1.manifest", "fold-2.manifest"):
        assert (tmp_path / "out" / file).read_bytes() == (tmp_path / "plain" / file).read_bytes()
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["source"]["manifest"] == ("stdin" if name == "-" else name)
    verified = run_command(scratch, "verify", "out", "--source", source, stdin=stdin)
    assert verified.returncode == 0, verified.stderr
    assert not list(scratch.iterdir())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(PACKED[:1000], "is a damaged gzip file: ", id="truncated"),
        pytest.param(
            PACKED[:50] + b"x" * 50 + PACKED[100:], "is a damaged gzip file: ", id="overwritten"
        ),
        pytest.param(gzip.compress(b""), "is empty.", id="empty"),
        pytest.param(gzip.compress(b"a,b\n1,2\n"), "looks like a CSV file", id="csv"),
    ],
)
@pytest.mark.parametrize("is_file", [True, False])
def test_an_unusable_source_is_named_without_the_copy(
    content: bytes, message: str, is_file: bool, tmp_path: Path, scratch: Path
) -> None:
    (tmp_path / "all.gz").write_bytes(content)
    split = run_command(
        scratch,
        "split",
        "all.gz" if is_file else "-",
        "-o",
        "out",
        stdin=b"" if is_file else content,
    )
    assert split.returncode == 1
    name = "all.gz" if is_file else "standard input"
    assert split.stderr.decode().startswith(f"twofold: {name} {message}")
    assert str(scratch) not in split.stderr.decode()
    assert not (tmp_path / "out").exists()
    assert not list(scratch.iterdir())


def test_a_copy_without_space_names_the_folder(tmp_path: Path) -> None:
    write_manifest(tmp_path, TEXT)
    process = subprocess.run(
        [
            "/bin/bash",
            "-c",
            f"ulimit -f 4; trap '' XFSZ; exec {TWOFOLD} split - -o out < all.manifest",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    assert "standard input cannot be copied to" in process.stderr
    assert "TMPDIR" in process.stderr


def test_a_stop_removes_the_copy(tmp_path: Path, scratch: Path) -> None:
    with subprocess.Popen(
        [str(TWOFOLD), "split", "-", "-o", "out"],
        env=os.environ | {"TMPDIR": str(scratch)},
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(TEXT)
        process.stdin.flush()
        while not list(scratch.glob("twofold-*")):
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143
        assert process.stderr.read() == b"Stopped; nothing was written.\n"
    assert not list(scratch.iterdir())
