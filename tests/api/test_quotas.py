"""Rekognition's documented quotas, at the limit and just beyond, and Twofold's own, higher quotas."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.api.conformance import assert_error_conforms
from tests.support.in_process_api import InProcessApi, serve_api
from tests.support.job import make_line
from twofold.errors import OperationRefused
from twofold.manifest.index.hash_collisions import make_line_reader
from twofold.manifest.index.range_indexer import index_lines
from twofold.manifest.index.resolve import join_ranges
from twofold.quotas import get_quotas
from twofold.records import DatasetId, DatasetType, Operation, OperationKind, SourceObject
from twofold.settings import QuotaProfile
from twofold.stores.objects import Bucket
from twofold.stores.table import calls
from twofold.workflow.plan import plan_ranges
from twofold.workflow.resolve import require_acceptable

REKOGNITION = get_quotas(QuotaProfile.REKOGNITION)


@pytest.fixture(autouse=True)
def _use_moto(aws: None) -> None:
    pass


@pytest.fixture
def rekognition_api() -> Iterator[InProcessApi]:
    with serve_api(QuotaProfile.REKOGNITION) as api:
        yield api


@pytest.fixture
def unlimited_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """No limit on the rate of calls, for tests of other quotas."""
    monkeypatch.setattr(calls, "count_call", lambda *_: 1)


def get_error(operation: str, response: tuple[int, dict[str, str]]) -> tuple[str, str]:
    status, body = response
    assert status == 400, body
    assert_error_conforms(operation, body["__type"])
    return body["__type"], body["Message"]


def test_the_maximum_is_a_hundred_projects(
    rekognition_api: InProcessApi, unlimited_rate: None
) -> None:
    for number in range(100):
        rekognition_api.call_successfully("CreateProject", ProjectName=f"p{number}")
    code, message = get_error(
        "CreateProject", rekognition_api.call("CreateProject", ProjectName="p100")
    )
    assert code == "LimitExceededException"
    assert "100 projects" in message
    first = rekognition_api.call_successfully("DescribeProjects", MaxResults=1)[
        "ProjectDescriptions"
    ][0]["ProjectArn"]
    rekognition_api.call_successfully("DeleteProject", ProjectArn=first)
    rekognition_api.call_successfully("CreateProject", ProjectName="p100")


def test_the_maximum_is_five_calls_of_an_operation_per_second(
    rekognition_api: InProcessApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twofold.clock.now", lambda: 1_700_000_000_999)
    for _ in range(5):
        rekognition_api.call_successfully("DescribeProjects")
    code, message = get_error("DescribeProjects", rekognition_api.call("DescribeProjects"))
    assert code == "ProvisionedThroughputExceededException"
    assert message.startswith("Provisioned Rate exceeded")
    arn = rekognition_api.call_successfully("CreateProject", ProjectName="another-operation")[
        "ProjectArn"
    ]
    for _ in range(7):
        rekognition_api.call_successfully("ListTagsForResource", ResourceArn=arn)
    monkeypatch.setattr("twofold.clock.now", lambda: 1_700_000_001_000)
    rekognition_api.call_successfully("DescribeProjects")


def test_the_maximum_is_two_hundred_and_fifty_labels(
    rekognition_api: InProcessApi, unlimited_rate: None
) -> None:
    arn = rekognition_api.call_successfully("CreateProject", ProjectName="p")["ProjectArn"]
    lines = [make_line(number, f"label {number}") for number in range(251)]

    def create_dataset(kind: str, count: int) -> tuple[str, dict[str, str]]:
        manifest = "\n".join(lines[:count]).encode()
        dataset = rekognition_api.call_successfully(
            "CreateDataset",
            ProjectArn=arn,
            DatasetType=kind,
            DatasetSource=rekognition_api.upload_source(manifest),
        )["DatasetArn"]
        described = rekognition_api.call_successfully("DescribeDataset", DatasetArn=dataset)[
            "DatasetDescription"
        ]
        return dataset, described

    train, described = create_dataset("TRAIN", 250)
    assert described["Status"] == "CREATE_COMPLETE"
    _, described = create_dataset("TEST", 251)
    assert described["Status"] == "CREATE_FAILED"
    assert described["StatusMessageCode"] == "CLIENT_ERROR"
    assert described["StatusMessage"] == "The manifest file has too many labels."
    changes = {"GroundTruth": base64.b64encode(lines[250].encode()).decode()}
    rekognition_api.call_successfully("UpdateDatasetEntries", DatasetArn=train, Changes=changes)
    described = rekognition_api.call_successfully("DescribeDataset", DatasetArn=train)[
        "DatasetDescription"
    ]
    assert described["StatusMessage"] == "The manifest file has too many labels."
    assert described["DatasetStats"]["TotalLabels"] == 250


def test_the_maximum_is_a_quarter_million_lines() -> None:
    text = b'{"source-ref":"s3://b/%d"}'
    range_index = index_lines((number * 40, text % number) for number in range(250_001))
    resolution = join_ranges([range_index], make_line_reader(b""))
    with pytest.raises(OperationRefused, match="too many rows"):
        require_acceptable(resolution, REKOGNITION)
    require_acceptable(resolution, get_quotas(QuotaProfile.TWOFOLD))


def test_the_maximum_is_a_manifest_of_one_gibibyte() -> None:
    bucket = Bucket("nothing-is-read")
    operation = Operation(
        id="o",
        kind=OperationKind.CREATE,
        datasets=(DatasetId(project="p", type=DatasetType.TRAIN, created=1),),
        created=1,
        source=SourceObject(bucket="b", key="k", size=(1 << 30) + 1, etag="e"),
    )
    with pytest.raises(OperationRefused, match="exceeds the maximum supported size"):
        plan_ranges(bucket, operation, REKOGNITION)


def test_the_maximum_is_five_mebibytes_of_changes_with_any_quotas() -> None:
    for quotas in QuotaProfile:
        with serve_api(quotas) as api:
            project = api.call_successfully("CreateProject", ProjectName="p")["ProjectArn"]
            arn = api.call_successfully("CreateDataset", ProjectArn=project, DatasetType="TRAIN")[
                "DatasetArn"
            ]
            entry = json.dumps({"source-ref": "s3://b/k", "note": ""}).encode()
            for size, code in ((5_242_880, "ok"), (5_242_881, "ValidationException")):
                blob = base64.b64encode(entry + b" " * (size - len(entry))).decode()
                status, body = api.call(
                    "UpdateDatasetEntries", DatasetArn=arn, Changes={"GroundTruth": blob}
                )
                assert body.get("__type", "ok") == code, (quotas, size, status)


def test_operations_in_progress_are_limited() -> None:
    # This patch of `start` must end before serve_api restores the same attribute.
    with serve_api() as api, pytest.MonkeyPatch.context() as patch:
        project = api.call_successfully("CreateProject", ProjectName="p")["ProjectArn"]
        source = api.upload_source(make_line(0).encode())
        patch.setattr("twofold.stores.executions.Executions.start", lambda *_: None)
        patch.setattr("twofold.quotas._QUOTAS", _limit_operations(1))
        request = {"ProjectArn": project, "DatasetSource": source}
        api.call_successfully("CreateDataset", DatasetType="TRAIN", **request)
        rejection = api.call("CreateDataset", DatasetType="TEST", **request)
        assert get_error("CreateDataset", rejection)[0] == "LimitExceededException"
        empty = api.call_successfully("CreateDataset", ProjectArn=project, DatasetType="TEST")[
            "DatasetArn"
        ]
        changes = {"GroundTruth": base64.b64encode(make_line(0).encode()).decode()}
        rejection = api.call("UpdateDatasetEntries", DatasetArn=empty, Changes=changes)
        assert get_error("UpdateDatasetEntries", rejection)[0] == "LimitExceededException"


def _limit_operations(count: int) -> dict[QuotaProfile, object]:
    return {quotas: replace(get_quotas(quotas), operations=count) for quotas in QuotaProfile}
