"""An upgrade: contents that older releases wrote are read, listed and split; those of newer ones are refused and stay."""

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from tests import golden
from tests.golden.__main__ import MANIFEST, create, stored
from tests.handlers.in_process import Api, serving
from tests.handlers.lines import lines
from twofold.manifest import columns
from twofold.manifest.index import Index

RELEASES = sorted(folder for folder in Path(golden.__file__).parent.iterdir() if folder.is_dir())
RELEASES = [folder for folder in RELEASES if (folder / "items.json").exists()]
every_release = pytest.mark.parametrize("release", RELEASES, ids=lambda folder: folder.name)


@pytest.fixture
def api(aws: None) -> Iterator[Api]:
    with serving() as api:
        yield api


def _brought(api: Api, release: Path) -> tuple[str, str]:
    """(train, test): the ARNs of the datasets of that release, after an upgrade."""
    for item in json.loads((release / "items.json").read_text()):
        boto3.client("dynamodb").put_item(TableName=api.name, Item=item)
    objects = release / "objects"
    for file in objects.rglob("entries.*"):
        key = file.relative_to(objects).as_posix()
        boto3.client("s3").put_object(Bucket=api.name, Key=key, Body=file.read_bytes())
    (project,) = api.done("DescribeProjects")["ProjectDescriptions"]
    arns = {one["DatasetType"]: one["DatasetArn"] for one in project["Datasets"]}
    return arns["TRAIN"], arns["TEST"]


def _indexes(api: Api) -> list[str]:
    listed = boto3.client("s3").list_objects_v2(Bucket=api.name, Prefix="contents/")["Contents"]
    return [one["Key"] for one in listed if one["Key"].endswith(".index")]


def test_there_is_a_release_to_be_read() -> None:
    assert [folder.name for folder in RELEASES] == [f"v{n + 1}" for n in range(columns._VERSION)]


@every_release
def test_older_contents_are_listed(api: Api, release: Path) -> None:
    train, _ = _brought(api, release)
    entries = api.done("ListDatasetEntries", DatasetArn=train)["DatasetEntries"]
    sources = [json.loads(line)["source-ref"] for line in MANIFEST]
    assert [json.loads(entry)["source-ref"] for entry in entries] == sources
    labels = api.done("ListDatasetLabels", DatasetArn=train)["DatasetLabelDescriptions"]
    assert {label["LabelName"] for label in labels} == {"dög", "cat"}
    described = api.done("DescribeDataset", DatasetArn=train)["DatasetDescription"]
    assert described["DatasetStats"]["TotalEntries"] == len(MANIFEST)
    assert described["DatasetStats"]["TotalLabels"] == 2


@every_release
def test_older_contents_are_split_as_contents_of_this_release_are(api: Api, release: Path) -> None:
    train, test = _brought(api, release)
    api.done("DistributeDatasetEntries", Datasets=[{"Arn": train}, {"Arn": test}])
    tested = api.done("ListDatasetEntries", DatasetArn=test)["DatasetEntries"]
    with serving() as fresh:
        create(fresh)
        (project,) = fresh.done("DescribeProjects")["ProjectDescriptions"]
        pair = [{"Arn": one["DatasetArn"]} for one in project["Datasets"]]
        fresh.done("DistributeDatasetEntries", Datasets=pair)
        kinds = {one["DatasetType"]: one["DatasetArn"] for one in project["Datasets"]}
        again = fresh.done("ListDatasetEntries", DatasetArn=kinds["TEST"])["DatasetEntries"]
    assert tested == again
    assert len(tested) == 4


@every_release
def test_codes_of_errors_are_a_column_from_version_2_on(release: Path) -> None:
    (file,) = release.rglob("entries.index")
    _, stored = columns.unpack(file.read_bytes())
    assert ("codes" in stored) == (release.name != "v1")
    index = Index.decode(file.read_bytes())
    assert (len(index), index.codes.size) == (len(MANIFEST), 0)


def test_what_this_release_writes_is_what_its_version_promises(api: Api) -> None:
    """A format that changes needs another version, and a folder of its own in tests/golden."""
    create(api)
    _, objects = stored(api)
    (written,) = [body for key, body in objects.items() if key.endswith(".index")]
    (kept,) = RELEASES[-1].rglob("entries.index")
    assert written == kept.read_bytes()


def test_contents_of_a_newer_release_are_refused_with_both_versions_and_stay(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    train, test = _brought(api, RELEASES[-1])
    (key,) = _indexes(api)
    s3 = boto3.client("s3")
    newer = bytearray(s3.get_object(Bucket=api.name, Key=key)["Body"].read())
    newer[len(columns._NAME)] += 1
    s3.put_object(Bucket=api.name, Key=key, Body=bytes(newer))
    api.done("DistributeDatasetEntries", Datasets=[{"Arn": train}, {"Arn": test}])
    described = api.done("DescribeDataset", DatasetArn=train)["DatasetDescription"]
    assert described["Status"] == "UPDATE_FAILED"
    assert described["DatasetStats"]["TotalEntries"] == len(MANIFEST)
    assert "A newer release wrote it: deploy that one again." in described["StatusMessage"]
    failed = [line for line in lines(capsys.readouterr().out) if line.get("message") == "failed"]
    said = f"format version {columns._VERSION + 1}; this release reads up to {columns._VERSION}"
    assert said in failed[0]["exception"]
    s3.put_object(Bucket=api.name, Key=key, Body=(next(RELEASES[-1].rglob("*.index"))).read_bytes())
    api.done("DistributeDatasetEntries", Datasets=[{"Arn": train}, {"Arn": test}])
    again = api.done("DescribeDataset", DatasetArn=test)["DatasetDescription"]
    assert again["Status"] == "UPDATE_COMPLETE", "read by the release that wrote it"
