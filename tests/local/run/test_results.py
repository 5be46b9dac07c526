"""The files in OUT: all four or none, and a partition of the source manifest."""

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.emulator.server import Emulator
from local.run import results
from local.run.job import RunError
from local.run.results import RejectedLine, ResultStore, check_partition, stage_files
from twofold_command.split_files import FILES

TRAIN, TEST, REJECTED = "train", "test", "dropped"

Lines = list[tuple[bytes, str]]


def _reject_repeated_lines(lines: Lines) -> Lines:
    """Reject all but the first of equal lines, like the service."""
    first = {line: number for number, (line, _) in reversed(list(enumerate(lines)))}
    return [
        (line, where if first[line] == number else REJECTED)
        for number, (line, where) in enumerate(lines)
    ]


line_contents = st.binary(max_size=6).map(
    lambda text: b"{" + text.replace(b"\n", b"").replace(b"\r", b"")
)
divided_lines = st.lists(
    st.tuples(line_contents, st.sampled_from([TRAIN, TEST, REJECTED])), max_size=12
)
divided_lines = divided_lines.map(_reject_repeated_lines)


def _write_files(folder: Path) -> None:
    for name in FILES:
        (folder / name).write_text(f"new {name}")


def _stage_and_interrupt(out: Path) -> None:
    with stage_files(out) as folder:
        _write_files(folder)
        raise KeyboardInterrupt


def _stage_without_report(out: Path) -> None:
    with stage_files(out) as folder:
        _write_files(folder)
        (folder / "report.json").unlink()


def _check_division(lines: Lines, source: bytes, **changed: bytes) -> None:
    sides = {
        side: b"".join(line + b"\n" for line, where in lines if where == side)
        for side in (TRAIN, TEST)
    }
    counts = {side: {"entries": body.count(b"\n")} for side, body in sides.items()}
    numbered = enumerate(lines, 1)
    dropped = [
        RejectedLine(number, "R", "") for number, (_, where) in numbered if where == REJECTED
    ]
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "source").write_bytes(source)
        for side, body in (sides | changed).items():
            (folder / f"{side}.manifest").write_bytes(body)
        check_partition(folder / "source", folder, dropped, {"datasets": counts})


@given(divided_lines, st.sampled_from([b"\n", b"\r\n"]), st.sampled_from([b"", b"\xef\xbb\xbf"]))
def test_every_division_of_the_lines_is_a_partition(
    lines: Lines, ending: bytes, mark: bytes
) -> None:
    mark = mark if lines else b""
    _check_division(lines, mark + b"".join(line + ending for line, _ in lines))


@given(st.lists(st.sampled_from([TRAIN, TEST]), min_size=1, max_size=8), st.data())
def test_a_lost_repeated_changed_or_reordered_line_is_an_error(
    sides: list[str], data: st.DataObject
) -> None:
    lines = [(b"%d" % number, side) for number, side in enumerate(sides)]
    source = b"".join(line + b"\n" for line, _ in lines)
    side = data.draw(st.sampled_from(sorted(set(sides))))
    held = [line + b"\n" for line, where in lines if where == side]
    wrong = [held[1:], [*held, held[0]], [b"x" + held[0], *held[1:]], [*held, b"more\n"]]
    wrong += [[*held[:-2], after, before] for before, after in pairwise(held[-2:])]
    with pytest.raises(RunError, match=r"Line \d+ is|have a line|are not"):
        _check_division(lines, source, **{side: b"".join(data.draw(st.sampled_from(wrong)))})


def test_a_new_folder_appears_with_all_files(tmp_path: Path) -> None:
    out = tmp_path / "a" / "out"
    with stage_files(out) as folder:
        _write_files(folder)
        assert not out.exists()
    assert sorted(path.name for path in out.iterdir()) == sorted(FILES)
    assert list(out.parent.iterdir()) == [out]


def test_an_existing_folder_keeps_its_other_files(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "report.json").write_text("old")
    with stage_files(tmp_path) as folder:
        _write_files(folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted((*FILES, "mine"))
    assert (tmp_path / "report.json").read_text() == "new report.json"


@pytest.mark.parametrize("existing", [True, False])
def test_a_failed_run_leaves_no_files(tmp_path: Path, existing: bool) -> None:
    out = tmp_path / "out"
    if existing:
        out.mkdir()
    with pytest.raises(KeyboardInterrupt):
        _stage_and_interrupt(out)
    assert list(tmp_path.rglob("*")) == ([out] if existing else [])


def test_a_failed_publication_restores_the_old_files(tmp_path: Path) -> None:
    (tmp_path / "train.manifest").write_text("old")
    with pytest.raises(RunError, match="No such file or directory"):
        _stage_without_report(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["train.manifest"]
    assert (tmp_path / "train.manifest").read_text() == "old"


def test_an_unusable_output_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="file: Not a directory"):
        stage_files(tmp_path / "file").__enter__()
    (tmp_path / "out" / "report.json").mkdir(parents=True)
    with pytest.raises(RunError, match=r"report\.json is a folder"):
        stage_files(tmp_path / "out").__enter__()
    assert (tmp_path / "out" / "report.json").is_dir()


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 20_000])
def test_a_manifest_is_downloaded_by_ranges(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(results, "PART_BYTES", 1000)
    monkeypatch.setattr(results, "_BUFFER_BYTES", 300)
    body = bytes(number % 251 for number in range(size))
    s3, moved = emulator.create_client("s3"), list[int]()
    s3.create_bucket(Bucket="fetched")
    s3.put_object(Bucket="fetched", Key="a/b", Body=body)
    dataset = {"manifest": "s3://fetched/a/b", "bytes": size}
    ResultStore(s3, "fetched").download_manifest(dataset, tmp_path / "fetched", moved.append)
    assert (tmp_path / "fetched").read_bytes() == body
    assert sum(moved) == size
