"""`twofold verify` refuses a split with any false member of the report, or any false line of a manifest."""

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest
from xxhash import xxh3_64_intdigest

from tests.clients.command.terminal import read_split, run_twofold, write_manifest
from tests.clients.verify.mutations import Mutant, make_mutants
from tests.support.job import make_line
from tests.support.manifest_lines import make_box, make_box_line
from twofold_verify.__main__ import verify
from twofold_verify.report_schema import UNCHECKED_MEMBERS

Lines = list[str]
VerifyArguments = tuple[Path, Path | None, Path]
"""The folders of a split and of the previous split, and the source manifest."""
SplitFactory = Callable[[Path], VerifyArguments]
"""Makes a split in the folder `out`."""


def make_varied_lines(count: int, seed: int = 0) -> Lines:
    """Lines with rare and common labels, unlabelled entries, names in several folders; every tenth line is rejected."""
    random = Random(seed)
    lines = []
    for i in range(count):
        labels = random.sample("abcdef", random.randrange(4)) + ["rare"] * (i == 5)
        lines.append(make_line(f"video-{i % 7}/{i % 30}", *labels))
        if i % 10 == 9:
            lines.append(("", "{", '{"source-ref":"x"}', lines[0])[i // 10 % 4])
    return lines


def split_lines(
    folder: Path, lines: Lines, *options: object, previous: Path | None = None
) -> VerifyArguments:
    manifest = write_manifest(folder, lines)
    more = ("--previous", previous) if previous else ()
    assert run_twofold("split", manifest, "-o", folder / "out", *options, *more) == 0
    return folder / "out", previous, manifest


def make_labels(folder: Path) -> VerifyArguments:
    return split_lines(folder, make_varied_lines(40))


def make_groups(folder: Path) -> VerifyArguments:
    return split_lines(folder, make_varied_lines(50), "--group-by", r"(video-\d+)", "--seed", 9)


def make_singles(folder: Path) -> VerifyArguments:
    """Entries without a video are groups of their own."""
    lines = [*make_varied_lines(40), *(make_line(f"photo/{i}", "ab"[i % 2]) for i in range(8))]
    return split_lines(folder, lines, "--group-by", r"(video-\d+)", "--ungrouped", "single")


def make_levels(folder: Path) -> VerifyArguments:
    """Members with texts, numbers and missing values, in groups."""
    random = Random(3)
    lines = []
    for line in make_varied_lines(50):
        if "label0" in line:
            camera = random.choice(['"front"', '"a"', "2", "2.0", "true", "null", '""'])
            age = random.choice([random.randrange(9), random.random(), "null"])
            line = line.replace("{", f'{{"camera":{camera},"age":{age},', 1)
        lines.append(line)
    options = ("--group-by", r"(/\d+)", "--balance-by", "camera,age:3")
    return split_lines(folder, lines, *options)


def make_coverage(folder: Path) -> VerifyArguments:
    """A demand that costs deviation, for all labels but the rare one."""
    random = Random(5)
    lines = [make_line(i, random.choice("ab"), *("seldom",) * (i < 7)) for i in range(40)]
    lines += [make_line("rare", "rare")]
    arguments = split_lines(folder, lines, "--min-per-label", 3)
    coverage = json.loads((arguments[0] / "report.json").read_bytes())["coverage"]
    assert coverage["cost"] != "0"
    assert coverage["labelsWithTooFewImages"] == ["rare"]
    return arguments


def make_boxes(folder: Path) -> VerifyArguments:
    random = Random(1)
    boxes = [[make_box(random.randrange(2)) for _ in range(random.randrange(6))] for _ in range(40)]
    lines = [
        json.dumps(make_box_line(*some) | {"source-ref": f"s3://bucket/{i}.jpg"})
        for i, some in enumerate(boxes)
    ]
    return split_lines(folder, lines, "--objective", "labels-and-boxes", "--test-fraction", "1/3")


def make_previous(folder: Path) -> VerifyArguments:
    before = folder / "before"
    before.mkdir()
    split_lines(before, make_varied_lines(35))
    return split_lines(folder, make_varied_lines(42), previous=before / "out")


def make_renamed(folder: Path) -> VerifyArguments:
    """The previous split has the images in another bucket."""
    before = folder / "before"
    before.mkdir()
    lines = [line.replace("example-images", "earlier-images") for line in make_varied_lines(35)]
    split_lines(before, lines)
    return split_lines(folder, make_varied_lines(42), previous=before / "out")


def make_dual_bound(folder: Path) -> VerifyArguments:
    """Images with one of several labels, two or none: no split reaches the integrality floor, and multipliers prove it."""
    images = [make_line(str(i), *find_few_labels(i)) for i in range(40)]
    arguments = split_lines(folder, images)
    certificate = read_certificate(arguments)
    assert certificate["proof"] == "dual bound"
    assert certificate["dualBound"]["unlabelled"]
    return arguments


def find_few_labels(number: int) -> Lines:
    if number % 4 == 0:
        return []
    return ["abcde"[number**2 % 5], *(["v"] if number % 3 == 0 else [])]


def make_optimum(folder: Path) -> VerifyArguments:
    """Few groups with many labels and two levels: an integer programme proves the optimum, multipliers prove less."""
    random = Random(0)
    images = [
        make_line(f"video-{i % 13}/{i}", *random.sample("abcdefghijkl", random.randrange(2, 7)))
        for i in range(40)
    ]
    lines = [line.replace("{", f'{{"lens":{i * i % 3},', 1) for i, line in enumerate(images)]
    options = ("--group-by", r"(video-\d+)", "--balance-by", "lens")
    arguments = split_lines(folder, lines, *options)
    certificate = read_certificate(arguments)
    assert certificate["proof"] == "MILP optimum"
    assert Fraction(certificate["dualBound"]["bound"]) < Fraction(certificate["lowerBound"])
    assert certificate["dualBound"]["levels"]
    return arguments


def make_parts(folder: Path) -> VerifyArguments:
    return split_lines(folder, make_varied_lines(60), "--parts", "train=70,val=15,test=15")


def make_folds_of_groups(folder: Path) -> VerifyArguments:
    """Groups that do not add up to equal folds, in a split with an optimum that the floor does not prove."""
    lines = make_varied_lines(55)
    arguments = split_lines(folder, lines, "--folds", 3, "--group-by", r"(video-\d+)")
    certificate = read_certificate(arguments)
    assert certificate["proof"] == "MILP optimum"
    assert certificate["entriesWanted"] != certificate["entriesReached"]
    return arguments


def read_certificate(arguments: VerifyArguments) -> dict[str, Any]:
    certificate: dict[str, Any] = json.loads((arguments[0] / "report.json").read_bytes())[
        "certificate"
    ]
    return certificate


KINDS: tuple[SplitFactory, ...] = (
    make_parts,
    make_folds_of_groups,
    make_labels,
    make_groups,
    make_singles,
    make_levels,
    make_coverage,
    make_boxes,
    make_previous,
    make_renamed,
    make_dual_bound,
    make_optimum,
)


@pytest.fixture(params=KINDS, ids=lambda make: make.__name__)
def verify_arguments(request: pytest.FixtureRequest, tmp_path: Path) -> VerifyArguments:
    arguments: VerifyArguments = request.param(tmp_path)
    assert verify(*arguments) == 0
    return arguments


@pytest.fixture(scope="module")
def labels_split(tmp_path_factory: pytest.TempPathFactory) -> VerifyArguments:
    return make_labels(tmp_path_factory.mktemp("labels"))


def is_unchecked(mutant: Mutant) -> bool:
    """Returns whether verify lists the value as unchecked; verify still checks the type."""
    named = any(
        mutant.pattern == path or mutant.pattern.startswith(f"{path}.")
        for path in UNCHECKED_MEMBERS
    )
    return named and mutant.kind == "change"


def select_mutants(mutants: Iterable[Mutant]) -> Iterator[Mutant]:
    """Yields one mutant of line kind for every member, or all mutants if MUTANTS=all."""
    selected = set()
    for mutant in mutants:
        if (mutant.pattern, mutant.kind) not in selected or os.environ.get("MUTANTS") == "all":
            selected.add((mutant.pattern, mutant.kind))
            yield mutant


@pytest.mark.timeout(600)
def test_a_false_member_of_the_report_is_refused(
    verify_arguments: VerifyArguments, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "out" / "report.json"
    original = report.read_bytes()
    killed: Counter[str] = Counter()
    survivors = []
    for mutant in select_mutants(make_mutants(json.loads(original))):
        report.write_text(mutant.text)
        if verify(*verify_arguments) == 1:
            killed[mutant.kind] += 1
        elif not is_unchecked(mutant):
            survivors.append((mutant.pattern, mutant.kind))
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


def remove_one(lines: Lines, _: Lines) -> None:
    del lines[2]


def remove_last(lines: Lines, _: Lines) -> None:
    del lines[-1]


def repeat_one(lines: Lines, _: Lines) -> None:
    lines.insert(3, lines[2])


def move_one(lines: Lines, other: Lines) -> None:
    other.append(lines.pop(2))


def exchange_one(lines: Lines, other: Lines) -> None:
    lines[2], other[2] = other[2], lines[2]


def add_a_new_one(lines: Lines, _: Lines) -> None:
    lines.append(make_line("another", "a"))


def make_change(old: str, new: str) -> Callable[[Lines, Lines], None]:
    def replace_text(lines: Lines, _: Lines) -> None:
        position = next(i for i, line in enumerate(lines) if old in line)
        lines[position] = lines[position].replace(old, new, 1)

    replace_text.__name__ = f"{old}>{new}"
    return replace_text


LINE_CHANGES = (
    swap_neighbours,
    remove_one,
    remove_last,
    repeat_one,
    move_one,
    exchange_one,
    add_a_new_one,
    make_change(".jpg", ".png"),
    make_change("s3://", "S3://"),
    make_change("yes", "no"),
    make_change('"class-name":"', '"class-name":"x'),
    make_change('{"source-ref":', '{"source-ref":"s3://example-images/x","source-ref":'),
    make_change('{"source-ref":', '{"other":NaN,"source-ref":'),
    make_change('{"source-ref":', '{"other":1e999,"source-ref":'),
    make_change('{"source-ref":', '{"other":"\\ud800","source-ref":'),
    make_change('{"source-ref":', '{"other":' + "[" * 300 + "]" * 300 + ',"source-ref":'),
    make_change('{"source-ref":', '{"other":' + "[" * 40_000 + "]" * 40_000 + ',"source-ref":'),
    make_change('{"source-ref":', '{"other":"' + "x" * 100_000 + '","source-ref":'),
    make_change('{"source-ref":', '{"other":"' + "x" * 1_000_000 + '","source-ref":'),
    make_change('{"source-ref":', ' {"source-ref":'),
    make_change('{"source-ref":', '\n{"source-ref":'),
    make_change('{"source-ref":', '\ufeff{"source-ref":'),
    make_change("s3://", "https://"),
    make_change("s3://example-images", "s3://other-images"),
    make_change("s3://example-images/", "s3://example-images/" + "k" * 1024),
    make_change("source-ref", "sourceref"),
)


@pytest.mark.parametrize("has_source", [True, False], ids=["source", "no source"])
@pytest.mark.parametrize("side", ["train", "test"])
@pytest.mark.parametrize("harm", LINE_CHANGES, ids=lambda harm: harm.__name__[:60])
def test_a_false_line_is_refused_although_the_digests_match(
    harm: Callable[[Lines, Lines], None],
    side: str,
    has_source: bool,
    labels_split: VerifyArguments,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, source = shutil.copytree(labels_split[0], tmp_path / "out"), labels_split[2]
    train, test, _report = read_split(out)
    harm(*((train, test) if side == "train" else (test, train)))
    rewrite_split(out, train, test)
    capsys.readouterr()
    verdict = verify(out, None, source if has_source else None, as_json=True)
    answer = json.loads(capsys.readouterr().out)
    failed = {check["name"] for check in answer["checks"] if not check["passed"]}
    assert "contents" not in failed or failed & {"lines", "partition"}
    if harm in SAME_IMAGE and not has_source:
        return
    if has_source or harm not in FOUND_ONLY_WITH_SOURCE:
        assert verdict == 1
    else:
        assert verdict == 0
        assert any("with --source" in sentence for sentence in answer["notChecked"])


FOUND_ONLY_WITH_SOURCE = {
    line
    for line in LINE_CHANGES
    if line.__name__ in ("swap_neighbours", "yes>no", '{"source-ref":> {"source-ref":')
}


SAME_IMAGE = {line for line in LINE_CHANGES if line.__name__ == "s3://>S3://"}
"""The same image with another key: without the source only the order of keys can show it, by chance."""


def rewrite_split(out: Path, train: Lines, test: Lines) -> None:
    """Writes the manifests, and updates entries, bytes and digests in the report."""
    path = out / "report.json"
    report: dict[str, Any] = json.loads(path.read_bytes())
    total = 0
    for name, lines in (("train", train), ("test", test)):
        content = "".join(f"{line}\n" for line in lines).encode()
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
