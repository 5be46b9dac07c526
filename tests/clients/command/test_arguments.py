"""Messages of a refused split name counts, codes, lines, buckets and groups."""

import json
import re
from pathlib import Path

import pytest

from tests.clients.command.terminal import read_split, run_twofold, write_manifest
from tests.support.job import make_line, make_two_label_lines
from tests.support.manifest_lines import make_box, make_box_line


def read_refusal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: list[str], *more: str
) -> str:
    manifest = write_manifest(tmp_path, lines)
    assert run_twofold("split", manifest, "-o", tmp_path / "out", *more) == 1
    return capsys.readouterr().err


def make_unlabelled_lines(count: int, **members: object) -> list[str]:
    """Returns lines without labels, with further members."""
    return [json.dumps({"source-ref": f"s3://pond/{n}.jpg"} | members) for n in range(count)]


MASK = {"type": "groundtruth/semantic-segmentation"}


@pytest.mark.parametrize(
    ("members", "code"),
    [
        (make_box_line(make_box(height=-50)), "ERROR_INVALID_BOUNDING_BOX"),
        (
            make_box_line(make_box(left=0.1, top=0.1, width=0.3, height=0.3)),
            "ERROR_BOUNDING_BOX_TOO_SMALL",
        ),
        ({"m-ref": "s3://pond/m.png", "m-ref-metadata": MASK}, "ERROR_UNSUPPORTED_USE_CASE_TYPE"),
        ({"moderation": {"ModerationLabels": [{"Name": "Smoking"}]}}, "ERROR_NO_LABEL_ATTRIBUTES"),
        (
            {"class": "0", "class-metadata": {"class-name": "toad"}},
            "ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT",
        ),
        ({"patient": "p3"}, "ERROR_NO_LABEL_ATTRIBUTES"),
    ],
)
def test_the_refusal_counts_labels_with_errors(
    members: dict[str, object], code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    members = {key: value for key, value in members.items() if key != "source-ref"}
    told = read_refusal(tmp_path, capsys, make_unlabelled_lines(20, **members))
    assert "doesn't have enough labeled images to distribute the dataset." in told
    assert f"20 of 20 entries have errors in their labels: {code} (20), the first on line 1" in told


def test_lines_are_those_of_the_source_also_behind_dropped_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [make_line(n).replace("example-images", "pond") for n in range(100, 119)]
    told = read_refusal(tmp_path, capsys, ["{", *lines, *make_unlabelled_lines(1, patient="p3")])
    assert (
        "1 of 20 entries has errors in their labels: ERROR_NO_LABEL_ATTRIBUTES (1), the first on line 21"
        in told
    )


def test_the_report_has_every_error_code_of_the_split(tmp_path: Path) -> None:
    lines = [
        *make_two_label_lines(20),
        *make_unlabelled_lines(
            3, **{k: v for k, v in make_box_line(make_box(height=-50)).items() if k != "source-ref"}
        ),
    ]
    lines = [one.replace("s3://pond/", "s3://example-images/x") for one in lines]
    assert run_twofold("split", write_manifest(tmp_path, ["{", *lines]), "-o", tmp_path) == 0
    source = read_split(tmp_path)[2]["source"]
    assert isinstance(source, dict)
    assert source["errors"] == [
        {"code": "ERROR_INVALID_BOUNDING_BOX", "entries": 3, "firstLine": 22},
        {"code": "ERROR_NO_VALID_ANNOTATIONS", "entries": 3, "firstLine": 22},
    ]


def test_buckets_are_named_each_with_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = make_two_label_lines(30)
    lines[9:9] = ['{"source-ref":"s3://pond-eu/x"}']
    told = read_refusal(tmp_path, capsys, ["{", *lines])
    assert (
        "The manifest file contains images from multiple S3 buckets. "
        "The image of line 2 is in the bucket example-images, that of line 11 in pond-eu."
    ) in told


def test_a_label_in_one_group_is_distinguished_from_a_rare_label(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [make_line(f"v0/{n}", "newt") for n in range(60)]
    lines += [make_line(f"v{1 + n % 20}/{n}", "toad") for n in range(200)] + [
        make_line("v7/rare", "eft")
    ]
    manifest = write_manifest(tmp_path, lines)
    assert run_twofold("split", manifest, "-o", tmp_path / "out", "--group-by", "/(v[0-9]+)/") == 0
    told = capsys.readouterr().out
    report = read_split(tmp_path / "out")[2]
    missing = [*report["labelsMissingInTest"], *report["labelsMissingInTrain"]]  # type: ignore[misc]
    assert sorted(missing) == ["eft", "newt"]
    assert report["groups"]["labelsInOneGroup"] == ["newt"]  # type: ignore[index]
    assert re.search(r"all images in one group, none in the \w+ set: newt\.", told)
    assert "Labels with too few images for the" in told
    assert "set: eft." in told
