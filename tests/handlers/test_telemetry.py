"""What the functions tell while they do the main job, fail at it, and are watched."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.handlers.in_process import Api, Context, serving
from tests.handlers.lines import Line, lines, metrics
from tests.job import Job
from twofold import telemetry
from twofold.handlers import settle
from twofold.metrics import NAMESPACE, Dimension, Metric
from twofold.records import Operation, OperationKind
from twofold.settings import Function
from twofold.stores.executions import Executions, ExecutionState
from twofold.stores.table import Table, operations, projects
from twofold.workflow import move

LINES = [
    json.dumps({"source-ref": f"s3://b/{n}.jpg", "c": 1, "c-metadata": {
        "class-name": f"label {n % 3}", "confidence": 1, "human-annotated": "yes",
        "creation-date": "2024-05-01T09:00:00.000000", "type": "groundtruth/image-classification",
    }})
    for n in range(30)
]  # fmt: skip
TRAIN = {"DatasetType": "TRAIN"}
TEST = {"DatasetType": "TEST"}
SETTLE = Context(function_name="twofold-test-settle")


@pytest.fixture
def api(aws: None) -> Iterator[Api]:
    with serving() as api:
        yield api


def _pair(api: Api, project: str) -> list[dict[str, str]]:
    arn = api.done("CreateProject", ProjectName=project)["ProjectArn"]
    source = api.source("\n".join(LINES).encode())
    train = api.done("CreateDataset", ProjectArn=arn, DatasetSource=source, **TRAIN)["DatasetArn"]
    test = api.done("CreateDataset", ProjectArn=arn, **TEST)["DatasetArn"]
    return [{"Arn": train}, {"Arn": test}]


def _main_job(api: Api, project: str) -> None:
    api.done("DistributeDatasetEntries", Datasets=_pair(api, project))


def _values(read: list[Line], metric: Metric, **dimensions: str) -> list[float]:
    wanted = {("Stage", "test"), *dimensions.items()}
    return [d.value for d in metrics(read) if d.name == metric and d.dimensions == wanted]


def test_every_line_of_a_step_says_whose_it_is(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    _main_job(api, "told")
    steps = [line for line in lines(capsys.readouterr().out) if line["Function"] != Function.API]
    assert {line["Function"] for line in steps} >= {"plan", "index", "select", "move", "publish"}
    for line in steps:
        assert line["Stage"] == "test"
        assert line["requestId"]
        assert line["operationId"]
        assert all(path.startswith("told/") for path in line["datasets"])
        assert line["level"] == "INFO"


def test_a_call_that_begins_an_operation_names_it_and_the_callers_request(job: Job) -> None:
    train, test = job.pair(LINES)
    job.distribute(train, test)
    job.settled(test)
    project = job.project.split("/")[1]
    read = [line for line in lines(job.stack.log.read_text()) if _is_about(line, project)]
    begun = [line for line in read if line["message"] == "answered"]
    assert [line["Operation"] for line in begun] == ["CreateDataset", "DistributeDatasetEntries"]
    for answered in begun:
        steps = [line for line in read if line["operationId"] == answered["operationId"]]
        assert {"Index", "Move"} & {line["Function"].capitalize() for line in steps}
        assert answered["Stage"] == "local"


def _is_about(line: Line, project: str) -> bool:
    return any(path.startswith(f"{project}/") for path in line.get("datasets", ()))


def test_there_is_one_line_for_each_outcome(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    _main_job(api, "outcomes")
    told = [line["message"] for line in lines(capsys.readouterr().out)]
    assert told.count("answered") == 4
    assert told.count("operation ended") == 2
    assert told.count("step done") == 4 + 1 + 3, "plan, index, resolve, move; publish; three more"
    assert set(told) == {"answered", "operation ended", "step done"}


def test_metrics_count_calls_shards_entries_bytes_and_the_time_in_each_status(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    _main_job(api, "counted")
    read = lines(capsys.readouterr().out)
    size = len("\n".join(LINES))
    assert _values(read, Metric.CALLS, Operation="CreateProject") == [1]
    assert len(_values(read, Metric.LATENCY, Operation="CreateProject")) == 1
    assert _values(read, Metric.ENTRIES, Function="index") == [30]
    assert _values(read, Metric.BYTES, Function="index") == [size]
    assert _values(read, Metric.ENTRIES, Function="move") == [30, 30]
    assert _values(read, Metric.SHARDS, Function="move") == [1, 1]
    assert _values(read, Metric.OPERATIONS, Outcome="COMPLETE") == [1, 1]
    assert _values(read, Metric.OPERATIONS, Workflow="ingest") == [1]
    (creating,) = _values(read, Metric.TIME_IN_PROGRESS, Status="CREATE_IN_PROGRESS")
    (updating,) = _values(read, Metric.TIME_IN_PROGRESS, Status="UPDATE_IN_PROGRESS")
    assert 0 <= creating < 60_000
    assert 0 <= updating < 60_000


def test_a_refusal_is_counted_by_its_error_and_is_no_failure(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    api.call("CreateProject", ProjectName="not a name")
    api.send("NoSuchOperation", "{}")
    read = lines(capsys.readouterr().out)
    assert _values(read, Metric.REFUSALS, Error="ValidationException") == [1]
    assert _values(read, Metric.CALLS, Operation="Unknown") == [1]
    assert not [d for d in metrics(read) if d.name == Metric.FAILURES]


def test_a_failure_has_its_trace_and_is_counted_by_function_and_exception(
    api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = _pair(api, "failing")
    monkeypatch.setattr(move, "stream", _broken)
    api.done("DistributeDatasetEntries", Datasets=pair)
    read = lines(capsys.readouterr().out)
    failed, noticed = [line for line in read if line["message"] == "failed"]
    assert noticed["exception_name"] == "ConservationError"
    assert failed["level"] == "ERROR"
    assert "no disk in this cloud" in failed["exception"]
    assert failed["operationId"]
    assert _values(read, Metric.FAILURES, Function="move") == [1]
    assert _values(read, Metric.FAILURES, Error="OSError") == [1]
    assert _values(read, Metric.OPERATIONS, Outcome="SERVICE_ERROR") == [1]


def _broken(*_: Any) -> Any:
    raise OSError("no disk in this cloud")


def test_a_manifest_that_cannot_be_a_dataset_is_the_callers_error(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    project = api.done("CreateProject", ProjectName="empty")["ProjectArn"]
    api.done("CreateDataset", ProjectArn=project, DatasetSource=api.source(b""), **TRAIN)
    read = lines(capsys.readouterr().out)
    assert _values(read, Metric.OPERATIONS, Outcome="CLIENT_ERROR") == [1]
    assert not [d for d in metrics(read) if d.name == Metric.FAILURES]
    (refused,) = [line for line in read if line["message"] == "refused"]
    assert refused["reason"] == "The manifest file is empty."


def test_settle_publishes_the_age_of_the_oldest_operation_even_when_it_fails(
    api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settle.handler({}, SETTLE)
    assert _values(lines(capsys.readouterr().out), Metric.OLDEST_OPERATION) == [0]
    old = Operation(id="old", kind=OperationKind.DISTRIBUTE, datasets=(), created=1_000)
    Table(api.name).transact([operations._begin(Table(api.name), old)])
    monkeypatch.setattr(Executions, "state", _broken)
    with pytest.raises(ExceptionGroup):
        settle.handler({}, SETTLE)
    read = lines(capsys.readouterr().out)
    assert _values(read, Metric.ACTIVE_OPERATIONS) == [1]
    assert _values(read, Metric.OLDEST_OPERATION)[0] > 1e9


def test_an_operation_that_ends_twice_is_counted_once(
    api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = api.done("CreateProject", ProjectName="twice")["ProjectArn"]
    api.done("CreateDataset", ProjectArn=project, DatasetType="TRAIN")
    table = Table(api.name)
    found = projects.find(table, "twice")
    assert found
    (dataset,) = (projects.find_dataset(table, one) for one in found.datasets())
    assert dataset
    old = Operation(
        id="lost", kind=OperationKind.UPDATE, datasets=(dataset.id,), created=dataset.updated
    )
    assert operations.claim(table, old, [dataset], dataset.updated)
    monkeypatch.setattr(Executions, "state", lambda *_: ExecutionState.ENDED)
    settle.handler({}, SETTLE)
    settle.handler({}, SETTLE)
    read = lines(capsys.readouterr().out)
    assert _values(read, Metric.OPERATIONS, Outcome="SERVICE_ERROR") == [1]


def test_metrics_are_published_whatever_the_log_level(
    api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    previous = telemetry._log.log_level
    telemetry._log.setLevel(logging.ERROR)
    try:
        api.done("DescribeProjects")
    finally:
        telemetry._log.setLevel(previous)
    (line,) = lines(capsys.readouterr().out)
    assert "message" not in line
    assert _values([line], Metric.CALLS, Operation="DescribeProjects") == [1]


def test_every_metric_is_in_one_namespace_by_stage(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    _main_job(api, "named")
    for line in lines(capsys.readouterr().out):
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            assert directive["Namespace"] == NAMESPACE
            for dimensions in directive["Dimensions"]:
                assert dimensions[0] == Dimension.STAGE
                assert len(dimensions) <= 2
