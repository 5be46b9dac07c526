"""Whatever member of a report is false, and whatever line of a manifest, `twofold verify` refuses the split."""

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from xxhash import xxh3_64_intdigest

from tests.command.mutations import Mutant, mutate
from tests.command.terminal import read, twofold, written
from tests.job import line
from tests.unit.any_lines import any_box, any_box_line
from twofold_verify.__main__ import verify
from twofold_verify.members import UNCHECKED_MEMBERS

Lines = list[str]
Verified = tuple[Path, Path | None, Path]
"""The folders of a split and of the previous one, and the manifest that was split."""
Made = Callable[[Path], Verified]
"""Writes a split to the folder `out`."""


def various(count: int, seed: int = 0) -> Lines:
    """Rare and common labels, unlabelled entries, names in several folders, and among ten lines one that is no entry."""
    random = Random(seed)
    lines = []
    for i in range(count):
        labels = random.sample("abcdef", random.randrange(4)) + ["rare"] * (i == 5)
        lines.append(line(f"video-{i % 7}/{i % 30}", *labels))
        if i % 10 == 9:
            lines.append(("", "{", '{"source-ref":"x"}', lines[0])[i // 10 % 4])
    return lines


def split(folder: Path, lines: Lines, *options: object, previous: Path | None = None) -> Verified:
    manifest = written(folder, lines)
    told = ("--previous", previous) if previous else ()
    assert twofold("split", manifest, "-o", folder / "out", *options, *told) == 0
    return folder / "out", previous, manifest


def make_labels(folder: Path) -> Verified:
    return split(folder, various(40))


def make_groups(folder: Path) -> Verified:
    return split(folder, various(50), "--group-by", r"(video-\d+)", "--seed", 9)


def make_boxes(folder: Path) -> Verified:
    random = Random(1)
    boxes = [[any_box(random.randrange(2)) for _ in range(random.randrange(6))] for _ in range(40)]
    lines = [
        json.dumps(any_box_line(*some) | {"source-ref": f"s3://bucket/{i}.jpg"})
        for i, some in enumerate(boxes)
    ]
    return split(folder, lines, "--objective", "labels-and-boxes", "--test-fraction", "1/3")


def make_previous(folder: Path) -> Verified:
    before = folder / "before"
    before.mkdir()
    split(before, various(35))
    return split(folder, various(42), previous=before / "out")


def make_optimum(folder: Path) -> Verified:
    """Few groups with many labels: the integrality floor is out of reach, and a programme proves the optimum."""
    random = Random(0)
    images = [
        line(f"video-{i % 13}/{i}", *random.sample("abcdefghijkl", random.randrange(2, 7)))
        for i in range(40)
    ]
    verified = split(folder, images, "--group-by", r"(video-\d+)")
    report = json.loads((verified[0] / "report.json").read_bytes())
    assert report["certificate"]["proof"] == "MILP optimum"
    return verified


KINDS: tuple[Made, ...] = (make_labels, make_groups, make_boxes, make_previous, make_optimum)


@pytest.fixture(params=KINDS, ids=lambda make: make.__name__)
def verified(request: pytest.FixtureRequest, tmp_path: Path) -> Verified:
    arguments: Verified = request.param(tmp_path)
    assert verify(*arguments) == 0
    return arguments


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Verified:
    return make_labels(tmp_path_factory.mktemp("labels"))


def is_unchecked(mutant: Mutant) -> bool:
    """Whether verify says that it does not know this value; its form it knows."""
    named = any(
        mutant.pattern == path or mutant.pattern.startswith(f"{path}.")
        for path in UNCHECKED_MEMBERS
    )
    return named and mutant.how == "change"


def chosen(mutants: Iterable[Mutant]) -> Iterator[Mutant]:
    """Of every member one of each kind of mutant, or all of them where MUTANTS=all."""
    seen = set()
    for mutant in mutants:
        if (mutant.pattern, mutant.how) not in seen or os.environ.get("MUTANTS") == "all":
            seen.add((mutant.pattern, mutant.how))
            yield mutant


@pytest.mark.timeout(600)
def test_a_false_member_of_the_report_is_refused(
    verified: Verified, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "out" / "report.json"
    began = report.read_bytes()
    killed: Counter[str] = Counter()
    survivors = []
    for mutant in chosen(mutate(json.loads(began))):
        report.write_text(mutant.text)
        if verify(*verified) == 1:
            killed[mutant.how] += 1
        elif not is_unchecked(mutant):
            survivors.append((mutant.pattern, mutant.how))
        capsys.readouterr()
    assert survivors == []
    assert killed.keys() == {
        "change",
        "missing",
        "added",
        "repeated",
        "repeated key",
        "type",
        "order",
    }
    assert killed.total() > 300


def swap_neighbours(lines: Lines, _: Lines) -> None:
    lines[2], lines[3] = lines[3], lines[2]


def lose_one(lines: Lines, _: Lines) -> None:
    del lines[2]


def lose_the_last(lines: Lines, _: Lines) -> None:
    del lines[-1]


def repeat_one(lines: Lines, _: Lines) -> None:
    lines.insert(3, lines[2])


def move_one(lines: Lines, other: Lines) -> None:
    other.append(lines.pop(2))


def exchange_one(lines: Lines, other: Lines) -> None:
    lines[2], other[2] = other[2], lines[2]


def add_a_new_one(lines: Lines, _: Lines) -> None:
    lines.append(line("another", "a"))


def change(old: str, new: str) -> Callable[[Lines, Lines], None]:
    def mend(lines: Lines, _: Lines) -> None:
        place = next(i for i, each in enumerate(lines) if old in each)
        lines[place] = lines[place].replace(old, new, 1)

    mend.__name__ = f"{old}>{new}"
    return mend


ON_LINES = (
    swap_neighbours,
    lose_one,
    lose_the_last,
    repeat_one,
    move_one,
    exchange_one,
    add_a_new_one,
    change(".jpg", ".png"),
    change("s3://", "S3://"),
    change("yes", "no"),
    change('"class-name":"', '"class-name":"x'),
    change('{"source-ref":', '{"source-ref":"s3://example-images/x","source-ref":'),
    change('{"source-ref":', '{"other":NaN,"source-ref":'),
    change('{"source-ref":', '{"other":1e999,"source-ref":'),
    change('{"source-ref":', '{"other":"\\ud800","source-ref":'),
    change('{"source-ref":', '{"other":' + "[" * 300 + "]" * 300 + ',"source-ref":'),
    change('{"source-ref":', '{"other":' + "[" * 40_000 + "]" * 40_000 + ',"source-ref":'),
    change('{"source-ref":', '{"other":"' + "x" * 100_000 + '","source-ref":'),
    change('{"source-ref":', '{"other":"' + "x" * 1_000_000 + '","source-ref":'),
    change('{"source-ref":', ' {"source-ref":'),
    change('{"source-ref":', '\n{"source-ref":'),
    change('{"source-ref":', '\ufeff{"source-ref":'),
    change("s3://", "https://"),
    change("s3://example-images", "s3://other-images"),
    change("s3://example-images/", "s3://example-images/" + "k" * 1024),
    change("source-ref", "sourceref"),
)


@pytest.mark.parametrize("at_hand", [True, False], ids=["source", "no source"])
@pytest.mark.parametrize("side", ["train", "test"])
@pytest.mark.parametrize("harm", ON_LINES, ids=lambda harm: harm.__name__[:60])
def test_a_false_line_is_refused_though_the_digests_are_mended(
    harm: Callable[[Lines, Lines], None],
    side: str,
    at_hand: bool,
    labels: Verified,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, source = shutil.copytree(labels[0], tmp_path / "out"), labels[2]
    train, test, _report = read(out)
    harm(*((train, test) if side == "train" else (test, train)))
    mend(out, train, test)
    capsys.readouterr()
    verdict = verify(out, None, source if at_hand else None, as_json=True)
    answer = json.loads(capsys.readouterr().out)
    failed = {check["name"] for check in answer["checks"] if not check["passed"]}
    assert "contents" not in failed or failed & {"lines", "partition"}
    if harm in SAME_IMAGE and not at_hand:
        return
    if at_hand or harm not in SEEN_WITH_THE_SOURCE_ALONE:
        assert verdict == 1
    else:
        assert verdict == 0
        assert any("name it with --source" in sentence for sentence in answer["notChecked"])


SEEN_WITH_THE_SOURCE_ALONE = {
    each
    for each in ON_LINES
    if each.__name__ in ("swap_neighbours", "yes>no", '{"source-ref":> {"source-ref":')
}


SAME_IMAGE = {each for each in ON_LINES if each.__name__ == "s3://>S3://"}
"""The same image by another key: without the source only the order can show it, and only by chance."""


def mend(out: Path, train: Lines, test: Lines) -> None:
    """Writes the manifests, and into the report what can be told of them without reading a line."""
    path = out / "report.json"
    report: dict[str, Any] = json.loads(path.read_bytes())
    total = 0
    for name, lines in (("train", train), ("test", test)):
        content = "".join(f"{each}\n" for each in lines).encode()
        (out / f"{name}.manifest").write_bytes(content)
        digest = sum(map(xxh3_64_intdigest, content.split(b"\n")[:-1])) % (1 << 64)
        total += digest
        report["datasets"][name] |= {
            "entries": len(lines),
            "bytes": len(content),
            "digest": f"{digest:016x}",
        }
    report["source"] |= {
        "entries": len(train) + len(test),
        "digest": f"{total % (1 << 64):016x}",
    }
    path.write_text(json.dumps(report))
