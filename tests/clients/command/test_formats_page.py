"""docs/formats.md: `twofold split --strict` accepts each example, and finds the labels and errors that the page states."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.clients.command.terminal import run_twofold, write_manifest

PAGE = (Path(__file__).parents[3] / "docs" / "formats.md").read_text()
EXAMPLES = dict(
    zip(
        ("image-level", "attributes", "multi-label job", "boxes", "unlabelled", "members"),
        re.findall(r"```json\n(.*)\n```", PAGE),
        strict=True,
    )
)
LABELS = {
    "image-level": {"robin"},
    "attributes": {"lawn", "sun"},
    "multi-label job": {"fox", "newt"},
    "boxes": {"heron", "frog"},
    "unlabelled": set[str](),
    "members": {"none"},
}
FAULTS = re.findall(r"^\| `(\{.*)` \| `(ERROR_\w+)` \|$", PAGE, re.M)


def make_lines(example: str, count: int) -> list[str]:
    """Return the example with `count` other images, groups and ages."""
    document = json.loads(example)
    lines = []
    for number in range(count):
        document["source-ref"] = f"s3://my-images/{number}.jpg"
        if "patient" in document:
            document |= {"patient": f"p{number // 5}", "age": number}
        lines.append(json.dumps(document))
    return lines


def split_lines(lines: list[str], folder: Path, *options: str) -> dict[str, Any]:
    manifest = write_manifest(folder, lines)
    assert run_twofold("split", manifest, "-o", folder / "out", "--strict", *options) == 0
    report: dict[str, Any] = json.loads((folder / "out" / "report.json").read_text())
    return report


@pytest.mark.parametrize("shape", LABELS)
def test_an_example_is_an_entry_without_errors(shape: str, tmp_path: Path) -> None:
    other_labels = "members" if shape == "unlabelled" else "unlabelled"
    lines = make_lines(EXAMPLES[shape], 50)
    others = [
        line.replace("/my-images/", "/my-images/o")
        for line in make_lines(EXAMPLES[other_labels], 50)
    ]
    report = split_lines([*lines, *others], tmp_path)
    assert {label["label"] for label in report["labels"]} == LABELS[shape] | LABELS[other_labels]


def test_the_groups_and_balanced_members_of_the_page_work(tmp_path: Path) -> None:
    lines = make_lines(EXAMPLES["members"], 50)
    options = ("--group-by", "patient", "--balance-by", "camera,age:5")
    assert all(option in PAGE for option in (" ".join(options[:2]), " ".join(options[2:])))
    assert split_lines(lines, tmp_path, *options)["groups"]["groups"] == 10


@pytest.mark.parametrize(("line", "code"), FAULTS)
def test_a_faulty_line_has_the_code_of_the_page(
    line: str, code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = write_manifest(tmp_path, [*make_lines(EXAMPLES["image-level"], 50), line])
    assert run_twofold("split", manifest, "-o", tmp_path / "out", "--strict") == 1
    assert code in capsys.readouterr().err


def test_the_page_has_faulty_lines() -> None:
    assert len(FAULTS) == 4
