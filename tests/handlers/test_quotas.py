"""Rekognition's documented quotas, at the limit and one beyond; and Twofold's own, which are higher."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.contract.conformance import assert_error_conforms
from tests.handlers.in_process import Api, serving
from tests.job import line
from twofold.errors import OperationRefused
from twofold.manifest.identity import reading
from twofold.manifest.pieces import index_lines
from twofold.manifest.resolve import resolve
from twofold.quotas import limits
from twofold.records import DatasetId, DatasetType, Operation, OperationKind, Source
from twofold.settings import Quotas
from twofold.stores.objects import Bucket
from twofold.stores.table import rates
from twofold.workflow import ingest

REKOGNITION = limits(Quotas.REKOGNITION)


@pytest.fixture(autouse=True)
def _in_process(aws: None) -> None:
    pass


@pytest.fixture
def strict() -> Iterator[Api]:
    with serving(Quotas.REKOGNITION) as api:
        yield api


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls are not counted, for tests of other quotas."""
    monkeypatch.setattr(rates, "count_call", lambda *_: 1)


def error(operation: str, answer: tuple[int, dict[str, str]]) -> tuple[str, str]:
    status, body = answer
    assert status == 400, body
    assert_error_conforms(operation, body["__type"])
    return body["__type"], body["Message"]


def test_there_are_a_hundred_projects_and_no_more(strict: Api, unhurried: None) -> None:
    for number in range(100):
        strict.done("CreateProject", ProjectName=f"p{number}")
    code, message = error("CreateProject", strict.call("CreateProject", ProjectName="p100"))
    assert code == "LimitExceededException"
    assert "100 projects" in message
    first = strict.done("DescribeProjects", MaxResults=1)["ProjectDescriptions"][0]["ProjectArn"]
    strict.done("DeleteProject", ProjectArn=first)
    strict.done("CreateProject", ProjectName="p100")


def test_an_operation_is_called_five_times_a_second(
    strict: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twofold.clock.now", lambda: 1_700_000_000_999)
    for _ in range(5):
        strict.done("DescribeProjects")
    code, message = error("DescribeProjects", strict.call("DescribeProjects"))
    assert code == "ProvisionedThroughputExceededException"
    assert message.startswith("Provisioned Rate exceeded")
    arn = strict.done("CreateProject", ProjectName="another-operation")["ProjectArn"]
    for _ in range(7):
        strict.done("ListTagsForResource", ResourceArn=arn)
    monkeypatch.setattr("twofold.clock.now", lambda: 1_700_000_001_000)
    strict.done("DescribeProjects")


def test_labels_of_a_dataset_end_at_two_hundred_and_fifty(strict: Api, unhurried: None) -> None:
    arn = strict.done("CreateProject", ProjectName="p")["ProjectArn"]
    lines = [line(number, f"label {number}") for number in range(251)]

    def created(kind: str, count: int) -> tuple[str, dict[str, str]]:
        manifest = "\n".join(lines[:count]).encode()
        dataset = strict.done(
            "CreateDataset", ProjectArn=arn, DatasetType=kind, DatasetSource=strict.source(manifest)
        )["DatasetArn"]
        described = strict.done("DescribeDataset", DatasetArn=dataset)["DatasetDescription"]
        return dataset, described

    train, described = created("TRAIN", 250)
    assert described["Status"] == "CREATE_COMPLETE"
    _, described = created("TEST", 251)
    assert described["Status"] == "CREATE_FAILED"
    assert described["StatusMessageCode"] == "CLIENT_ERROR"
    assert described["StatusMessage"] == "The manifest file has too many labels."
    changes = {"GroundTruth": base64.b64encode(lines[250].encode()).decode()}
    strict.done("UpdateDatasetEntries", DatasetArn=train, Changes=changes)
    described = strict.done("DescribeDataset", DatasetArn=train)["DatasetDescription"]
    assert described["StatusMessage"] == "The manifest file has too many labels."
    assert described["DatasetStats"]["TotalLabels"] == 250


def test_a_manifest_has_a_quarter_million_lines_and_no_more() -> None:
    text = b'{"source-ref":"s3://b/%d"}'
    piece = index_lines((number * 40, text % number) for number in range(250_001))
    resolution = resolve([piece], reading(b""))
    with pytest.raises(OperationRefused, match="too many rows"):
        ingest.refuse(resolution, REKOGNITION)
    ingest.refuse(resolution, limits(Quotas.TWOFOLD))


def test_a_manifest_has_a_gibibyte_and_no_more() -> None:
    bucket = Bucket("nothing-is-read")
    operation = Operation(
        id="o",
        kind=OperationKind.CREATE,
        datasets=(DatasetId(project="p", type=DatasetType.TRAIN, created=1),),
        created=1,
        source=Source(bucket="b", key="k", size=(1 << 30) + 1, etag="e"),
    )
    with pytest.raises(OperationRefused, match="exceeds the maximum supported size"):
        ingest.plan(bucket, operation, REKOGNITION)


def test_changes_have_five_mebibytes_under_any_quotas() -> None:
    for quotas in Quotas:
        with serving(quotas) as api:
            project = api.done("CreateProject", ProjectName="p")["ProjectArn"]
            arn = api.done("CreateDataset", ProjectArn=project, DatasetType="TRAIN")["DatasetArn"]
            entry = json.dumps({"source-ref": "s3://b/k", "note": ""}).encode()
            for size, code in ((5_242_880, "ok"), (5_242_881, "ValidationException")):
                blob = base64.b64encode(entry + b" " * (size - len(entry))).decode()
                status, body = api.call(
                    "UpdateDatasetEntries", DatasetArn=arn, Changes={"GroundTruth": blob}
                )
                assert body.get("__type", "ok") == code, (quotas, size, status)


def test_no_more_operations_than_allowed_are_under_way() -> None:
    # Undone before serving's own patch of the same attribute is, or that one would be put back for the rest of the session.
    with serving() as api, pytest.MonkeyPatch.context() as patch:
        project = api.done("CreateProject", ProjectName="p")["ProjectArn"]
        source = api.source(line(0).encode())
        patch.setattr("twofold.stores.executions.Executions.start", lambda *_: None)
        patch.setattr("twofold.quotas._LIMITS", _with_operations(1))
        request = {"ProjectArn": project, "DatasetSource": source}
        api.done("CreateDataset", DatasetType="TRAIN", **request)
        refused = api.call("CreateDataset", DatasetType="TEST", **request)
        assert error("CreateDataset", refused)[0] == "LimitExceededException"
        empty = api.done("CreateDataset", ProjectArn=project, DatasetType="TEST")["DatasetArn"]
        changes = {"GroundTruth": base64.b64encode(line(0).encode()).decode()}
        refused = api.call("UpdateDatasetEntries", DatasetArn=empty, Changes=changes)
        assert error("UpdateDatasetEntries", refused)[0] == "LimitExceededException"


def _with_operations(count: int) -> dict[Quotas, object]:
    return {quotas: replace(limits(quotas), operations=count) for quotas in Quotas}
