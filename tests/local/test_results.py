"""What a run leaves in OUT: all four files or none, and a partition of what it was given."""

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local import results
from local.job import JobError
from local.results import Dropped, Store, check_partition, staged
from local.stack import Stack
from twofold_command.outputs import FILES

TRAIN, TEST, DROPPED = "train", "test", "dropped"

Lines = list[tuple[bytes, str]]


def _repeats_dropped(lines: Lines) -> Lines:
    """As the service does: of the same lines only the first can stay."""
    first = {line: number for number, (line, _) in reversed(list(enumerate(lines)))}
    return [
        (line, where if first[line] == number else DROPPED)
        for number, (line, where) in enumerate(lines)
    ]


contents = st.binary(max_size=6).map(
    lambda text: b"{" + text.replace(b"\n", b"").replace(b"\r", b"")
)
divided = st.lists(st.tuples(contents, st.sampled_from([TRAIN, TEST, DROPPED])), max_size=12)
divided = divided.map(_repeats_dropped)


def _write(folder: Path) -> None:
    for name in FILES:
        (folder / name).write_text(f"new {name}")


def _interrupted(out: Path) -> None:
    with staged(out) as folder:
        _write(folder)
        raise KeyboardInterrupt


def _without_report(out: Path) -> None:
    with staged(out) as folder:
        _write(folder)
        (folder / "report.json").unlink()


def _check(lines: Lines, source: bytes, **changed: bytes) -> None:
    sides = {
        side: b"".join(line + b"\n" for line, where in lines if where == side)
        for side in (TRAIN, TEST)
    }
    counts = {side: {"entries": body.count(b"\n")} for side, body in sides.items()}
    numbered = enumerate(lines, 1)
    dropped = [Dropped(number, "R", "") for number, (_, where) in numbered if where == DROPPED]
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "source").write_bytes(source)
        for side, body in (sides | changed).items():
            (folder / f"{side}.manifest").write_bytes(body)
        check_partition(folder / "source", folder, dropped, {"datasets": counts})


@given(divided, st.sampled_from([b"\n", b"\r\n"]), st.sampled_from([b"", b"\xef\xbb\xbf"]))
def test_every_division_of_the_lines_is_a_partition(
    lines: Lines, ending: bytes, mark: bytes
) -> None:
    mark = mark if lines else b""
    _check(lines, mark + b"".join(line + ending for line, _ in lines))


@given(st.lists(st.sampled_from([TRAIN, TEST]), min_size=1, max_size=8), st.data())
def test_a_line_that_is_lost_twice_there_changed_or_out_of_order_is_found(
    sides: list[str], data: st.DataObject
) -> None:
    lines = [(b"%d" % number, side) for number, side in enumerate(sides)]
    source = b"".join(line + b"\n" for line, _ in lines)
    side = data.draw(st.sampled_from(sorted(set(sides))))
    held = [line + b"\n" for line, where in lines if where == side]
    wrong = [held[1:], [*held, held[0]], [b"x" + held[0], *held[1:]], [*held, b"more\n"]]
    wrong += [[*held[:-2], after, before] for before, after in pairwise(held[-2:])]
    with pytest.raises(JobError, match=r"Line \d+ is|have a line|are not"):
        _check(lines, source, **{side: b"".join(data.draw(st.sampled_from(wrong)))})


def test_a_new_folder_appears_with_all_three_files(tmp_path: Path) -> None:
    out = tmp_path / "a" / "out"
    with staged(out) as folder:
        _write(folder)
        assert not out.exists()
    assert sorted(path.name for path in out.iterdir()) == sorted(FILES)
    assert list(out.parent.iterdir()) == [out]


def test_a_folder_that_is_there_keeps_its_other_files(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "report.json").write_text("old")
    with staged(tmp_path) as folder:
        _write(folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted((*FILES, "mine"))
    assert (tmp_path / "report.json").read_text() == "new report.json"


@pytest.mark.parametrize("existing", [True, False])
def test_nothing_is_left_of_a_run_that_failed(tmp_path: Path, existing: bool) -> None:
    out = tmp_path / "out"
    if existing:
        out.mkdir()
    with pytest.raises(KeyboardInterrupt):
        _interrupted(out)
    assert list(tmp_path.rglob("*")) == ([out] if existing else [])


def test_a_file_that_cannot_be_put_in_place_puts_the_others_back(tmp_path: Path) -> None:
    (tmp_path / "train.manifest").write_text("old")
    with pytest.raises(JobError, match="No such file or directory"):
        _without_report(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["train.manifest"]
    assert (tmp_path / "train.manifest").read_text() == "old"


def test_an_out_that_is_a_file_or_holds_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JobError, match="file: Not a directory"):
        staged(tmp_path / "file").__enter__()
    (tmp_path / "out" / "report.json").mkdir(parents=True)
    with pytest.raises(JobError, match=r"report\.json is a folder"):
        staged(tmp_path / "out").__enter__()
    assert (tmp_path / "out" / "report.json").is_dir()


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 20_000])
def test_a_manifest_is_fetched_whole_from_its_ranges(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(results, "PART_BYTES", 1000)
    monkeypatch.setattr(results, "_STEP_BYTES", 300)
    body = bytes(number % 251 for number in range(size))
    s3, moved = stack.client("s3"), list[int]()
    s3.create_bucket(Bucket="fetched")
    s3.put_object(Bucket="fetched", Key="a/b", Body=body)
    dataset = {"manifest": "s3://fetched/a/b", "bytes": size}
    Store(s3, "fetched").fetch(dataset, tmp_path / "fetched", moved.append)
    assert (tmp_path / "fetched").read_bytes() == body
    assert sum(moved) == size
