"""What a refusal names: counts, codes, lines, buckets, groups."""

import json
from pathlib import Path

import pytest

from tests.command.terminal import read, twofold, written
from tests.job import line, two_labels
from tests.unit.any_lines import any_box, any_box_line


def refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: list[str], *more: str
) -> str:
    manifest = written(tmp_path, lines)
    assert twofold("split", manifest, "-o", tmp_path / "out", *more) == 1
    return capsys.readouterr().err


def other(count: int, **members: object) -> list[str]:
    """Lines of no label that Twofold takes."""
    return [json.dumps({"source-ref": f"s3://pond/{n}.jpg"} | members) for n in range(count)]


MASK = {"type": "groundtruth/semantic-segmentation"}


@pytest.mark.parametrize(
    ("members", "code"),
    [
        (any_box_line(any_box(height=-50)), "ERROR_INVALID_BOUNDING_BOX"),
        (
            any_box_line(any_box(left=0.1, top=0.1, width=0.3, height=0.3)),
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
def test_labels_that_cannot_be_read_are_the_reason_that_is_told(
    members: dict[str, object], code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    members = {key: value for key, value in members.items() if key != "source-ref"}
    told = refused(tmp_path, capsys, other(20, **members))
    assert "doesn't have enough labeled images to distribute the dataset." in told
    assert f"20 of 20 entries have errors in their labels: {code} (20), the first on line 1" in told


def test_lines_are_those_of_the_source_also_behind_dropped_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [line(n).replace("example-images", "pond") for n in range(100, 119)]
    told = refused(tmp_path, capsys, ["{", *lines, *other(1, patient="p3")])
    assert (
        "1 of 20 entries has errors in their labels: ERROR_NO_LABEL_ATTRIBUTES (1), the first on line 21"
        in told
    )


def test_the_report_has_every_code_of_a_split_that_is_made(tmp_path: Path) -> None:
    lines = [
        *two_labels(20),
        *other(
            3, **{k: v for k, v in any_box_line(any_box(height=-50)).items() if k != "source-ref"}
        ),
    ]
    lines = [one.replace("s3://pond/", "s3://example-images/x") for one in lines]
    assert twofold("split", written(tmp_path, ["{", *lines]), "-o", tmp_path) == 0
    source = read(tmp_path)[2]["source"]
    assert isinstance(source, dict)
    assert source["errors"] == [
        {"code": "ERROR_INVALID_BOUNDING_BOX", "entries": 3, "firstLine": 22},
        {"code": "ERROR_NO_VALID_ANNOTATIONS", "entries": 3, "firstLine": 22},
    ]


def test_buckets_are_named_each_with_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = two_labels(30)
    lines[9:9] = ['{"source-ref":"s3://pond-eu/x"}']
    told = refused(tmp_path, capsys, ["{", *lines])
    assert (
        "The manifest file contains images from multiple S3 buckets. "
        "The image of line 2 is in the bucket example-images, that of line 11 in pond-eu."
    ) in told


def test_a_label_of_one_group_is_missing_for_its_group_and_not_for_want_of_images(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [line(f"v0/{n}", "newt") for n in range(60)]
    lines += [line(f"v{1 + n % 20}/{n}", "toad") for n in range(200)] + [line("v7/rare", "eft")]
    manifest = written(tmp_path, lines)
    assert twofold("split", manifest, "-o", tmp_path / "out", "--group-by", "/(v[0-9]+)/") == 0
    told = capsys.readouterr().out
    report = read(tmp_path / "out")[2]
    missing = [*report["labelsMissingInTest"], *report["labelsMissingInTrain"]]  # type: ignore[misc]
    assert sorted(missing) == ["eft", "newt"]
    assert report["groups"]["labelsInOneGroup"] == ["newt"]  # type: ignore[index]
    assert "since all images are in one group: newt." in told
    assert "Too few images to be in the" in told
    assert "manifest: eft." in told
