"""Upgrades: contents of older releases are listed and split; contents of newer releases are rejected and kept."""

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from tests import golden
from tests.golden.__main__ import MANIFEST, create_project, read_stored
from tests.support.in_process_api import InProcessApi, serve_api
from tests.support.log_lines import parse_lines
from twofold.manifest.index import columns
from twofold.manifest.index.dataset_index import DatasetIndex

RELEASES = sorted(folder for folder in Path(golden.__file__).parent.iterdir() if folder.is_dir())
RELEASES = [folder for folder in RELEASES if (folder / "items.json").exists()]
every_release = pytest.mark.parametrize("release", RELEASES, ids=lambda folder: folder.name)


@pytest.fixture
def api(aws: None) -> Iterator[InProcessApi]:
    with serve_api() as api:
        yield api


def _load_release(api: InProcessApi, release: Path) -> tuple[str, str]:
    """Store the items and objects of a release; return the ARNs (train, test)."""
    for item in json.loads((release / "items.json").read_text()):
        boto3.client("dynamodb").put_item(TableName=api.name, Item=item)
    objects = release / "objects"
    for file in objects.rglob("entries.*"):
        key = file.relative_to(objects).as_posix()
        boto3.client("s3").put_object(Bucket=api.name, Key=key, Body=file.read_bytes())
    (project,) = api.call_successfully("DescribeProjects")["ProjectDescriptions"]
    arns = {dataset["DatasetType"]: dataset["DatasetArn"] for dataset in project["Datasets"]}
    return arns["TRAIN"], arns["TEST"]


def _list_index_keys(api: InProcessApi) -> list[str]:
    listed = boto3.client("s3").list_objects_v2(Bucket=api.name, Prefix="contents/")["Contents"]
    return [item["Key"] for item in listed if item["Key"].endswith(".index")]


def test_every_format_version_has_a_stored_release() -> None:
    assert [folder.name for folder in RELEASES] == [f"v{n + 1}" for n in range(columns._VERSION)]


@every_release
def test_older_contents_are_listed(api: InProcessApi, release: Path) -> None:
    train, _ = _load_release(api, release)
    entries = api.call_successfully("ListDatasetEntries", DatasetArn=train)["DatasetEntries"]
    sources = [json.loads(line)["source-ref"] for line in MANIFEST]
    assert [json.loads(entry)["source-ref"] for entry in entries] == sources
    labels = api.call_successfully("ListDatasetLabels", DatasetArn=train)[
        "DatasetLabelDescriptions"
    ]
    assert {label["LabelName"] for label in labels} == {"dög", "cat"}
    described = api.call_successfully("DescribeDataset", DatasetArn=train)["DatasetDescription"]
    assert described["DatasetStats"]["TotalEntries"] == len(MANIFEST)
    assert described["DatasetStats"]["TotalLabels"] == 2


@every_release
def test_older_contents_and_new_contents_have_the_same_split(
    api: InProcessApi, release: Path
) -> None:
    train, test = _load_release(api, release)
    api.call_successfully("DistributeDatasetEntries", Datasets=[{"Arn": train}, {"Arn": test}])
    test_entries = api.call_successfully("ListDatasetEntries", DatasetArn=test)["DatasetEntries"]
    with serve_api() as fresh:
        create_project(fresh)
        (project,) = fresh.call_successfully("DescribeProjects")["ProjectDescriptions"]
        pair = [{"Arn": dataset["DatasetArn"]} for dataset in project["Datasets"]]
        fresh.call_successfully("DistributeDatasetEntries", Datasets=pair)
        kinds = {dataset["DatasetType"]: dataset["DatasetArn"] for dataset in project["Datasets"]}
        again = fresh.call_successfully("ListDatasetEntries", DatasetArn=kinds["TEST"])[
            "DatasetEntries"
        ]
    assert test_entries == again
    assert len(test_entries) == 4


@every_release
def test_error_codes_are_a_column_since_version_2(release: Path) -> None:
    (file,) = release.rglob("entries.index")
    _, stored = columns.unpack_columns(file.read_bytes())
    assert ("codes" in stored) == (release.name != "v1")
    index = DatasetIndex.decode(file.read_bytes())
    assert (len(index), index.codes.size) == (len(MANIFEST), 0)


def test_the_written_format_equals_the_stored_format_of_its_version(api: InProcessApi) -> None:
    """A changed format needs a new version, and a new folder in tests/golden."""
    create_project(api)
    _, objects = read_stored(api)
    (written,) = [body for key, body in objects.items() if key.endswith(".index")]
    (stored_index,) = RELEASES[-1].rglob("entries.index")
    assert written == stored_index.read_bytes()


def test_contents_of_a_newer_release_are_rejected_and_kept(
    api: InProcessApi, capsys: pytest.CaptureFixture[str]
) -> None:
    train, test = _load_release(api, RELEASES[-1])
    (key,) = _list_index_keys(api)
    s3 = boto3.client("s3")
    newer = bytearray(s3.get_object(Bucket=api.name, Key=key)["Body"].read())
    newer[len(columns._NAME)] += 1
    s3.put_object(Bucket=api.name, Key=key, Body=bytes(newer))
    api.call_successfully("DistributeDatasetEntries", Datasets=[{"Arn": train}, {"Arn": test}])
    described = api.call_successfully("DescribeDataset", DatasetArn=train)["DatasetDescription"]
    assert described["Status"] == "UPDATE_FAILED"
    assert described["DatasetStats"]["TotalEntries"] == len(MANIFEST)
    assert "A newer release wrote it: deploy that one again." in described["StatusMessage"]
    failed = [
        line for line in parse_lines(capsys.readouterr().out) if line.get("message") == "failed"
    ]
    expected = f"format version {columns._VERSION + 1}; this release reads up to {columns._VERSION}"
    assert expected in failed[0]["exception"]
    s3.put_object(Bucket=api.name, Key=key, Body=(next(RELEASES[-1].rglob("*.index"))).read_bytes())
    api.call_successfully("DistributeDatasetEntries", Datasets=[{"Arn": train}, {"Arn": test}])
    again = api.call_successfully("DescribeDataset", DatasetArn=test)["DatasetDescription"]
    assert again["Status"] == "UPDATE_COMPLETE", "read by the release that wrote it"
